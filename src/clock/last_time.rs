//! The time since something last happened, which threads read and renew without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When something last happened, by two clocks: the monotonic one may stop while the process is frozen.
pub struct LastTime {
    created: (Instant, SystemTime),
    /// The nanoseconds from then to the last time, by each clock.
    monotonic: AtomicU64,
    system: AtomicU64,
}

impl LastTime {
    /// It happened now.
    pub fn now() -> LastTime {
        LastTime {
            created: (Instant::now(), SystemTime::now()),
            monotonic: AtomicU64::new(0),
            system: AtomicU64::new(0),
        }
    }

    /// It happened again.
    pub fn renew(&self) {
        let (monotonic, system) = self.since_created();
        self.monotonic.store(monotonic, Ordering::Relaxed);
        self.system.store(system, Ordering::Relaxed);
    }

    /// The time since it last happened, by the clock that shows more.
    pub fn elapsed(&self) -> Duration {
        let (monotonic, system) = self.since_created();
        let monotonic = monotonic.saturating_sub(self.monotonic.load(Ordering::Relaxed));
        let system = system.saturating_sub(self.system.load(Ordering::Relaxed));
        Duration::from_nanos(monotonic.max(system))
    }

    fn since_created(&self) -> (u64, u64) {
        let (monotonic, system) = (self.created.0.elapsed(), self.created.1.elapsed());
        let system = system.unwrap_or_default();
        (monotonic.as_nanos() as u64, system.as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_time_counts_from_the_last_renewal() {
        let last = LastTime::now();
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(last.elapsed(), Duration::from_secs(40));
        last.renew();
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(last.elapsed(), Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_counts_while_the_monotonic_one_stands_still() {
        let hour = Duration::from_secs(3600);
        let mut last = LastTime::now();
        last.created.1 -= hour;
        assert!(last.elapsed() >= hour);
        last.renew();
        assert!(last.elapsed() < hour);
    }
}
