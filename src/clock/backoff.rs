//! How long to wait before a failed attempt is repeated.

use std::time::Duration;

/// Waits that grow with every attempt: each one is at most twice as long as the one before could be.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// The first wait is at most `first`, and none is longer than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest }
    }

    /// The longest wait after this many failed attempts.
    pub fn limit(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }

    /// The wait after this many failed attempts, with full jitter: clients that failed at the same moment must not come
    /// back at the same moment.
    pub fn wait(self, failures: u32) -> Duration {
        self.limit(failures).mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));

    #[test]
    fn each_wait_may_be_twice_as_long_until_the_longest() {
        let limits = [1, 2, 3, 5, 6, 40, u32::MAX].map(|it| BACKOFF.limit(it).as_millis());
        assert_eq!(limits, [50, 100, 200, 800, 1_000, 1_000, 1_000]);
        let unlimited = Backoff::new(Duration::from_secs(1), Duration::MAX);
        assert_eq!(unlimited.limit(u32::MAX), Duration::from_secs(1 << 16));
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let waits: Vec<Duration> = (0..1000).map(|_| BACKOFF.wait(3)).collect();
        assert!(waits.iter().all(|it| *it <= BACKOFF.limit(3)));
        let short = waits.iter().filter(|it| **it < BACKOFF.limit(3) / 2);
        assert!((300..700).contains(&short.count()));
    }
}
