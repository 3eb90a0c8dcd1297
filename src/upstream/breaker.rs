//! The circuit breaker: after repeated failures it rejects requests for a while, then lets one probe through.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long the breaker stays open before it allows a probe.
const OPEN: Duration = Duration::from_secs(5);
/// The bit of [`Breaker::open`] that is set while a probe runs.
const PROBING: u64 = 1;

/// The circuit breaker of one path class. Its state is in atomics, because every request reads it.
pub(super) struct Breaker {
    /// Consecutive failures that open it; zero disables it.
    limit: u32,
    /// Consecutive failures so far.
    failures: AtomicU32,
    created: Instant,
    /// Zero while it is closed; otherwise the nanoseconds from its creation until a probe is allowed, and [`PROBING`].
    open: AtomicU64,
}

/// The permission to send one request; `succeeded` or `failed` reports its outcome.
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) fn new(limit: u32) -> Breaker {
        Breaker {
            limit,
            failures: AtomicU32::new(0),
            created: Instant::now(),
            open: AtomicU64::new(0),
        }
    }

    /// Checks whether a request would be admitted now.
    ///
    /// # Errors
    /// The time until a request may be admitted.
    pub(super) fn check(&self) -> Result<(), Duration> {
        self.wait(self.open.load(Ordering::Relaxed))
    }

    /// Admits a request.
    ///
    /// # Errors
    /// The time until a request may be admitted.
    pub(super) fn admit(&self) -> Result<Admission<'_>, Duration> {
        let mut open = self.open.load(Ordering::Relaxed);
        loop {
            self.wait(open)?;
            let is_probe = open != 0;
            let admitted = match is_probe {
                true => self.open.compare_exchange(
                    open,
                    open | PROBING,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ),
                false => Ok(open),
            };
            match admitted {
                Ok(_) => {
                    return Ok(Admission {
                        breaker: self,
                        is_probe,
                    });
                }
                // Another request has become the probe, or has closed the breaker.
                Err(changed) => open = changed,
            }
        }
    }

    /// The time until a request may be sent in this state.
    fn wait(&self, open: u64) -> Result<(), Duration> {
        if open == 0 {
            return Ok(());
        }
        let until = Duration::from_nanos(open & !PROBING);
        let wait = until.saturating_sub(self.created.elapsed());
        match wait.is_zero() && open & PROBING == 0 {
            true => Ok(()),
            false => Err(wait.max(Duration::from_secs(1))),
        }
    }
}

impl Admission<'_> {
    /// The upstream answered, with whatever status.
    pub(super) fn succeeded(self) {
        let Breaker { failures, open, .. } = self.breaker;
        // Nothing is written in the usual case, so that threads on several processors only read.
        if failures.load(Ordering::Relaxed) != 0 || open.load(Ordering::Relaxed) != 0 {
            failures.store(0, Ordering::Relaxed);
            open.store(0, Ordering::Relaxed);
        }
    }

    /// The upstream failed.
    pub(super) fn failed(self) {
        let Breaker { limit, created, .. } = *self.breaker;
        let failures = self.breaker.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if limit > 0 && (self.is_probe || failures >= limit) {
            let until = (created.elapsed() + OPEN).as_nanos() as u64 & !PROBING;
            let keep_probe = |open: u64| Some(until | open & PROBING);
            let open = &self.breaker.open;
            let _ = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, keep_probe);
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        // An abandoned probe allows another one.
        if self.is_probe {
            self.breaker.open.fetch_and(!PROBING, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

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

    #[test]
    fn of_threads_that_ask_at_the_same_time_one_sends_the_probe() {
        const THREADS: usize = 8;
        let mut breaker = open();
        breaker.created -= OPEN;
        let start = Barrier::new(THREADS);
        let admit = || {
            start.wait();
            breaker.admit()
        };
        let admitted: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(admit)).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(admitted.iter().filter(|it| it.is_ok()).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_failure_does_not_allow_a_second_probe() {
        let breaker = Breaker::new(1);
        let late = breaker.admit().ok().unwrap();
        breaker.admit().ok().unwrap().failed();
        tokio::time::advance(OPEN).await;
        let probe = breaker.admit().ok().unwrap();
        late.failed();
        tokio::time::advance(OPEN).await;
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
