//! An estimate of the function's timeout, which the platform does not report.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::TimeLeft;

/// The number of invocations that the estimate uses; older ones are dropped so that a clock error does not last.
const WINDOW: usize = 16;

/// The time that the latest invocations of this process had when they began. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Timeout(Arc<Mutex<Window>>);

#[derive(Default)]
struct Window {
    left: [Duration; WINDOW],
    next: usize,
}

impl Timeout {
    /// Records an invocation that begins with the time `left`, and returns its time, measured against the longest of the
    /// window: the timeout is at least as long.
    pub(crate) fn observe(&self, left: Duration) -> TimeLeft {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = seen.next;
        seen.left[place] = left;
        seen.next = (place + 1) % WINDOW;
        let longest = seen.left.iter().max().copied().unwrap_or(left);
        TimeLeft::of(left).out_of(longest)
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
