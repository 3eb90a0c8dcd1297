//! Credentials: what is declared with an upstream, and what is sent with its requests.

mod authorizer;
mod client;
mod secret_ref;
mod token;

use std::borrow::Cow;

pub(crate) use authorizer::keeps_secrets;
pub(super) use authorizer::{Authorizer, Credential, Placement};
pub use client::ClientCredentials;
pub use secret_ref::SecretRef;
pub(crate) use secret_ref::SecretStore;

/// The credentials of an application at an upstream. No log line, error, span or `Debug` contains them.
///
/// ```
/// use bifold::upstream::{ClientCredentials, Credentials, SecretRef, Upstream};
/// const NOTES: Upstream = Upstream::new("notes", "https://notes.example.com")
///     .credentials(Credentials::bearer(SecretRef::variable("NOTES_TOKEN")));
/// const CRM: Upstream = Upstream::new("crm", "https://crm.example.com").credentials(Credentials::client(
///     ClientCredentials::new(
///         "https://login.example.com/token",
///         SecretRef::variable("CRM_CLIENT_ID"),
///         SecretRef::aws("prod/crm-client-secret"),
///     )
///     .scopes("contacts.read"),
/// ));
/// ```
#[derive(Clone, Debug)]
pub struct Credentials(Scheme);

#[derive(Clone, Debug)]
enum Scheme {
    Bearer(SecretRef),
    Header(Cow<'static, str>, SecretRef),
    Basic(SecretRef, SecretRef),
    Query(Cow<'static, str>, SecretRef),
    Cookie(Cow<'static, str>, SecretRef),
    Client(ClientCredentials),
}

impl Credentials {
    /// `Authorization: Bearer <token>`.
    pub const fn bearer(token: SecretRef) -> Credentials {
        Credentials(Scheme::Bearer(token))
    }

    /// A header of its own, for example `x-api-key`.
    pub const fn header(name: &'static str, key: SecretRef) -> Credentials {
        Credentials(Scheme::Header(Cow::Borrowed(name), key))
    }

    /// `Authorization: Basic`, with user name and password.
    pub const fn basic(user: SecretRef, password: SecretRef) -> Credentials {
        Credentials(Scheme::Basic(user, password))
    }

    /// A parameter of the query, for APIs that take a key nowhere else: their log may keep it.
    pub const fn query(name: &'static str, key: SecretRef) -> Credentials {
        Credentials(Scheme::Query(Cow::Borrowed(name), key))
    }

    /// An access token of an OAuth 2 authorization server (RFC 6749 §4.4). One request gets it for all calls; it is
    /// renewed before it expires, and once after the upstream refused it.
    pub const fn client(client: ClientCredentials) -> Credentials {
        Credentials(Scheme::Client(client))
    }

    /// Like [`Credentials::header`], with a name that is known only when the program runs.
    pub fn header_named(name: impl Into<Cow<'static, str>>, key: SecretRef) -> Credentials {
        Credentials(Scheme::Header(name.into(), key))
    }

    /// Like [`Credentials::query`], with a name that is known only when the program runs.
    pub fn query_named(name: impl Into<Cow<'static, str>>, key: SecretRef) -> Credentials {
        Credentials(Scheme::Query(name.into(), key))
    }

    /// A cookie of this name.
    pub fn cookie_named(name: impl Into<Cow<'static, str>>, key: SecretRef) -> Credentials {
        Credentials(Scheme::Cookie(name.into(), key))
    }

    /// Whether a secret of AWS Secrets Manager belongs to them.
    pub(super) fn need_aws(&self) -> bool {
        self.secrets().iter().any(|it| it.is_aws())
    }

    /// Whether they are a token of an authorization server.
    pub(super) fn have_token(&self) -> bool {
        matches!(self.0, Scheme::Client(_))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        match &self.0 {
            Scheme::Bearer(secret)
            | Scheme::Header(_, secret)
            | Scheme::Query(_, secret)
            | Scheme::Cookie(_, secret) => vec![secret],
            Scheme::Basic(user, password) => vec![user, password],
            Scheme::Client(client) => vec![&client.id, &client.secret],
        }
    }
}
