//! Errors: a message for the caller, and a source that only the log shows.

mod caller;
mod capability;
mod detail;
pub(crate) mod excerpt;
mod foreign;
pub(crate) mod json_path;
#[cfg(test)]
mod json_path_tests;
mod kind;
mod own;
pub(crate) mod suggestion;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::value::RawValue;

use excerpt::{beginning, excerpt};

pub(crate) use capability::Capabilities;
pub use capability::Capability;
pub use detail::{Detail, UpstreamStatus};
pub use kind::{CustomKind, Kind};

/// The result of a tool and of everything a tool calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed call. Cheap to move: one pointer.
///
/// The caller gets kind, message, field, upstream and data on every protocol. The source, set with [`Error::with_source`], is
/// only logged, at debug level.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    field: Option<String>,
    capability: Option<Capability>,
    upstream: Option<UpstreamStatus>,
    retry_after: Option<Duration>,
    data: Option<Box<RawValue>>,
    tries: u32,
    /// What the upstream said, which its caller may read and no other.
    response: Option<Box<Response<Bytes>>>,
    /// The result by which another MCP server reports the failure.
    result: Option<Box<RawValue>>,
    source: Option<Source>,
}

impl Error {
    /// An argument is wrong; `field` is its JSON path (`$` for the arguments as a whole), of which an excerpt is kept.
    pub fn invalid_argument(field: impl Into<String>, problem: impl fmt::Display) -> Error {
        let field: String = field.into();
        let message = format!("`{}`: {problem}", excerpt(&field));
        let mut error = Error::new(Kind::InvalidArgument, message);
        error.0.field = Some(beginning(&field).into_owned());
        error
    }

