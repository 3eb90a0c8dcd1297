//! An invocation that has no answer, in the words that the platform takes for it.

use std::fmt;

use http::HeaderValue;
use serde::Serialize;

use crate::error::Error;
use crate::telemetry::cause;

/// Why an invocation, or the start of the function, has no answer. Serialises as the Runtime API wants it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    error_type: &'static str,
    error_message: String,
}

impl Failure {
    /// The kind of failure, in one word, for the log.
    pub fn kind(&self) -> &'static str {
        self.error_type
    }

    /// The kind in the form that the platform counts by.
    pub(crate) fn category(&self) -> HeaderValue {
        let category = format!("Function.{}", self.error_type);
        HeaderValue::try_from(category).unwrap_or(HeaderValue::from_static("Function.Unknown"))
    }

    /// The function cannot start.
    pub(crate) fn start(reason: &str) -> Failure {
        Failure::new("StartFailed", reason)
    }

    /// The event comes from none of the integrations.
    pub(crate) fn unknown_event() -> Failure {
        Failure::new(
            "UnknownEvent",
            "the event is no HTTP request of a Function URL, of API Gateway (payload format 2.0 or 1.0) or of an \
             Application Load Balancer, and none of a WebSocket API; invoke this function through one of them",
        )
    }

    /// What is said to a client of a WebSocket does not reach it.
    pub(crate) fn undelivered(error: Error) -> Failure {
        cause("lambda", &error);
        Failure::new("Undelivered", error.message())
    }

    /// The answer was not whole when the time of its invocation was up.
    pub(crate) fn deadline_exceeded() -> Failure {
        Failure::new(
            "DeadlineExceeded",
            "the time limit was reached before the answer was whole; ask for less at a time",
        )
    }

    /// The process was told to end before the answer was whole.
    pub(crate) fn stopped() -> Failure {
        Failure::new(
            "Stopped",
            "the server is being stopped and the answer is not whole; ask again",
        )
    }

    /// A panic outside every function. Its message may repeat arguments, so it is not told.
    pub(crate) fn panicked() -> Failure {
        Failure::new(
            "Panic",
            "the server failed in a way it was not written for; the defect was logged",
        )
    }

    /// The body of the answer ended with an error.
    pub(crate) fn broken() -> Failure {
        Failure::new("BrokenAnswer", "the answer broke off; ask again")
    }

    /// What another invocation began could not be gone on with.
    pub(crate) fn again(error: Error) -> Failure {
        Failure::new("NotGoneOn", error.message())
    }

    fn new(error_type: &'static str, error_message: &str) -> Failure {
        Failure {
            error_type,
            error_message: error_message.to_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error_message)
    }
}

impl std::error::Error for Failure {}
