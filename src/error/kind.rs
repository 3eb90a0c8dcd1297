//! The kinds of failure, which are part of the public contract: those of the library, and the application's own.

use http::StatusCode;

/// The kind of a failure; its name is stable and part of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An argument is missing, unknown, of a wrong type or out of range.
    InvalidArgument,
    /// The thing that the arguments name does not exist.
    NotFound,
    /// The server has no function with this name or path.
    UnknownFunction,
    /// The function itself reports a failure.
    Failed,
    /// An upstream asked for fewer requests.
    RateLimited,
    /// An upstream has failed repeatedly, so it gets no requests for a moment (circuit breaker).
    UpstreamUnavailable,
    /// An upstream could not be reached, or broke the connection.
    UpstreamUnreachable,
    /// An upstream did not answer in time.
    UpstreamTimeout,
    /// An upstream answered with an error status.
    UpstreamError,
    /// An upstream's response does not have the promised form.
    UpstreamInvalidResponse,
    /// The client does not have, or did not declare, a capability that the function needs.
    MissingCapability,
    /// The client was asked a question and gave no usable answer.
    Unanswered,
    /// The time limit of the call was reached.
    DeadlineExceeded,
    /// The store of short-lived records could not be reached, or is full.
    StoreUnavailable,
    /// A value is larger than the store of short-lived records accepts.
    ValueTooLarge,
    /// A result is larger than the response to the client may be.
    AnswerTooLarge,
    /// One request makes more calls than the limit.
    TooManyCalls,
    /// The server accepts no more calls of this client now.
    Busy,
    /// The caller is not authenticated.
    Unauthenticated,
    /// The caller does not have the scopes that the function needs.
    InsufficientScope,
    /// The caller has reached its rate limit.
    TooManyRequests,
    /// A defect of this server.
    Internal,
    /// A kind of the application's own ([`Kind::custom`]).
    Custom(CustomKind),
}

/// The name and the HTTP status of a kind that an application has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomKind {
    name: &'static str,
    status: u16,
}

impl CustomKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its HTTP status.
    pub const fn status(self) -> u16 {
        self.status
    }
}

/// The most characters of the name of a kind.
const MAX_NAME: usize = 64;

/// The kinds of the library.
const BUILT_IN: [Kind; 22] = [
    Kind::InvalidArgument,
    Kind::NotFound,
    Kind::UnknownFunction,
    Kind::Failed,
    Kind::RateLimited,
    Kind::UpstreamUnavailable,
    Kind::UpstreamUnreachable,
    Kind::UpstreamTimeout,
    Kind::UpstreamError,
    Kind::UpstreamInvalidResponse,
    Kind::MissingCapability,
    Kind::Unanswered,
    Kind::DeadlineExceeded,
    Kind::StoreUnavailable,
    Kind::ValueTooLarge,
    Kind::AnswerTooLarge,
    Kind::TooManyCalls,
    Kind::Busy,
    Kind::Unauthenticated,
    Kind::InsufficientScope,
    Kind::TooManyRequests,
    Kind::Internal,
];

impl Kind {
    /// A kind of the application's own: an HTTP status from 400 to 599, and a name of `a-z`, `0-9` and `_` that no kind of
    /// the library has. The name is static because metrics have it as a dimension.
    ///
    /// An error of a kind that breaks these rules is reported as [`Kind::Internal`], and a tool that declares one does not
    /// start.
    ///
    /// ```
    /// use bifold::{Error, Kind};
    /// const NOTE_EXISTS: Kind = Kind::custom(409, "note_exists");
    /// let error = Error::new(NOTE_EXISTS, "a note with this title exists");
    /// assert_eq!(error.kind().as_str(), "note_exists");
    /// ```
    pub const fn custom(status: u16, name: &'static str) -> Kind {
        Kind::Custom(CustomKind { name, status })
    }

    /// The HTTP status of the kind.
    pub fn status(self) -> StatusCode {
        match self {
            Kind::InvalidArgument | Kind::TooManyCalls => StatusCode::BAD_REQUEST,
            Kind::NotFound | Kind::UnknownFunction => StatusCode::NOT_FOUND,
            Kind::Failed => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::RateLimited | Kind::UpstreamUnavailable | Kind::StoreUnavailable | Kind::Busy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Kind::UpstreamUnreachable | Kind::UpstreamError | Kind::UpstreamInvalidResponse => {
                StatusCode::BAD_GATEWAY
            }
            Kind::MissingCapability => StatusCode::NOT_IMPLEMENTED,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::InsufficientScope => StatusCode::FORBIDDEN,
            Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Kind::UpstreamTimeout | Kind::Unanswered | Kind::DeadlineExceeded => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Kind::ValueTooLarge | Kind::AnswerTooLarge | Kind::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Kind::Custom(kind) => {
                StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The problem of a kind that breaks the rules of [`Kind::custom`], if it does.
    pub(crate) fn problem(self) -> Option<String> {
        let Kind::Custom(CustomKind { name, status }) = self else {
            return None;
        };
        if !(400..=599).contains(&status) {
            return Some(format!(
                "the error kind `{name}` has the HTTP status {status}: it must be from 400 to 599"
            ));
        }
        if BUILT_IN.iter().any(|kind| kind.as_str() == name) {
            return Some(format!(
                "the error kind `{name}` is one of the library's: choose another name"
            ));
        }
        let is_legal =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name = name.len() <= MAX_NAME
            && name.starts_with(|it: char| it.is_ascii_lowercase())
            && name.bytes().all(is_legal);
        (!is_name).then(|| {
            format!(
                "the error kind `{name}` must be a name of 1 to {MAX_NAME} characters of `a-z`, `0-9`, `_` that begins with a letter"
            )
        })
    }

    /// The kind's name on the wire and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Custom(kind) => kind.name,
            Kind::InvalidArgument => "invalid_argument",
            Kind::NotFound => "not_found",
            Kind::UnknownFunction => "unknown_function",
            Kind::Failed => "failed",
            Kind::RateLimited => "rate_limited",
            Kind::UpstreamUnavailable => "upstream_unavailable",
            Kind::UpstreamUnreachable => "upstream_unreachable",
            Kind::UpstreamTimeout => "upstream_timeout",
            Kind::UpstreamError => "upstream_error",
            Kind::UpstreamInvalidResponse => "upstream_invalid_response",
            Kind::MissingCapability => "missing_capability",
            Kind::Unanswered => "unanswered",
            Kind::DeadlineExceeded => "deadline_exceeded",
            Kind::StoreUnavailable => "store_unavailable",
            Kind::ValueTooLarge => "value_too_large",
            Kind::AnswerTooLarge => "answer_too_large",
            Kind::TooManyCalls => "too_many_calls",
            Kind::Busy => "busy",
            Kind::Unauthenticated => "unauthenticated",
            Kind::InsufficientScope => "insufficient_scope",
            Kind::TooManyRequests => "too_many_requests",
            Kind::Internal => "internal",
        }
    }
}
