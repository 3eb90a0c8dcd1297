//! The principal: the identity of the caller, how it was checked, and its scopes.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;

/// The caller, as this server or the integration in front of it has checked it.
///
/// ```
/// use bifold::{Context, Principal, PrincipalKind};
///
/// fn owner(cx: &Context) -> Option<&str> {
///     cx.principal().map(Principal::id)
/// }
///
/// let principal = Principal::new("user-7").with_scopes(["notes:read"]);
/// assert_eq!(principal.kind(), PrincipalKind::Custom);
/// assert!(principal.has_scope("notes:read"));
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Principal {
    id: String,
    kind: PrincipalKind,
    /// The scopes that the credentials name, before any are added by the settings.
    granted: Vec<String>,
    /// All scopes, with those that others include.
    scopes: BTreeSet<String>,
    claims: Map<String, Value>,
    expires: Option<Timestamp>,
}

/// How a principal was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PrincipalKind {
    /// By an access token: this server has verified it, or the JWT authorizer of API Gateway has.
    Token,
    /// By an API key of this server.
    Key,
    /// By IAM: the request was signed by an AWS principal.
    Iam,
    /// By an identity pool of Cognito.
    Cognito,
    /// By a Lambda authorizer of the operator.
    Authorizer,
    /// By the application's own [`Server::authenticate`](crate::Server::authenticate).
    Custom,
}

impl Principal {
    /// A principal that the application has checked itself. Two callers must never have the same `id`: tasks and the
    /// states of calls belong to it.
    pub fn new(id: impl Into<String>) -> Principal {
        Principal::checked(PrincipalKind::Custom, id.into())
    }

    /// A principal of that kind, without scopes.
    pub(crate) fn checked(kind: PrincipalKind, id: String) -> Principal {
        Principal {
            id,
            kind,
            granted: Vec::new(),
            scopes: BTreeSet::new(),
            claims: Map::new(),
            expires: None,
        }
    }

    /// The same principal with these scopes beside those that it has.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Principal {
        for scope in scopes.into_iter().map(Into::into) {
            if self.scopes.insert(scope.clone()) {
                self.granted.push(scope);
            }
        }
        self
    }

    /// The same principal with what else is known of it, which functions read with [`Principal::claims`].
    pub fn with_claims(self, claims: Map<String, Value>) -> Principal {
        Principal { claims, ..self }
    }

    /// The same principal until that time: calls that begin later are refused, also those on a connection that was opened
    /// before.
    pub fn until(self, expires: Timestamp) -> Principal {
        let expires = Some(expires);
        Principal { expires, ..self }
    }

    /// The identity: `jwt:<issuer>#<subject>`, `key:<name>`, `iam:<ARN>`, `cognito:<identity>`, `authorizer:<id>`, or what
    /// the application calls it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it was checked.
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// Its scopes in alphabetical order, with those that others include.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Whether it has the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// The claims of its token, or what else is known of it.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The scopes that its credentials name.
    pub(super) fn granted(&self) -> &[String] {
        &self.granted
    }

    /// Adds scopes that its credentials do not name.
    pub(super) fn include(&mut self, scopes: impl IntoIterator<Item = String>) {
        self.scopes.extend(scopes);
    }

    /// Whether its credentials are no longer valid.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// The time until its credentials expire, if they do.
    pub(crate) fn left(&self, now: Timestamp) -> Option<Duration> {
        let seconds = self.expires?.unix() - now.unix();
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// The name of the API key, which may be logged.
    pub(crate) fn key_name(&self) -> Option<&str> {
        match self.kind {
            PrincipalKind::Key => self.id.strip_prefix("key:"),
            _ => None,
        }
    }
}

/// As [`Principal::new`].
impl From<&str> for Principal {
    fn from(id: &str) -> Principal {
        Principal::new(id)
    }
}

/// As [`Principal::new`].
impl From<String> for Principal {
    fn from(id: String) -> Principal {
        Principal::new(id)
    }
}

/// Without the claims, which may hold personal data.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("kind", &self.kind)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
