//! The moment by which a call must have answered.

use std::time::Duration;

use tokio::time::Instant;

/// The moment by which a call must have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that is `left` from now.
    pub fn after(left: Duration) -> Deadline {
        Deadline(Instant::now() + left)
    }

    /// What can be used of `left` before its end, so that `margin` of it remains: at most a quarter, because little
    /// time is for the work and not for the margin.
    pub fn usable(left: Duration, margin: Duration) -> Duration {
        left - margin.min(left / 4)
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left; zero once the moment has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The time one step of the call may take: at most `limit`, and a tenth less than what is left
    /// (at most 250 ms less), so that the caller of a slow step can still answer with the rest.
    pub fn budget(self, limit: Duration) -> Duration {
        let left = self.remaining();
        let reserve = (left / 10).min(Duration::from_millis(250));
        limit.min(left - reserve)
    }

    /// Runs `future` until the deadline; `None` once it has passed.
    pub async fn timeout<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, future).await.ok()
    }
}