    /// The thing that the arguments name does not exist.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(Kind::NotFound, message)
    }

    /// The server has no such function.
    pub fn unknown_function(message: impl Into<String>) -> Error {
        Error::new(Kind::UnknownFunction, message)
    }

    /// The function itself reports a failure.
    pub fn failed(message: impl Into<String>) -> Error {
        Error::new(Kind::Failed, message)
    }

    /// The client did not declare `capability`, which the function needs.
    pub fn missing_capability(capability: Capability) -> Error {
        let mut error = Error::new(
            Kind::MissingCapability,
            format!(
                "this call needs the capability `{}`; use an MCP client that declares it",
                capability.as_str()
            ),
        );
        error.0.capability = Some(capability);
        error
    }

    /// The client gave no usable answer to the question `key`.
    pub fn unanswered(key: &str, problem: impl fmt::Display) -> Error {
        Error::new(
            Kind::Unanswered,
            format!("the question `{key}` to the client {problem}"),
        )
    }

    /// A defect of this server; the message says what could not be done.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Kind::Internal, message)
    }

    /// The call's time limit was reached before the function ended.
    pub fn deadline_exceeded() -> Error {
        Error::new(
            Kind::DeadlineExceeded,
            "the time limit of this call was reached before a result was ready",
        )
    }

    /// The store of short-lived records cannot be used now; the message says why.
    pub fn store_unavailable(message: impl Into<String>) -> Error {
        Error::new(Kind::StoreUnavailable, message)
    }

    /// A value has more bytes than the store accepts.
    pub fn value_too_large(bytes: usize, most: usize) -> Error {
        let message = format!("a value of {bytes} bytes cannot be stored; the limit is {most}");
        Error::new(Kind::ValueTooLarge, message)
    }

    /// A result has more bytes than a message to the client may have.
    pub fn answer_too_large(bytes: usize, most: usize) -> Error {
        let message = format!(
            "the answer has {bytes} bytes, and a message may have {most} here; ask for less, or over HTTP"
        );
        Error::too_large(message)
    }

    /// A result is too large for the client or for something between; the message says for which.
    pub(crate) fn too_large(message: impl Into<String>) -> Error {
        Error::new(Kind::AnswerTooLarge, message)
    }

    /// A result has more bytes than are left for the response to its request.
    pub(crate) fn response_too_large(left: usize, most: usize) -> Error {
        let message = format!(
            "the answer is too large: {left} of {most} bytes are left for the response to this request; ask for less"
        );
        Error::too_large(message)
    }

    /// A request has reached its limit of calls.
    pub(crate) fn too_many_calls(most: u32) -> Error {
        let message = format!(
            "this request has made {most} calls, which is the limit; send the others in another request"
        );
        Error::new(Kind::TooManyCalls, message).tries(0)
    }

    /// The server accepts no more calls of this client now; the message says why.
    pub fn busy(message: impl Into<String>) -> Error {
        Error::new(Kind::Busy, message)
    }

    /// The server is stopping; `what` says what cannot be done.
    pub(crate) fn stopping(what: impl fmt::Display) -> Error {
        Error::busy(format!("{what}: the server is stopping; call again"))
    }

    /// An upstream request failed.
    pub fn upstream(kind: Kind, origin: UpstreamStatus, problem: impl fmt::Display) -> Error {
        let mut error = Error::new(kind, format!("upstream `{}` {problem}", origin.name));
        error.0.upstream = Some(origin);
        error
    }

    /// An upstream's response is well-formed but contains something impossible.
    pub fn invalid_response(
        upstream: impl Into<Cow<'static, str>>,
        problem: impl fmt::Display,
    ) -> Error {
        let origin = UpstreamStatus {
            name: upstream.into(),
            status: Some(200),
        };
        Error::upstream(Kind::UpstreamInvalidResponse, origin, problem)
    }

    /// Sets the source, for the log.
    pub fn with_source(mut self, source: impl Into<Source>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// Sets the time until another try may succeed.
    pub fn retry_after(mut self, wait: impl Into<Option<Duration>>) -> Error {
        self.0.retry_after = wait.into();
        self
    }

    /// Appends to the message.
    pub fn with_context(mut self, more: impl AsRef<str>) -> Error {
        self.0.message.push_str(more.as_ref());
        self
    }

    /// Sets the number of tries.
    pub fn tries(mut self, tries: u32) -> Error {
        self.0.tries = tries;
        self
    }

    /// Turns `NotFound` into a failure of the upstream, for a path that always exists: the caller named nothing missing.
    pub fn must_exist(mut self) -> Error {
        if self.0.kind == Kind::NotFound {
            let name = self.0.upstream.as_ref().map_or("", |it| &it.name);
            self.0.kind = Kind::UpstreamError;
            self.0.message = format!("upstream `{name}` answered with HTTP 404");
        }
        self
    }

    /// A copy without the source, for a second result that depends on the same failure.
    pub fn again(&self) -> Error {
        Error(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            field: self.0.field.clone(),
            capability: self.0.capability,
            upstream: self.0.upstream.clone(),
            retry_after: self.0.retry_after,
            data: self.0.data.clone(),
            tries: self.0.tries,
            response: self.0.response.clone(),
            result: self.0.result.clone(),
            source: None,
        }))
    }

    /// The kind of the failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The JSON path of the argument at fault.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The capability that the client should have declared.
    pub fn capability(&self) -> Option<Capability> {
        self.0.capability
    }

    /// The upstream at fault.
    pub fn upstream_status(&self) -> Option<&UpstreamStatus> {
        self.0.upstream.as_ref()
    }

    /// The first 64 KiB of what the upstream said when it refused the request. No caller sees it, unless the function
    /// says it in an error of its own.
    ///
    /// ```
    /// # use bifold::{Context, Error, Result, upstream::Upstream};
    /// # async fn add(cx: Context, api: &Upstream) -> Result<()> {
    /// let added = cx.upstream(api).post("/notes").body(&"a note").json::<u64>().await;
    /// added.map_err(|error| match error.upstream_body() {
    ///     Some(body) if body.starts_with(b"full") => Error::failed("the notebook is full"),
    ///     _ => error,
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upstream_body(&self) -> Option<&[u8]> {
        self.0.response.as_ref().map(|it| it.body().as_ref())
    }

    /// The response with which the upstream refused the request.
    pub(crate) fn upstream_response(&self) -> Option<&Response<Bytes>> {
        self.0.response.as_deref()
    }

    /// Sets the response with which the upstream refused the request.
    pub(crate) fn with_response(mut self, response: Response<Bytes>) -> Error {
        self.0.response = Some(Box::new(response));
        self
    }

    /// The result by which another MCP server reports the failure; MCP clients get it as it is.
    pub(crate) fn foreign(&self) -> Option<&RawValue> {
        self.0.result.as_deref()
    }

    /// Sets the result by which another MCP server reports the failure.
    pub(crate) fn with_foreign(mut self, result: Box<RawValue>) -> Error {
        self.0.result = Some(result);
        self
    }

    /// The time until another try may succeed, if the upstream gave one.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The number of tries.
    pub fn attempts(&self) -> u32 {
        self.0.tries
    }

    /// Whether an upstream answered with a status of 500 or more.
    pub fn is_server_failure(&self) -> bool {
        let status = self.0.upstream.as_ref().and_then(|it| it.status);
        self.0.kind == Kind::UpstreamError && status.is_some_and(|status| status >= 500)
    }

    /// Whether an upstream gave no complete response.
    pub fn is_unreachable(&self) -> bool {
        let kind = self.0.kind;
        matches!(kind, Kind::UpstreamUnreachable | Kind::UpstreamTimeout)
    }

    /// Whether the same call may succeed later without a change.
    pub fn retryable(&self) -> bool {
        match self.0.kind {
            Kind::RateLimited
            | Kind::UpstreamUnavailable
            | Kind::UpstreamUnreachable
            | Kind::UpstreamTimeout
            | Kind::DeadlineExceeded
            | Kind::StoreUnavailable
            | Kind::TooManyRequests
            | Kind::Busy => true,
            Kind::UpstreamError => self
                .0
                .upstream
                .as_ref()
                .and_then(|it| it.status)
                .is_some_and(|status| status >= 500),
            Kind::Custom(kind) => {
                let status = kind.status();
                self.0.retry_after.is_some() || matches!(status, 429 | 503)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}
