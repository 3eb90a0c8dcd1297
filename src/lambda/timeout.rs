//! The function's timeout, which the platform does not tell, as far as it shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::deadline::TimeLeft;

/// The longest time that any invocation of this process had when it came, in milliseconds. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Timeout(Arc<AtomicU64>);

impl Timeout {
    /// The time of an invocation that comes with so much `left`: the timeout is no shorter than what others had.
    pub(super) fn of(&self, left: Duration) -> TimeLeft {
        let millis = left.as_millis().try_into().unwrap_or(u64::MAX);
        let seen = self.0.fetch_max(millis, Ordering::Relaxed);
        TimeLeft::of(left).out_of(Duration::from_millis(seen))
    }
}
