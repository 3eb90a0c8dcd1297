//! Whether the client is still there.

use std::time::Duration;

/// How often the client is asked.
pub(super) const BEAT: Duration = Duration::from_secs(30);

/// How often it may be asked without a sign of life.
const PATIENCE: u32 = 2;

/// Counts the beats since the last sign of life.
#[derive(Default)]
pub(super) struct Heartbeat(u32);

impl Heartbeat {
    /// A sign of life.
    pub(super) fn heard(&mut self) {
        self.0 = 0;
    }

    /// One beat more; false where there should have been a sign of life by now.
    pub(super) fn beat(&mut self) -> bool {
        self.0 += 1;
        self.0 <= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stops_with_the_third_beat_in_silence() {
        let mut heartbeat = Heartbeat::default();
        for _ in 0..100 {
            assert!(heartbeat.beat() && heartbeat.beat());
            heartbeat.heard();
        }
        assert!(heartbeat.beat() && heartbeat.beat());
        assert!(!heartbeat.beat());
    }
}
