//! The function's timeout, which the platform does not tell, as far as it shows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::TimeLeft;

/// So many invocations are looked at: a clock that was wrong for a moment must not count for ever.
const LAST: usize = 16;

/// What the last invocations of this process had left when they came. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Timeout(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    left: [Duration; LAST],
    next: usize,
}

impl Timeout {
    /// The time of an invocation that comes with so much `left`, which counts for those after it: the timeout is no
    /// shorter than what others had.
    pub(crate) fn notice(&self, left: Duration) -> TimeLeft {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = seen.next;
        seen.left[place] = left;
        seen.next = (place + 1) % LAST;
        let longest = seen.left.iter().max().copied().unwrap_or(left);
        TimeLeft::of(left).out_of(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_counts_for_the_next_fifteen() {
        let timeout = Timeout::default();
        let (short, long) = (Duration::from_secs(8), Duration::from_secs(900));
        let margin = Duration::from_secs(30);
        let usable = || timeout.notice(short).usable(margin).as_secs();
        assert_eq!(usable(), 6);
        timeout.notice(long);
        for _ in 1..LAST {
            assert_eq!(usable(), 0);
        }
        assert_eq!(usable(), 6);
    }
}
