//! What one request cost upstream.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Counts the upstream requests of one call and the time they took together.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU32,
    micros: AtomicU64,
}

/// Adds its lifetime to the meter, also when the request is dropped half-way.
pub(super) struct Running<'a> {
    meter: &'a Meter,
    since: Instant,
}

impl Meter {
    /// Upstream requests so far.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The sum of their durations; concurrent requests each count in full.
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    pub(super) fn start(&self) -> Running<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Running {
            meter: self,
            since: Instant::now(),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.meter
            .micros
            .fetch_add(self.since.elapsed().as_micros() as u64, Ordering::Relaxed);
    }
}
