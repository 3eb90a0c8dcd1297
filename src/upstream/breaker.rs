//! The circuit breaker: after repeated failures it rejects requests for a while, then lets one probe through.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the breaker stays open before it allows a probe.
const OPEN: Duration = Duration::from_secs(5);

/// The circuit breaker of one path class.
pub(super) struct Breaker {
    /// Consecutive failures that open it; zero disables it.
    failures: u32,
    state: Mutex<BreakerState>,
}

#[derive(Default)]
struct BreakerState {
    failures: u32,
    open_until: Option<Instant>,
    is_probing: bool,
}

/// The permission to send one request; `succeeded` or `failed` reports its outcome.
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) fn new(failures: u32) -> Breaker {
        Breaker {
            failures,
            state: Mutex::default(),
        }
    }

    /// Checks whether a request would be admitted now.
    ///
    /// # Errors
    /// The time until a request may be admitted.
    pub(super) fn check(&self) -> Result<(), Duration> {
        self.lock().open_for().map_or(Ok(()), Err)
    }

    /// Admits a request.
    ///
    /// # Errors
    /// The time until a request may be admitted.
    pub(super) fn admit(&self) -> Result<Admission<'_>, Duration> {
        let mut state = self.lock();
        if let Some(wait) = state.open_for() {
            return Err(wait);
        }
        let is_probe = state.open_until.is_some();
        state.is_probing = is_probe;
        Ok(Admission {
            breaker: self,
            is_probe,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BreakerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BreakerState {
    /// The time until a request may be admitted; `None` if one may be sent now.
    fn open_for(&self) -> Option<Duration> {
        let wait = self.open_until?.saturating_duration_since(Instant::now());
        (!wait.is_zero() || self.is_probing).then(|| wait.max(Duration::from_secs(1)))
    }
}

impl Admission<'_> {
    /// The upstream answered, with whatever status.
    pub(super) fn succeeded(self) {
        *self.breaker.lock() = BreakerState::default();
    }

    /// The upstream failed.
    pub(super) fn failed(self) {
        let mut state = self.breaker.lock();
        state.failures += 1;
        let limit = self.breaker.failures;
        if limit > 0 && (self.is_probe || state.failures >= limit) {
            state.open_until = Some(Instant::now() + OPEN);
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        // An abandoned probe allows another one.
        if self.is_probe {
            self.breaker.lock().is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, OPEN};

    const FAILURES: u32 = 5;

    fn open() -> Breaker {
        let breaker = Breaker::new(FAILURES);
        for _ in 0..FAILURES {
            breaker.admit().ok().unwrap().failed();
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn opens_only_after_consecutive_failures() {
        let breaker = Breaker::new(FAILURES);
        for _ in 0..FAILURES - 1 {
            breaker.admit().ok().unwrap().failed();
        }
        breaker.admit().ok().unwrap().succeeded();
        breaker.admit().ok().unwrap().failed();
        assert!(breaker.admit().is_ok());
        assert_eq!(open().admit().err(), Some(OPEN));
    }

    #[tokio::test(start_paused = true)]
    async fn lets_one_probe_through_and_closes_when_it_succeeds() {
        let breaker = open();
        tokio::time::advance(OPEN).await;
        let probe = breaker.admit().ok().unwrap();
        assert!(breaker.admit().is_err());
        probe.succeeded();
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn stays_open_when_the_probe_fails_and_allows_another_when_it_is_dropped() {
        let breaker = open();
        tokio::time::advance(OPEN).await;
        drop(breaker.admit().ok().unwrap());
        breaker.admit().ok().unwrap().failed();
        assert_eq!(breaker.admit().err(), Some(OPEN));
    }
}
