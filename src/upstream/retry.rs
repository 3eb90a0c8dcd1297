//! When a failed request is tried again, and after which wait.

use std::time::Duration;

use tower::retry::budget::{Budget, TpsBudget};

use crate::deadline::Deadline;
use crate::error::{Error, Kind};

/// The first wait is at most this; each further one at most twice the one before.
const BASE: Duration = Duration::from_millis(100);
/// The share of requests that may be retries, beside one a second.
const SHARE: f32 = 0.2;

/// The retries of one upstream.
pub(super) struct Retry {
    tries: u32,
    budget: TpsBudget,
}

impl Retry {
    /// At most so many tries of one request, the first one included.
    pub(super) fn new(tries: u32) -> Retry {
        Retry {
            tries,
            budget: TpsBudget::new(Duration::from_secs(10), 1, SHARE),
        }
    }

    /// Counts a request, which pays for retries to come.
    pub(super) fn started(&self) {
        self.budget.deposit();
    }

    /// The wait before the next try; none where the failure is for good, or time or budget do not allow for one.
    pub(super) fn wait(&self, error: &Error, tries: u32, deadline: Deadline) -> Option<Duration> {
        if tries >= self.tries || !is_transient(error) {
            return None;
        }
        // Full jitter: many who failed at the same moment must not come back at the same moment.
        let backoff = BASE
            .saturating_mul(1 << (tries - 1).min(16))
            .mul_f64(fastrand::f64());
        let wait = error.wait().unwrap_or(backoff).max(backoff);
        (wait < deadline.remaining() && self.budget.withdraw()).then_some(wait)
    }
}

/// What may be different the next time: no connection, no answer in time, HTTP 429 and 502 to 504.
pub(super) fn is_transient(error: &Error) -> bool {
    match error.kind() {
        Kind::UpstreamUnreachable | Kind::UpstreamTimeout | Kind::RateLimited => true,
        Kind::UpstreamError => matches!(error.origin().and_then(|it| it.status), Some(502..=504)),
        _ => false,
    }
}
