//! The deadlines of the frames of one invocation.

use crate::clock::{Deadline, TimeLeft};
use crate::config::Config;

/// The deadlines of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When the response must be on its way, even if the call still runs.
    pub(super) answer: Deadline,
    /// When the last frame must have been sent.
    pub(super) post: Deadline,
}

impl Times {
    /// The deadlines for the time left. Three quarters of the margin are reserved for sending frames.
    pub fn of(time_left: Option<TimeLeft>, config: &Config) -> Times {
        let margin = config.stream_margin;
        let time = time_left.unwrap_or(TimeLeft::UNLIMITED);
        let rest = time.left() - time.usable(margin);
        Times {
            answer: Deadline::after(time.cut(margin)),
            post: Deadline::after(time.left() - rest / 4),
        }
    }
}
