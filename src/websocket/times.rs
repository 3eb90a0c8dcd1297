//! How long one invocation has for its frames.

use crate::clock::{Deadline, TimeLeft};
use crate::config::Config;

/// The time of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When the response is on its way, whatever the call does.
    pub(super) answer: Deadline,
    /// When the last frame has left.
    pub(super) post: Deadline,
}

impl Times {
    /// Of an invocation that has so much left. Three quarters of what is not for work are for frames to leave.
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
