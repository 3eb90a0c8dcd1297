//! The refusal of a request that reaches no function, before a protocol encodes it in its own form.

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};

/// Why a request reached no function.
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable name of the problem.
    pub class: &'static str,
    /// What was wrong, and what to do.
    pub detail: String,
    /// An additional header of the response, for programs.
    pub header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal with that status, stable name, and sentence about the problem and the remedy.
    pub fn new(status: StatusCode, class: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal {
            status,
            class,
            detail: detail.into(),
            header: None,
        }
    }

    /// The process has no memory for the request now.
    pub fn busy(detail: impl Into<String>) -> Refusal {
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        refusal.with(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The same with a header.
    pub fn with(self, name: HeaderName, value: HeaderValue) -> Refusal {
        let header = Some((name, value));
        Refusal { header, ..self }
    }
}
