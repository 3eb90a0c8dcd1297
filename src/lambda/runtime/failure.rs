//! The failure of an invocation, as it is posted to the platform.

use std::fmt;

use http::HeaderValue;
use serde::Serialize;

use crate::error::Error;
use crate::telemetry::cause;

/// Why an invocation or the start of the function failed. Serializes as the Runtime API expects it.
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

    /// The kind in the form of the platform's metrics.
    pub(crate) fn category(&self) -> HeaderValue {
        let category = format!("Function.{}", self.error_type);
        HeaderValue::try_from(category).unwrap_or(HeaderValue::from_static("Function.Unknown"))
    }

    /// The function cannot start.
    pub(crate) fn start(reason: &str) -> Failure {
        Failure::new("StartFailed", reason)
    }

    /// The event comes from an unknown source.
    pub(crate) fn unknown_event() -> Failure {
        Failure::new(
            "UnknownEvent",
            "the event is neither an HTTP request of a Function URL, of API Gateway (payload format 2.0 or 1.0) or of an \
             Application Load Balancer, nor an event of a WebSocket API; invoke this function through one of them",
        )
    }

    /// A message to a WebSocket client could not be delivered.
    pub(crate) fn undelivered(error: Error) -> Failure {
        cause("lambda", &error);
        Failure::new("Undelivered", error.message())
    }

    /// The response was incomplete at the deadline of its invocation.
    pub(crate) fn deadline_exceeded() -> Failure {
        Failure::new(
            "DeadlineExceeded",
            "the time limit was reached before the response was complete; request less at a time",
        )
    }

    /// The process was shut down before the response was complete.
    pub(crate) fn stopped() -> Failure {
        Failure::new(
            "Stopped",
            "the server is shutting down and the response is incomplete; try again",
        )
    }

    /// A panic outside of the functions. Its message may contain arguments, so it is not passed on.
    pub(crate) fn panicked() -> Failure {
        Failure::new("Panic", "the server has a defect; its log has the details")
    }

    /// The body of the response ended with an error.
    pub(crate) fn interrupted() -> Failure {
        Failure::new("BrokenAnswer", "the response broke off; try again")
    }

    /// A call that another invocation began could not be resumed.
    pub(crate) fn not_resumed(error: Error) -> Failure {
        Failure::new("NotResumed", error.message())
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
