//! The time limit of one Lambda invocation.

use std::time::{Duration, SystemTime};

/// A response is cut after its work's deadline plus a tenth of the margin, within these bounds.
const GRACE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(100));

/// The remaining time of an invocation, and the least that its timeout can be.
///
/// A margin at the end is reserved for the response. It is at most a quarter of the timeout, not of the remaining
/// time, so an invocation that starts late has no time for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLeft {
    left: Duration,
    timeout: Duration,
}

impl TimeLeft {
    /// No limit of the platform: a day, which is longer than every other limit.
    pub(crate) const UNLIMITED: TimeLeft = TimeLeft {
        left: Duration::from_secs(86_400),
        timeout: Duration::from_secs(86_400),
    };

    /// `left` remains of an unknown timeout. A timeout is a number of whole seconds, at least one, and not less than
    /// `left`.
    pub fn of(left: Duration) -> TimeLeft {
        let timeout = seconds(left).max(Duration::from_secs(1));
        TimeLeft { left, timeout }
    }

    /// Uses that another invocation of the same function started with `seen`: the timeout is at least as long.
    pub fn out_of(self, seen: Duration) -> TimeLeft {
        let timeout = self.timeout.max(seconds(seen));
        TimeLeft { timeout, ..self }
    }

    /// Applies another limit.
    pub(crate) fn at_most(self, limit: Duration) -> TimeLeft {
        TimeLeft {
            left: self.left.min(limit),
            timeout: self.timeout.min(limit),
        }
    }

    /// The remaining time.
    pub(crate) fn left(self) -> Duration {
        self.left
    }

    /// The remaining time before the margin; zero if the invocation has less than the margin.
    pub(crate) fn usable(self, margin: Duration) -> Duration {
        self.left.saturating_sub(margin.min(self.timeout / 4))
    }

    /// When a response in progress is cut, from now: shortly after the deadline of its work, so that the protocol can
    /// still end it properly.
    pub(crate) fn cut(self, margin: Duration) -> Duration {
        let usable = self.usable(margin);
        usable + ((self.left - usable) / 10).clamp(GRACE.0, GRACE.1)
    }
}

/// The time until a deadline of the platform, which is in milliseconds since 1970. Emulators without deadlines send one in
/// 1970.
pub(crate) fn time_until(deadline: u64) -> Option<Duration> {
    const DAY: Duration = Duration::from_secs(86_400);
    let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline))?;
    match deadline.duration_since(SystemTime::now()) {
        Ok(left) => Some(left.min(DAY)),
        Err(past) if past.duration() > DAY => None,
        Err(_) => Some(Duration::ZERO),
    }
}

/// Rounds up to whole seconds.
fn seconds(time: Duration) -> Duration {
    Duration::from_secs(
        time.as_secs()
            .saturating_add(u64::from(time.subsec_nanos() > 0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(left: u64) -> TimeLeft {
        TimeLeft::of(Duration::from_millis(left))
    }

    /// The usable time and the time of the cut, in milliseconds.
    fn bounds(time: TimeLeft, margin: u64) -> (u128, u128) {
        let margin = Duration::from_millis(margin);
        (
            time.usable(margin).as_millis(),
            time.cut(margin).as_millis(),
        )
    }

    #[test]
    fn the_margin_is_at_most_a_quarter_of_the_timeout() {
        const SECOND: Duration = Duration::from_secs(1);
        for (time, margin, expected) in [
            (millis(10_000), 500, (9_500, 9_550)),
            (millis(900), 500, (650, 675)),
            (millis(1_001), 500, (501, 551)),
            (millis(250), 500, (0, 25)),
            (millis(251), 500, (1, 26)),
            (millis(0), 500, (0, 10)),
            (millis(400).out_of(30 * SECOND), 500, (0, 40)),
            (millis(20_000).out_of(900 * SECOND), 30_000, (0, 100)),
            (millis(20_000).out_of(900 * SECOND), 500, (19_500, 19_550)),
            // Timeouts are whole seconds, whatever remains of them.
            (
                millis(1_000).out_of(Duration::from_millis(1_001)),
                9_000,
                (500, 550),
            ),
            // An earlier observation that is less than the remaining time has no effect.
            (millis(20_000).out_of(SECOND), 30_000, (15_000, 15_100)),
            (
                TimeLeft::UNLIMITED.at_most(29 * SECOND),
                30_000,
                (21_750, 21_850),
            ),
            (millis(10_000).at_most(29 * SECOND), 30_000, (7_500, 7_600)),
            (
                millis(6_000).out_of(900 * SECOND).at_most(29 * SECOND),
                30_000,
                (0, 100),
            ),
        ] {
            assert_eq!(bounds(time, margin), expected, "{time:?}, margin {margin}");
        }
    }
}
