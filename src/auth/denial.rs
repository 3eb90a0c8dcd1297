//! Why a request is denied, independent of the protocol.

use std::time::Duration;

use http::StatusCode;

use crate::error::Error;

/// A refusal: the error of OAuth, the scopes that are needed, and a sentence for people and agents.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The class of the refusal.
    pub reason: Reason,
    /// What was wrong, and what to do.
    pub detail: String,
    /// The scopes of the whole operation, including those that the caller has.
    pub scopes: Vec<String>,
}

/// The classes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There are no credentials.
    Missing,
    /// The credentials are not valid.
    Invalid,
    /// The credentials are malformed or sent in a wrong way.
    Malformed,
    /// The principal does not have the scopes.
    Scope,
    /// The credentials cannot be checked now.
    Unavailable,
}

/// The time after which a client may try again while its credentials cannot be checked.
const PAUSE: Duration = Duration::from_secs(5);

impl Denial {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Denial {
        Denial {
            reason,
            detail: detail.into(),
            scopes: Vec::new(),
        }
    }

    /// The token or the key is not valid.
    pub(super) fn invalid(detail: impl Into<String>) -> Denial {
        Denial::new(Reason::Invalid, detail)
    }

    /// The request is malformed.
    pub(super) fn malformed(detail: impl Into<String>) -> Denial {
        Denial::new(Reason::Malformed, detail)
    }

    /// The status (OAuth 2.1 §5.3).
    pub fn status(&self) -> StatusCode {
        match self.reason {
            Reason::Missing | Reason::Invalid => StatusCode::UNAUTHORIZED,
            Reason::Malformed => StatusCode::BAD_REQUEST,
            Reason::Scope => StatusCode::FORBIDDEN,
            Reason::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The name on the wire and in the log.
    pub fn class(&self) -> &'static str {
        match self.reason {
            Reason::Missing => "unauthenticated",
            Reason::Invalid => "invalid_token",
            Reason::Malformed => "invalid_request",
            Reason::Scope => "insufficient_scope",
            Reason::Unavailable => "authentication_unavailable",
        }
    }

    /// The code of OAuth in a challenge; a request without credentials gets none (RFC 6750 §3.1).
    pub(super) fn oauth_error(&self) -> Option<&'static str> {
        match self.reason {
            Reason::Missing | Reason::Unavailable => None,
            Reason::Invalid | Reason::Malformed | Reason::Scope => Some(self.class()),
        }
    }

    /// The error of a call.
    pub fn error(&self) -> Error {
        match self.reason {
            Reason::Scope => Error::insufficient_scope(&self.detail),
            Reason::Unavailable => Error::busy(&self.detail).retry_after(Some(PAUSE)),
            _ => Error::unauthenticated(&self.detail),
        }
    }
}
