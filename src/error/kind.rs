//! The classes of failure, which are part of the public contract.

/// The stable class of a failure; its name is part of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An argument is missing, unknown, of a wrong type or out of range.
    InvalidArgument,
    /// What the arguments name does not exist.
    NotFound,
    /// No function of that name or path is served here.
    UnknownFunction,
    /// The function itself reports a failure.
    Failed,
    /// An upstream asked for fewer requests.
    RateLimited,
    /// An upstream has failed again and again and is left alone for a moment.
    UpstreamUnavailable,
    /// An upstream could not be reached, or broke the connection.
    UpstreamUnreachable,
    /// An upstream did not answer in time.
    UpstreamTimeout,
    /// An upstream answered with an error status.
    UpstreamError,
    /// An upstream answered with something that is not what it promised.
    UpstreamInvalidResponse,
    /// The client cannot do, or did not declare, what the function asks of it.
    MissingCapability,
    /// The client was asked and did not give an answer that can be used.
    Unanswered,
    /// The time limit of the call was reached.
    DeadlineExceeded,
    /// The store of short-lived records could not be reached, or is full.
    StoreUnavailable,
    /// A value is larger than the store of short-lived records takes.
    ValueTooLarge,
    /// An answer is larger than what carries it to the client.
    AnswerTooLarge,
    /// One request makes more calls than it may.
    TooManyCalls,
    /// The server takes no more calls of this client now.
    Busy,
    /// A defect of this server.
    Internal,
}

impl Kind {
    /// The kind's name on the wire and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
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
            Kind::Internal => "internal",
        }
    }
}
