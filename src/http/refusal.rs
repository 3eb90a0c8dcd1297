//! Why a request reached no function, before a protocol puts it into its own form.

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};

/// Why a request reached no function.
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable name of what went wrong.
    pub class: &'static str,
    /// What was wrong, and what to do.
    pub detail: String,
    /// What the answer says of it beside, for programs.
    pub header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal with that status, stable name, and sentence of what was wrong and what to do.
    pub fn new(status: StatusCode, class: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal {
            status,
            class,
            detail: detail.into(),
            header: None,
        }
    }

    /// There is no room for the request now.
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
