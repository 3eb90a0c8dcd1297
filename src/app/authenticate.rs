//! An application that checks its callers itself.

use http::request::Parts;

use super::Server;
use crate::auth::Principal;
use crate::error::Result;

impl Server {
    /// Checks callers in a way of the application's own, before tokens and API keys: `check` gets the head of each request
    /// that may call a function, and returns the caller, or `None` where it does not know it. An `Unauthenticated` error
    /// refuses the request with 401, any other one with 503.
    ///
    /// As with an issuer or an API key, every function that is not public then needs an authenticated caller.
    ///
    /// ```
    /// use bifold::{Principal, Result, Server};
    ///
    /// let server = Server::new("notes", "1.0.0").authenticate(async |parts| -> Result<Option<Principal>> {
    ///     let user = parts.headers.get("x-verified-user").and_then(|it| it.to_str().ok());
    ///     Ok(user.map(|user| Principal::new(user).with_scopes(["notes:read"])))
    /// });
    /// ```
    pub fn authenticate<F, Fut>(mut self, check: F) -> Server
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Principal>>> + Send + 'static,
    {
        self.authenticator = Some(Box::new(move |parts| Box::pin(check(parts))));
        self
    }
}
