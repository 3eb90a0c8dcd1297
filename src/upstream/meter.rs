//! What one request cost upstream, and how fresh what it got is.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::freshness::Freshness;

/// Counts the upstream requests of one call and the time it waited for them.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU32,
    hits: AtomicU32,
    micros: AtomicU64,
    freshness: Mutex<Option<Freshness>>,
    is_partial: AtomicBool,
    keys: Mutex<Vec<String>>,
    whole: Option<Arc<Meter>>,
}

/// Adds its lifetime to the meter, also when the wait is given up.
pub(super) struct Waiting<'a> {
    meter: &'a Meter,
    since: Instant,
}

impl Meter {
    /// A meter for a part of what `whole` measures: what it counts, both count, and at once, because an upstream request
    /// that others wait for too may outlive the part that began it.
    pub fn part(whole: Arc<Meter>) -> Meter {
        Meter {
            whole: Some(whole),
            ..Meter::default()
        }
    }

    /// Upstream requests so far; a request that others wait for too counts for the one who started it.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// What was asked for and came from the cache.
    pub fn hits(&self) -> u32 {
        self.hits.load(Ordering::Relaxed)
    }

    /// The sum of the waits; concurrent ones each count in full.
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// How fresh the data behind the answer is; none where no upstream was asked.
    pub fn freshness(&self) -> Option<Freshness> {
        let all = *self
            .freshness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // What lacks a part is good for this once: nobody should keep it.
        all.map(|all| match self.is_partial() {
            true => Freshness {
                ttl_ms: all.ttl_ms.min(0),
                ..all
            },
            false => all,
        })
    }

    /// Whether a part of the answer was lost.
    pub fn is_partial(&self) -> bool {
        self.is_partial.load(Ordering::Relaxed)
    }

    /// A part of the answer was lost.
    pub fn lost(&self) {
        if let Some(whole) = &self.whole {
            whole.lost();
        }
        self.is_partial.store(true, Ordering::Relaxed);
    }

    /// Remembers what was asked for, in case that the answer turns out to be unusable.
    pub(super) fn asked(&self, key: String) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.push(key);
    }

    /// What was asked for so far; forgotten here.
    pub(super) fn take_asked(&self) -> Vec<String> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *keys)
    }

    pub(super) fn called(&self) {
        if let Some(whole) = &self.whole {
            whole.called();
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn used(&self, freshness: Freshness) {
        if let Some(whole) = &self.whole {
            whole.used(freshness);
        }
        self.hits.fetch_add(freshness.hit.into(), Ordering::Relaxed);
        let mut all = self
            .freshness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *all = Some(all.map_or(freshness, |all| all.and(freshness)));
    }

    fn waited(&self, time: Duration) {
        if let Some(whole) = &self.whole {
            whole.waited(time);
        }
        let micros = time.as_micros() as u64;
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn wait(&self) -> Waiting<'_> {
        Waiting {
            meter: self,
            since: Instant::now(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.meter.waited(self.since.elapsed());
    }
}
