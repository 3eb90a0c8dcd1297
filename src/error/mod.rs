//! What went wrong: an outside that the caller may read and an inside that only the log may.

mod capability;
pub(crate) mod excerpt;
mod kind;
pub(crate) mod suggestion;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use excerpt::{beginning, excerpt};

pub(crate) use capability::Capabilities;
pub use capability::Capability;
pub use kind::Kind;

/// The result of a tool and of everything a tool calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed call. Cheap to move: one pointer.
///
/// The outside (kind, sentence, field, upstream) reaches the caller on every protocol;
/// the inside, kept with [`Error::with_source`], reaches the log at debug level only.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    outside: String,
    field: Option<String>,
    capability: Option<Capability>,
    upstream: Option<UpstreamStatus>,
    retry_after: Option<Duration>,
    tries: u32,
    inside: Option<Source>,
}

/// The upstream at fault and the HTTP status it answered with, if it did.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UpstreamStatus {
    /// The upstream's configured name.
    pub name: &'static str,
    /// Its HTTP status; absent where no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// The machine-readable half of an error, the same on every protocol.
#[derive(Serialize, JsonSchema)]
pub struct Detail<'a> {
    /// The stable class of the failure.
    kind: &'static str,
    /// The JSON path of the argument at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The upstream at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<UpstreamStatus>,
    /// Whether the same call may succeed later.
    retryable: bool,
    /// When it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl Error {
    fn new(kind: Kind, outside: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            outside: outside.into(),
            field: None,
            capability: None,
            upstream: None,
            retry_after: None,
            tries: 1,
            inside: None,
        }))
    }

    /// An argument is wrong; `field` is its JSON path (`$` for the arguments as a whole), of which an excerpt is kept.
    pub fn invalid_argument(field: impl Into<String>, problem: impl fmt::Display) -> Error {
        let field: String = field.into();
        let message = format!("`{}`: {problem}", excerpt(&field));
        let mut error = Error::new(Kind::InvalidArgument, message);
        error.0.field = Some(beginning(&field).into_owned());
        error
    }

    /// What the arguments name does not exist.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(Kind::NotFound, message)
    }

    /// No function answers to `name`.
    pub fn unknown_function(message: impl Into<String>) -> Error {
        Error::new(Kind::UnknownFunction, message)
    }

    /// The function ran and reports a failure of its own.
    pub fn failed(message: impl Into<String>) -> Error {
        Error::new(Kind::Failed, message)
    }

    /// The client did not declare `capability`, which the function needs.
    pub fn missing_capability(capability: Capability) -> Error {
        let mut error = Error::new(
            Kind::MissingCapability,
            format!(
                "this call asks its client for `{}`, which only an MCP client that declares it can give",
                capability.as_str()
            ),
        );
        error.0.capability = Some(capability);
        error
    }

    /// The client was asked for `key` and did not answer as it should.
    pub fn unanswered(key: &str, problem: impl fmt::Display) -> Error {
        Error::new(
            Kind::Unanswered,
            format!("the question `{key}` to the client {problem}"),
        )
    }

    /// A defect of this server; the sentence says what could not be done.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Kind::Internal, message)
    }

    /// The call's time limit was reached before the function ended.
    pub fn deadline_exceeded() -> Error {
        Error::new(
            Kind::DeadlineExceeded,
            "the time limit of this call was reached before an answer was ready",
        )
    }

    /// The store of short-lived records cannot be used now; the sentence says why.
    pub fn store_unavailable(message: impl Into<String>) -> Error {
        Error::new(Kind::StoreUnavailable, message)
    }

    /// A value has more bytes than the store takes.
    pub fn value_too_large(bytes: usize, most: usize) -> Error {
        let message = format!("a value of {bytes} bytes cannot be kept; {most} are the most");
        Error::new(Kind::ValueTooLarge, message)
    }

    /// An answer has more bytes than a message to the client may have.
    pub fn answer_too_large(bytes: usize, most: usize) -> Error {
        let message = format!(
            "the answer has {bytes} bytes, and a message may have {most} here; ask for less, or over HTTP"
        );
        Error::too_large(message)
    }

    /// An answer is too large for somebody on its way; the sentence says for whom.
    pub(crate) fn too_large(message: impl Into<String>) -> Error {
        Error::new(Kind::AnswerTooLarge, message)
    }

    /// An answer has more bytes than are left for the response of its request.
    pub(crate) fn response_too_large(left: usize, most: usize) -> Error {
        let message = format!(
            "the answer is too large: {left} of {most} bytes are left for the response to this request; ask for less"
        );
        Error::too_large(message)
    }

    /// A request has made all the calls that it may.
    pub(crate) fn too_many_calls(most: u32) -> Error {
        let message = format!(
            "this request has made {most} calls, as many as one may: send the others in another request"
        );
        Error::new(Kind::TooManyCalls, message).tries(0)
    }

    /// The server takes no more calls of this client now; the sentence says why.
    pub fn busy(message: impl Into<String>) -> Error {
        Error::new(Kind::Busy, message)
    }

    /// The server is stopping, so what the sentence says.
    pub(crate) fn stopping(what: impl fmt::Display) -> Error {
        Error::busy(format!("{what}: the server is stopping; call again"))
    }

    /// An upstream failed the call.
    pub fn upstream(kind: Kind, origin: UpstreamStatus, problem: impl fmt::Display) -> Error {
        let mut error = Error::new(kind, format!("upstream `{}` {problem}", origin.name));
        error.0.upstream = Some(origin);
        error
    }

    /// An upstream answered well in form, and with something that cannot be.
    pub fn invalid_response(upstream: &'static str, problem: impl fmt::Display) -> Error {
        let origin = UpstreamStatus {
            name: upstream,
            status: Some(200),
        };
        Error::upstream(Kind::UpstreamInvalidResponse, origin, problem)
    }

    /// Keeps the cause for the log.
    pub fn with_source(mut self, inside: impl Into<Source>) -> Error {
        self.0.inside = Some(inside.into());
        self
    }

    /// Says when another try may succeed.
    pub fn retry_after(mut self, wait: Option<Duration>) -> Error {
        self.0.retry_after = wait;
        self
    }

    /// Adds to the sentence.
    pub fn with_context(mut self, more: impl AsRef<str>) -> Error {
        self.0.outside.push_str(more.as_ref());
        self
    }

    /// Says how often it was tried.
    pub fn tries(mut self, tries: u32) -> Error {
        self.0.tries = tries;
        self
    }

    /// A 404 for what is always there is the upstream's failure: nothing that the caller named is missing.
    pub fn must_exist(mut self) -> Error {
        if self.0.kind == Kind::NotFound {
            let name = self.0.upstream.map_or("", |origin| origin.name);
            self.0.kind = Kind::UpstreamError;
            self.0.outside = format!("upstream `{name}` answered with HTTP 404");
        }
        self
    }

    /// The same failure once more, for a second result that depends on what failed; the cause stays with the first.
    pub fn again(&self) -> Error {
        Error(Box::new(Inner {
            kind: self.0.kind,
            outside: self.0.outside.clone(),
            field: self.0.field.clone(),
            capability: self.0.capability,
            upstream: self.0.upstream,
            retry_after: self.0.retry_after,
            tries: self.0.tries,
            inside: None,
        }))
    }

    /// The stable class of the failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The sentence for the caller.
    pub fn message(&self) -> &str {
        &self.0.outside
    }

    /// The JSON path of the argument at fault.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What the client should have declared.
    pub fn capability(&self) -> Option<Capability> {
        self.0.capability
    }

    /// The upstream at fault.
    pub fn upstream_status(&self) -> Option<UpstreamStatus> {
        self.0.upstream
    }

    /// When another try may succeed, if the upstream said so.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The cause, for the log.
    pub fn inside(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.0.inside.as_deref()
    }

    /// How often what failed was tried.
    pub fn attempts(&self) -> u32 {
        self.0.tries
    }

    /// Whether an upstream answered with a status of 500 or more.
    pub fn is_server_failure(&self) -> bool {
        let status = self.0.upstream.and_then(|it| it.status);
        self.0.kind == Kind::UpstreamError && status.is_some_and(|status| status >= 500)
    }

    /// Whether an upstream gave no answer, or none that came to its end.
    pub fn is_silence(&self) -> bool {
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
            | Kind::Busy => true,
            Kind::UpstreamError => self
                .0
                .upstream
                .and_then(|it| it.status)
                .is_some_and(|status| status >= 500),
            _ => false,
        }
    }

    /// The machine-readable half.
    pub fn detail(&self) -> Detail<'_> {
        Detail {
            kind: self.0.kind.as_str(),
            field: self.field(),
            upstream: self.0.upstream,
            retryable: self.retryable(),
            retry_after_ms: self.0.retry_after.map(|wait| wait.as_millis() as u64),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.outside)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outside", &self.0.outside)
            .field("inside", &self.0.inside)
            .finish()
    }
}

impl std::error::Error for Error {}
