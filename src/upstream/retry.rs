//! Whether a failed request is tried again, and after which wait.

use std::time::Duration;

use tower::retry::budget::{Budget, TpsBudget};

use crate::clock::{Backoff, Deadline};
use crate::error::{Error, Kind};

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::MAX);
/// The share of requests that may be retries, beside one per second.
const BUDGET_SHARE: f32 = 0.2;

/// The retries of one path class.
pub(super) struct Retry {
    tries: u32,
    budget: TpsBudget,
}

impl Retry {
    /// At most `tries` of one request, including the first.
    pub(super) fn new(tries: u32) -> Retry {
        Retry {
            tries,
            budget: TpsBudget::new(Duration::from_secs(10), 1, BUDGET_SHARE),
        }
    }

    /// Counts a request, which adds to the retry budget.
    pub(super) fn count_request(&self) {
        self.budget.deposit();
    }

    /// The wait before the next try; `None` if the failure is permanent, or time or budget do not allow another try.
    pub(super) fn wait(&self, error: &Error, tries: u32, deadline: Deadline) -> Option<Duration> {
        if tries >= self.tries || !is_transient(error) {
            return None;
        }
        let backoff = BACKOFF.wait(tries);
        let wait = error.wait().unwrap_or(backoff).max(backoff);
        (wait < deadline.remaining() && self.budget.withdraw()).then_some(wait)
    }
}

/// Failures that may be transient: no connection, timeout, HTTP 429 and 502 to 504.
pub(super) fn is_transient(error: &Error) -> bool {
    match error.kind() {
        Kind::UpstreamUnreachable | Kind::UpstreamTimeout | Kind::RateLimited => true,
        Kind::UpstreamError => matches!(
            error.upstream_status().and_then(|it| it.status),
            Some(502..=504)
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BACKOFF, Retry};
    use crate::clock::Deadline;
    use crate::error::{Error, Kind, UpstreamStatus};

    fn failure(kind: Kind, status: Option<u16>) -> Error {
        Error::upstream(
            kind,
            UpstreamStatus {
                name: "it".into(),
                status,
            },
            "failed",
        )
    }

    fn wait(error: &Error, tries: u32, left: Duration) -> Option<Duration> {
        Retry::new(3).wait(error, tries, Deadline::after(left))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn only_transient_failures_are_retried() {
        let cases = [
            (Kind::UpstreamUnreachable, None, true),
            (Kind::UpstreamTimeout, None, true),
            (Kind::RateLimited, Some(429), true),
            (Kind::UpstreamError, Some(502), true),
            (Kind::UpstreamError, Some(503), true),
            (Kind::UpstreamError, Some(504), true),
            (Kind::UpstreamError, Some(500), false),
            (Kind::UpstreamError, Some(400), false),
            (Kind::NotFound, Some(404), false),
            (Kind::UpstreamInvalidResponse, Some(200), false),
            (Kind::UpstreamUnavailable, None, false),
        ];
        for (kind, status, again) in cases {
            assert_eq!(
                wait(&failure(kind, status), 1, LONG).is_some(),
                again,
                "{kind:?} {status:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_with_full_jitter_up_to_three_tries() {
        let error = failure(Kind::UpstreamTimeout, None);
        for _ in 0..100 {
            assert!(wait(&error, 1, LONG).unwrap() <= BACKOFF.limit(1));
            assert!(wait(&error, 2, LONG).unwrap() <= BACKOFF.limit(2));
        }
        // Full jitter: half of the waits are below half of the maximum.
        let short = |_: &i32| wait(&error, 1, LONG).unwrap() < BACKOFF.limit(1) / 2;
        assert!((300..700).contains(&(0..1000).filter(short).count()));
        assert_eq!(wait(&error, 3, LONG), None);
    }

    #[tokio::test(start_paused = true)]
    async fn obeys_retry_after_unless_the_deadline_is_earlier() {
        let error = failure(Kind::RateLimited, Some(429)).retry_after(Some(Duration::from_secs(7)));
        assert_eq!(wait(&error, 1, LONG), Some(Duration::from_secs(7)));
        assert_eq!(wait(&error, 1, Duration::from_secs(7)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_limits_retries_when_every_request_fails() {
        let retry = Retry::new(3);
        let error = failure(Kind::UpstreamTimeout, None);
        let deadline = Deadline::after(LONG);
        let granted = (0..1000).filter(|_| {
            retry.count_request();
            retry.wait(&error, 1, deadline).is_some()
        });
        // A fifth of the requests, and one per second of the ten seconds that the budget covers.
        assert!((200..=211).contains(&granted.count()));
    }
}
