//! An estimate of the function's timeout, which the platform does not report.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::TimeLeft;

/// The number of invocations that the estimate uses; older ones are dropped so that a clock error does not last.
const WINDOW: usize = 16;

/// The time that the latest invocations of this process had when they began. Clones share it, without a lock.
#[derive(Clone, Default)]
pub(crate) struct Timeout(Arc<Window>);

#[derive(Default)]
struct Window {
    /// Microseconds.
    left: [AtomicU64; WINDOW],
    next: AtomicUsize,
}

impl Timeout {
    /// Records an invocation that begins with the time `left`, and returns its time left out of the longest in the window,
    /// which is the estimate of the timeout.
    pub(crate) fn observe(&self, left: Duration) -> TimeLeft {
        let Window { left: seen, next } = &*self.0;
        let index = next.fetch_add(1, Ordering::Relaxed) % WINDOW;
        let micros = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
        seen[index].store(micros, Ordering::Relaxed);
        let longest = seen.iter().map(|it| it.load(Ordering::Relaxed)).max();
        let longest = longest.map_or(left, Duration::from_micros);
        TimeLeft::of(left).out_of(longest.max(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_counts_for_the_next_fifteen() {
        let timeout = Timeout::default();
        let (short, long) = (Duration::from_secs(8), Duration::from_secs(900));
        let margin = Duration::from_secs(30);
        let usable = || timeout.observe(short).usable(margin).as_secs();
        assert_eq!(usable(), 6);
        timeout.observe(long);
        for _ in 1..WINDOW {
            assert_eq!(usable(), 0);
        }
        assert_eq!(usable(), 6);
    }
}
