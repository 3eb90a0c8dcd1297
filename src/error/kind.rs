//! The kinds of failure, which are part of the public contract.

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
            Kind::Unauthenticated => "unauthenticated",
            Kind::InsufficientScope => "insufficient_scope",
            Kind::TooManyRequests => "too_many_requests",
            Kind::Internal => "internal",
        }
    }
}
