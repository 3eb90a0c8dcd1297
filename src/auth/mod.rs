//! Authentication and authorization: one policy for all protocols, which costs nothing without settings.

mod allowances;
pub(crate) mod authorizer;
mod challenge;
mod claims;
mod credentials;
mod denial;
mod fetched;
mod issuer;
mod jwks;
mod jws;
mod key_source;
mod keys;
mod metadata;
mod policy;
mod principal;
mod rate;
mod scopes;
mod shared_allowances;
mod tokens;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, Uri};

use crate::config::Config;
use crate::error::Result;
use crate::store::Store;

pub use credentials::{has_credentials, hide};
pub use denial::Denial;
#[cfg(feature = "cli")]
pub use keys::NewKey;
pub use metadata::WELL_KNOWN;
use policy::Policy;
pub use principal::{Principal, PrincipalKind};
pub use rate::Quota;
use rate::RateLimits;

/// How an application checks callers itself.
pub type Authenticator =
    Box<dyn Fn(Parts) -> BoxFuture<'static, Result<Option<Principal>>> + Send + Sync>;

/// The rules for callers of one process.
pub struct Auth {
    policy: Option<Policy>,
    limits: Option<RateLimits>,
}

/// The requirements of one or several functions of an operation.
#[derive(Default)]
pub struct Needs<'a> {
    /// The function that is named to the caller.
    pub function: &'a str,
    /// Whether all of them are public.
    pub is_public: bool,
    /// The scopes of all of them.
    pub scopes: BTreeSet<&'a str>,
}

impl<'a> Needs<'a> {
    /// Adds what another function of the same operation needs.
    pub fn merge(&mut self, other: Needs<'a>) {
        if self.function != other.function {
            self.function = "";
        }
        self.is_public &= other.is_public;
        self.scopes.extend(other.scopes);
    }
}

/// The part of a request that identifies the caller.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
}

/// The authentication methods that clients may use.
#[derive(Clone, Copy)]
pub struct Schemes {
    /// Tokens of an issuer.
    pub tokens: bool,
    /// API keys.
    pub keys: bool,
}

impl Auth {
    /// The rules of the settings. Nothing is asked of an issuer, of AWS or of the store.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub fn new(
        config: &Arc<Config>,
        store: &Store,
        own: Option<Authenticator>,
    ) -> Result<Auth, String> {
        let policy = Policy::new(config, own)?;
        let limits = RateLimits::new(config, store)?;
        Ok(Auth { policy, limits })
    }

    /// Whether callers are checked.
    pub fn is_on(&self) -> bool {
        self.policy.is_some()
    }

    /// What clients may send.
    pub fn schemes(&self) -> Option<Schemes> {
        self.policy.as_ref().map(Policy::schemes)
    }

    /// A principal that an integration has checked, with the scopes that the settings give it.
    pub fn complete(&self, principal: Principal) -> Arc<Principal> {
        Arc::new(match &self.policy {
            Some(policy) => policy.complete(principal),
            None => principal,
        })
    }

    /// The principal that a request names with its own credentials. `is_checked` says that the integration has checked its
    /// caller, whose credentials need not be ours.
    ///
    /// # Errors
    /// The credentials are not valid.
    pub async fn authenticate(
        &self,
        request: Asking<'_>,
        is_checked: bool,
    ) -> Result<Option<Arc<Principal>>, Denial> {
        match &self.policy {
            Some(policy) => policy.authenticate(request, is_checked).await,
            None => Ok(None),
        }
    }

    /// Checks that the caller has the required scopes.
    ///
    /// # Errors
    /// The caller does not have them.
    pub fn authorize<'a>(
        &self,
        principal: Option<&Principal>,
        needs: impl FnOnce() -> Needs<'a>,
    ) -> Result<(), Denial> {
        match &self.policy {
            Some(policy) => policy.authorize(principal, &needs()),
            None => Ok(()),
        }
    }

    /// Checks that the caller is authenticated.
    ///
    /// # Errors
    /// The caller is not authenticated, or its credentials have expired.
    pub fn require(&self, principal: Option<&Principal>) -> Result<(), Denial> {
        match &self.policy {
            Some(policy) => policy.require(principal, &Needs::default()).map(drop),
            None => Ok(()),
        }
    }

    /// Charges one call of a function of these classes to its caller. `None` where there are no limits.
    pub async fn charge<'a>(
        &self,
        holder: impl FnOnce() -> String,
        classes: impl Iterator<Item = &'a str>,
    ) -> Option<Quota> {
        let limits = self.limits.as_ref()?;
        limits.charge(&holder(), classes).await
    }

    /// The challenge of a denial, for a request for `path` of a client that reaches this server at `url`.
    pub fn challenge(&self, denial: &Denial, url: &str, path: &str) -> HeaderValue {
        let has_issuers = self.schemes().is_some_and(|it| it.tokens);
        let metadata = has_issuers.then(|| format!("{url}{}", metadata::path_for(path)));
        challenge::challenge(denial, metadata.as_deref())
    }

    /// The response to a request for the metadata of this server; `None` where there is none at this path.
    pub fn metadata(
        &self,
        (method, path): (&Method, &str),
        url: &str,
        scopes: BTreeSet<&str>,
        name: &str,
    ) -> Option<Response<Body>> {
        let policy = self.policy.as_ref().filter(|it| it.schemes().tokens)?;
        let resource = metadata::resource_of(path)?;
        let document = || policy.document(url, resource, scopes, name);
        Some(metadata::response(method, document))
    }
}
