//! What is done once in a period, however many threads would do it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Lets the first caller of each period through, without a lock.
pub struct Throttle {
    created: Instant,
    period: Duration,
    /// The nanoseconds from then until a caller passes.
    next: AtomicU64,
}

impl Throttle {
    /// The first caller passes at once.
    pub fn new(period: Duration) -> Throttle {
        Throttle {
            created: Instant::now(),
            period,
            next: AtomicU64::new(0),
        }
    }

    /// Whether this caller passes; if so, the next one passes after the period.
    pub fn passes(&self) -> bool {
        let now = self.created.elapsed();
        let after = (now + self.period).as_nanos() as u64;
        let next = self.next.load(Ordering::Relaxed);
        next <= now.as_nanos() as u64
            && self
                .next
                .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_caller_passes_in_each_period() {
        let throttle = Throttle::new(Duration::from_secs(10));
        for _ in 0..3 {
            assert!(throttle.passes());
            assert!(!throttle.passes());
            tokio::time::advance(Duration::from_millis(9_999)).await;
            assert!(!throttle.passes());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[test]
    fn of_threads_that_call_at_the_same_time_one_passes() {
        const THREADS: usize = 8;
        let (throttle, start) = (
            Throttle::new(Duration::from_secs(3600)),
            Barrier::new(THREADS),
        );
        let call = || {
            start.wait();
            throttle.passes()
        };
        let passed = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(call)).collect();
            let passed = threads.into_iter().map(|it| it.join().unwrap());
            passed.filter(|passes| *passes).count()
        });
        assert_eq!(passed, 1);
    }
}
