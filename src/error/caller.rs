//! Errors that refuse the caller of a function.

use std::time::Duration;

use super::{Error, Kind};

impl Error {
    /// The caller is not authenticated; the message says how it can be.
    pub fn unauthenticated(message: impl Into<String>) -> Error {
        Error::new(Kind::Unauthenticated, message).tries(0)
    }

    /// The caller does not have the scopes that are needed, which the message names.
    pub fn insufficient_scope(message: impl Into<String>) -> Error {
        Error::new(Kind::InsufficientScope, message).tries(0)
    }

    /// The caller has reached its rate limit, and may call again after `wait`.
    pub fn rate_limit_reached(message: impl Into<String>, wait: Duration) -> Error {
        let error = Error::new(Kind::TooManyRequests, message).tries(0);
        error.retry_after(Some(wait))
    }
}
