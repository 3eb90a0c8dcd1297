//! The time of one invocation, as far as it is known when it comes.

use std::time::Duration;

/// After the usable time is up an answer is cut as soon as a tenth of the margin has passed, within these bounds.
const GRACE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(100));

/// What is left of an invocation, and at least how long it may take from its beginning.
///
/// A margin is kept for its end. It is at most a quarter of the timeout and not of what is left, so an invocation that
/// comes late has no time for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLeft {
    left: Duration,
    timeout: Duration,
}

impl TimeLeft {
    /// Where the platform sets no limit: a day, which is beyond every other.
    pub(crate) const UNLIMITED: TimeLeft = TimeLeft {
        left: Duration::from_secs(86_400),
        timeout: Duration::from_secs(86_400),
    };

    /// So much is left, and nothing is said of the timeout. It is in whole seconds, at least one, and no shorter than
    /// what is left of it.
    pub fn of(left: Duration) -> TimeLeft {
        let timeout = seconds(left).max(Duration::from_secs(1));
        TimeLeft { left, timeout }
    }

    /// The same where another invocation of the function had `seen` left when it came: the timeout is no shorter.
    pub fn out_of(self, seen: Duration) -> TimeLeft {
        let timeout = self.timeout.max(seconds(seen));
        TimeLeft { timeout, ..self }
    }

    /// The same where another limit holds as well.
    pub(crate) fn at_most(self, limit: Duration) -> TimeLeft {
        TimeLeft {
            left: self.left.min(limit),
            timeout: self.timeout.min(limit),
        }
    }

    /// What is left.
    pub(crate) fn left(self) -> Duration {
        self.left
    }

    /// What is left for work before the margin; zero for an invocation that has no more than that.
    pub(crate) fn usable(self, margin: Duration) -> Duration {
        self.left.saturating_sub(margin.min(self.timeout / 4))
    }

    /// How long from now an answer that is still being made is cut: a little after its work had to end, so that it can
    /// be ended in the words of its protocol.
    pub(crate) fn cut(self, margin: Duration) -> Duration {
        let usable = self.usable(margin);
        usable + ((self.left - usable) / 10).clamp(GRACE.0, GRACE.1)
    }
}

/// Whole seconds, rounded up.
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

    /// What is usable and when it is cut, in milliseconds.
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
            // Timeouts are whole seconds, whatever was left of them.
            (
                millis(1_000).out_of(Duration::from_millis(1_001)),
                9_000,
                (500, 550),
            ),
            // What was seen says less than what is left.
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
