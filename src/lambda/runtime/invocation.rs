//! One invocation, as the Runtime API delivers it.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use lambda_runtime::LambdaInvocation;

use crate::lambda::events::ping;
use crate::lambda::runtime::api::ApiError;

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const TRACE: &str = "lambda-runtime-trace-id";
/// Distinguishes a response from a late one to an earlier attempt; it is sent back unchanged.
const ATTEMPT: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// One invocation.
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) payload: Bytes,
    headers: HeaderMap,
}

impl Invocation {
    /// Reads the response to a request of our own for the next invocation.
    ///
    /// # Errors
    /// The invocation has no id, so it cannot be answered.
    pub(crate) fn read(response: Response<Bytes>) -> Result<Invocation, ApiError> {
        let (parts, payload) = response.into_parts();
        let id = text(&parts.headers, REQUEST_ID);
        let id = id.ok_or_else(|| format!("an invocation came without `{REQUEST_ID}`"))?;
        Ok(Invocation {
            id: id.to_owned(),
            payload,
            headers: parts.headers,
        })
    }

    /// The time that is left, where the platform gives a deadline.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        text(&self.headers, DEADLINE).and_then(time_left)
    }

    /// The X-Ray trace header.
    pub(crate) fn trace(&self) -> Option<HeaderValue> {
        self.headers.get(TRACE).cloned()
    }

    /// Whether its client context declares a warm-up ping.
    pub(crate) fn is_ping(&self) -> bool {
        text(&self.headers, CLIENT_CONTEXT).is_some_and(ping::is_declared_in)
    }

    /// The headers that its response must repeat.
    pub(crate) fn repeated_headers(&self) -> HeaderMap {
        let attempt = self.headers.get(ATTEMPT).cloned();
        attempt.map(|it| (ATTEMPT, it)).into_iter().collect()
    }
}

impl From<LambdaInvocation> for Invocation {
    fn from(invocation: LambdaInvocation) -> Invocation {
        Invocation {
            id: invocation.context.request_id,
            payload: invocation.body,
            headers: invocation.parts.headers,
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The time until `deadline`, which is in milliseconds since 1970. Emulators without deadlines send one in 1970.
fn time_left(deadline: &str) -> Option<Duration> {
    const DAY: Duration = Duration::from_secs(86_400);
    let deadline =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline.parse().ok()?))?;
    match deadline.duration_since(SystemTime::now()) {
        Ok(left) => Some(left.min(DAY)),
        Err(past) if past.duration() > DAY => None,
        Err(_) => Some(Duration::ZERO),
    }
}
