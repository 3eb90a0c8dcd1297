//! Counts the upstream requests of one call, and how fresh their data is.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::freshness::Freshness;

/// Counts the upstream requests of one call, and the time that the call waited for them.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU32,
    hits: AtomicU32,
    micros: AtomicU64,
    freshness: Mutex<Option<Freshness>>,
    is_partial: AtomicBool,
    keys: Mutex<Vec<String>>,
    whole: Option<Arc<Meter>>,
    /// The mounted server that was called.
    mount: OnceLock<Arc<str>>,
}

/// Adds its lifetime to the meter, even if the wait is cancelled.
pub struct Waiting<'a> {
    meter: &'a Meter,
    since: Instant,
}

impl Meter {
    /// A meter for a part of a call. It also adds to `whole`, and immediately, because an upstream request that other
    /// callers share may outlive the part that started it.
    pub fn part(whole: Arc<Meter>) -> Meter {
        Meter {
            whole: Some(whole),
            ..Meter::default()
        }
    }

    /// The upstream requests so far; a shared request counts for the call that started it.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The requests that the cache answered.
    pub fn hits(&self) -> u32 {
        self.hits.load(Ordering::Relaxed)
    }

    /// The sum of the waits; concurrent waits each count in full.
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// How fresh the data behind the answer is; `None` if the call has not used an upstream.
    pub fn freshness(&self) -> Option<Freshness> {
        let all = *self
            .freshness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // An answer without one of its parts must not be cached by the client.
        all.map(|all| match self.is_partial() {
            true => Freshness {
                ttl_ms: all.ttl_ms.min(0),
                ..all
            },
            false => all,
        })
    }

    /// Whether a part of the answer is missing.
    pub fn is_partial(&self) -> bool {
        self.is_partial.load(Ordering::Relaxed)
    }

    /// A part of the answer is missing.
    pub fn mark_partial(&self) {
        if let Some(whole) = &self.whole {
            whole.mark_partial();
        }
        self.is_partial.store(true, Ordering::Relaxed);
    }

    /// Records a cache key, in case the data turns out to be invalid.
    pub(super) fn record_key(&self, key: String) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.push(key);
    }

    /// Takes the recorded cache keys.
    pub(super) fn take_keys(&self) -> Vec<String> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *keys)
    }

    /// Counts a request to a mounted server, and the wait until what is returned is dropped.
    pub fn measure_mount(&self, mount: &Arc<str>) -> Waiting<'_> {
        // Of several in one request the first one is named.
        let _ = self
            .whole
            .as_ref()
            .map_or(&self.mount, |it| &it.mount)
            .set(mount.clone());
        self.count_request();
        self.wait()
    }

    /// The mounted server that was called.
    pub fn mount(&self) -> Option<&str> {
        self.mount.get().map(AsRef::as_ref)
    }

    pub(super) fn count_request(&self) {
        if let Some(whole) = &self.whole {
            whole.count_request();
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn record_freshness(&self, freshness: Freshness) {
        if let Some(whole) = &self.whole {
            whole.record_freshness(freshness);
        }
        self.hits.fetch_add(freshness.hit.into(), Ordering::Relaxed);
        let mut all = self
            .freshness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *all = Some(all.map_or(freshness, |all| all.and(freshness)));
    }

    fn add_wait(&self, time: Duration) {
        if let Some(whole) = &self.whole {
            whole.add_wait(time);
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
        self.meter.add_wait(self.since.elapsed());
    }
}
