//! One invocation, as the platform hands it out.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::lambda::events::ping;
use crate::lambda::runtime::api::ApiError;

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const TRACE: &str = "lambda-runtime-trace-id";
/// What tells an answer from a late one to an earlier attempt; it goes back as it came.
const INVOCATION: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// One invocation.
pub(crate) struct Invocation {
    pub(crate) id: String,
    /// What is left of its time, if the platform says.
    pub(crate) time_left: Option<Duration>,
    /// The header of X-Ray.
    pub(crate) trace: Option<HeaderValue>,
    pub(crate) payload: Bytes,
    echo: Option<HeaderValue>,
    is_ping: bool,
}

impl Invocation {
    /// Reads what `next` has answered.
    ///
    /// # Errors
    /// It has no id, under which it could be answered.
    pub(crate) fn read(response: Response<Bytes>) -> Result<Invocation, ApiError> {
        let (parts, payload) = response.into_parts();
        let text = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let id =
            text(REQUEST_ID).ok_or_else(|| format!("an invocation came without `{REQUEST_ID}`"))?;
        Ok(Invocation {
            id: id.to_owned(),
            time_left: text(DEADLINE).and_then(time_left),
            trace: parts.headers.get(TRACE).cloned(),
            is_ping: text(CLIENT_CONTEXT).is_some_and(ping::is_said),
            payload,
            echo: parts.headers.get(INVOCATION).cloned(),
        })
    }

    /// Whether its caller says that it only keeps the function warm.
    pub(crate) fn is_ping(&self) -> bool {
        self.is_ping
    }

    /// What goes back with its answer.
    pub(crate) fn headers(&self) -> HeaderMap {
        let echo = self.echo.iter().map(|echo| (INVOCATION, echo.clone()));
        echo.collect()
    }
}

/// What is left until `deadline`, in milliseconds since 1970. Emulators give deadlines of that year, which is none.
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
