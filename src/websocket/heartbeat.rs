//! Detects clients that no longer respond.

use std::time::Duration;

/// The interval of pings.
pub(super) const BEAT: Duration = Duration::from_secs(30);

/// The number of pings without a response after which the connection is closed.
const PATIENCE: u32 = 2;

/// Counts the pings since the client last sent anything.
#[derive(Default)]
pub(super) struct Heartbeat(u32);

impl Heartbeat {
    /// The client sent something.
    pub(super) fn heard(&mut self) {
        self.0 = 0;
    }

    /// Counts a ping; false if the client should have responded by now.
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
