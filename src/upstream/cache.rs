//! Bodies of good answers, kept within a number of bytes and each for its own time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use quick_cache::sync::Cache as Quick;
use quick_cache::{OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::freshness::Freshness;
use super::policy::Keep;

/// What an entry costs beside its body, roughly: its key, its times, its place in the table.
const OVERHEAD: usize = 256;
/// The size of an entry that the table is prepared for.
const TYPICAL: usize = 4096;

/// All kept answers of one process.
pub(super) struct Cache {
    entries: Option<Quick<String, Arc<CachedBody>, Bytewise>>,
}

/// One answer.
#[derive(Clone)]
pub(super) struct CachedBody {
    pub(super) body: Bytes,
    /// What to repeat in `If-None-Match`.
    pub(super) etag: Option<HeaderValue>,
    /// What to repeat in `If-Modified-Since`.
    pub(super) modified: Option<HeaderValue>,
    stored: Instant,
    keep: Keep,
    /// The answer before this one, for when this one turns out not to be what it should.
    previous: Option<Arc<CachedBody>>,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<CachedBody>> for Bytewise {
    fn weight(&self, key: &String, entry: &Arc<CachedBody>) -> u64 {
        let previous = entry.previous.as_ref();
        let previous = previous.map_or(0, |it| it.body.len() + OVERHEAD);
        (key.len() + entry.body.len() + previous + OVERHEAD) as u64
    }
}

impl Cache {
    /// Keeps at most so many bytes; none of them keeps nothing.
    pub(super) fn new(bytes: usize) -> Cache {
        let build = || {
            // In one piece: shares of the bytes, one for each core, would be too small for a large body.
            let options = OptionsBuilder::new()
                .shards(1)
                .estimated_items_capacity(bytes / TYPICAL + 1)
                .weight_capacity(bytes as u64)
                .build()
                .expect("both capacities are given");
            Quick::with_options(options, Bytewise, Default::default(), Default::default())
        };
        Cache {
            entries: (bytes > 0).then(build),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<CachedBody>> {
        self.entries.as_ref()?.get(key)
    }

    pub(super) fn insert(&self, key: &str, entry: Arc<CachedBody>) {
        if let Some(entries) = self.entries.as_ref().filter(|_| entry.keep != Keep::NOT) {
            entries.insert(key.to_owned(), entry);
        }
    }

    /// Drops what is kept under the key.
    pub(super) fn remove(&self, key: &str) {
        if let Some(entries) = &self.entries {
            entries.remove(key);
        }
    }

    /// Takes back an entry that nobody could use, and puts the one before it in its place.
    pub(super) fn reject(&self, key: &str, entry: &Arc<CachedBody>) {
        let Some(entries) = &self.entries else { return };
        if entries
            .get(key)
            .is_some_and(|kept| Arc::ptr_eq(&kept, entry))
        {
            match &entry.previous {
                Some(previous) => entries.insert(key.to_owned(), previous.clone()),
                None => drop(entries.remove(key)),
            }
        }
    }
}

impl CachedBody {
    /// An answer that has just come, after `previous`.
    pub(super) fn new(
        body: Bytes,
        etag: Option<HeaderValue>,
        modified: Option<HeaderValue>,
        keep: Keep,
        previous: Option<&Arc<CachedBody>>,
    ) -> CachedBody {
        // Only one answer back: the one before that has no use any more.
        let previous = previous.map(|it| {
            Arc::new(CachedBody {
                previous: None,
                ..CachedBody::clone(it)
            })
        });
        CachedBody {
            body,
            etag,
            modified,
            stored: Instant::now(),
            keep,
            previous,
        }
    }

    /// The same answer, which the upstream has just called good again.
    pub(super) fn renewed(&self) -> CachedBody {
        CachedBody {
            stored: Instant::now(),
            ..self.clone()
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.stored.elapsed() < self.keep.fresh
    }

    /// Whether it may stand in for an upstream that fails.
    pub(super) fn may_stand_in(&self) -> bool {
        self.stored.elapsed() < self.keep.fresh.saturating_add(self.keep.stale)
    }

    /// Its age and what is left of its time.
    pub(super) fn freshness(&self, hit: bool) -> Freshness {
        let age = self.stored.elapsed();
        let left = |until: Duration| i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
        Freshness {
            hit,
            age,
            ttl_ms: left(self.keep.fresh) - left(age),
        }
    }
}
