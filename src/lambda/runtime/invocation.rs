//! One invocation, as the Runtime API delivers it.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::lambda::events::ping;
use crate::lambda::runtime::api::ApiError;

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const TRACE: &str = "lambda-runtime-trace-id";
/// Distinguishes a response from a late one to an earlier attempt; it is sent back unchanged.
const INVOCATION: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// One invocation.
pub(crate) struct Invocation {
    pub(crate) id: String,
    /// The time that is left, where the platform gives a deadline.
    pub(crate) time_left: Option<Duration>,
    /// The X-Ray trace header.
    pub(crate) trace: Option<HeaderValue>,
    pub(crate) payload: Bytes,
    echo: Option<HeaderValue>,
    is_ping: bool,
}

impl Invocation {
    /// Reads the response to `next`.
    ///
    /// # Errors
    /// The invocation has no id, so it cannot be answered.
    pub(crate) fn read(response: Response<Bytes>) -> Result<Invocation, ApiError> {
        let (parts, payload) = response.into_parts();
        let text = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let id =
            text(REQUEST_ID).ok_or_else(|| format!("an invocation came without `{REQUEST_ID}`"))?;
        Ok(Invocation {
            id: id.to_owned(),
            time_left: text(DEADLINE).and_then(time_left),
            trace: parts.headers.get(TRACE).cloned(),
            is_ping: text(CLIENT_CONTEXT).is_some_and(ping::is_declared_in),
            payload,
            echo: parts.headers.get(INVOCATION).cloned(),
        })
    }

    /// Whether its client context declares a warm-up ping.
    pub(crate) fn is_ping(&self) -> bool {
        self.is_ping
    }

    /// The headers that its response must repeat.
    pub(crate) fn headers(&self) -> HeaderMap {
        let echo = self.echo.iter().map(|echo| (INVOCATION, echo.clone()));
        echo.collect()
    }
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
