//! The client of an OAuth 2 authorization server: where it gets its token, and with what.

use std::borrow::Cow;
use std::mem::{forget, replace};

use super::SecretRef;

/// A client that gets access tokens with its own id and secret.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub(super) token_url: Cow<'static, str>,
    pub(super) id: SecretRef,
    pub(super) secret: SecretRef,
    pub(super) scopes: Cow<'static, str>,
    pub(super) audience: Cow<'static, str>,
    pub(super) is_in_body: bool,
}

impl ClientCredentials {
    /// The client `id` with its `secret` at the token endpoint `token_url`, which must be an https URL, or http on
    /// loopback. `BIFOLD_<NAME>_TOKEN_URL` names another one.
    pub const fn new(
        token_url: &'static str,
        id: SecretRef,
        secret: SecretRef,
    ) -> ClientCredentials {
        ClientCredentials::plain(Cow::Borrowed(token_url), id, secret)
    }

    /// Like [`ClientCredentials::new`], with a URL that is known only when the program runs.
    pub fn at(
        token_url: impl Into<Cow<'static, str>>,
        id: SecretRef,
        secret: SecretRef,
    ) -> ClientCredentials {
        ClientCredentials::plain(token_url.into(), id, secret)
    }

    const fn plain(
        token_url: Cow<'static, str>,
        id: SecretRef,
        secret: SecretRef,
    ) -> ClientCredentials {
        ClientCredentials {
            token_url,
            id,
            secret,
            scopes: Cow::Borrowed(""),
            audience: Cow::Borrowed(""),
            is_in_body: false,
        }
    }

    /// Asks for these scopes, separated by spaces.
    pub const fn scopes(mut self, scopes: &'static str) -> ClientCredentials {
        forget(replace(&mut self.scopes, Cow::Borrowed(scopes)));
        self
    }

    /// Like [`ClientCredentials::scopes`], with scopes that are known only when the program runs.
    pub fn scopes_named(mut self, scopes: impl Into<Cow<'static, str>>) -> ClientCredentials {
        self.scopes = scopes.into();
        self
    }

    /// Asks for a token for this audience, which some servers need.
    pub const fn audience(mut self, audience: &'static str) -> ClientCredentials {
        forget(replace(&mut self.audience, Cow::Borrowed(audience)));
        self
    }

    /// Like [`ClientCredentials::audience`], with an audience that is known only when the program runs.
    pub fn audience_named(mut self, audience: impl Into<Cow<'static, str>>) -> ClientCredentials {
        self.audience = audience.into();
        self
    }

    /// Sends id and secret in the body, for servers that do not take them in the header `Authorization`.
    pub const fn in_body(mut self) -> ClientCredentials {
        self.is_in_body = true;
        self
    }
}
