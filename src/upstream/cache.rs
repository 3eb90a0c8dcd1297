//! The cache of good answers, limited in bytes; each entry has its own lifetime.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use quick_cache::sync::Cache as QuickCache;
use quick_cache::{OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::freshness::Freshness;
use super::policy::CachePolicy;

/// The approximate cost of an entry beside its body: key, times and table slot.
const OVERHEAD: usize = 256;
/// The expected size of an entry, for which the table is prepared.
const EXPECTED_ENTRY: usize = 4096;

/// The cached answers of one process.
pub(super) struct Cache {
    entries: Option<QuickCache<String, Arc<CachedBody>, ByteWeighter>>,
}

/// One cached answer.
#[derive(Clone)]
pub(super) struct CachedBody {
    pub(super) body: Bytes,
    /// The value to send in `If-None-Match`.
    pub(super) etag: Option<HeaderValue>,
    /// The value to send in `If-Modified-Since`.
    pub(super) modified: Option<HeaderValue>,
    stored: Instant,
    policy: CachePolicy,
    /// The answer before this one, which returns if this one cannot be decoded.
    previous: Option<Arc<CachedBody>>,
}

#[derive(Clone)]
struct ByteWeighter;

impl Weighter<String, Arc<CachedBody>> for ByteWeighter {
    fn weight(&self, key: &String, entry: &Arc<CachedBody>) -> u64 {
        let previous = entry.previous.as_ref();
        let previous = previous.map_or(0, |it| it.body.len() + OVERHEAD);
        (key.len() + entry.body.len() + previous + OVERHEAD) as u64
    }
}

impl Cache {
    /// Caches at most `bytes`; zero disables the cache.
    pub(super) fn new(bytes: usize) -> Cache {
        let build = || {
            // One shard: a shard for each core would be too small for a large body.
            let options = OptionsBuilder::new()
                .shards(1)
                .estimated_items_capacity(bytes / EXPECTED_ENTRY + 1)
                .weight_capacity(bytes as u64)
                .build()
                .expect("both capacities are given");
            QuickCache::with_options(
                options,
                ByteWeighter,
                Default::default(),
                Default::default(),
            )
        };
        Cache {
            entries: (bytes > 0).then(build),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<CachedBody>> {
        self.entries.as_ref()?.get(key)
    }

    pub(super) fn insert(&self, key: &str, entry: Arc<CachedBody>) {
        if let Some(entries) = self
            .entries
            .as_ref()
            .filter(|_| entry.policy != CachePolicy::NONE)
        {
            entries.insert(key.to_owned(), entry);
        }
    }

    /// Removes the entry of `key`.
    pub(super) fn remove(&self, key: &str) {
        if let Some(entries) = &self.entries {
            entries.remove(key);
        }
    }

    /// Removes the entries whose keys `is_removed` chooses.
    pub(super) fn remove_all(&self, is_removed: impl Fn(&str) -> bool) {
        if let Some(entries) = &self.entries {
            entries.retain(|key, _| !is_removed(key));
        }
    }

    /// Removes an entry that could not be decoded, and restores the one before it.
    pub(super) fn reject(&self, key: &str, entry: &Arc<CachedBody>) {
        let Some(entries) = &self.entries else { return };
        if entries
            .get(key)
            .is_some_and(|cached| Arc::ptr_eq(&cached, entry))
        {
            match &entry.previous {
                Some(previous) => entries.insert(key.to_owned(), previous.clone()),
                None => drop(entries.remove(key)),
            }
        }
    }
}

impl CachedBody {
    /// An answer that has just been received, after `previous`.
    pub(super) fn new(
        body: Bytes,
        etag: Option<HeaderValue>,
        modified: Option<HeaderValue>,
        policy: CachePolicy,
        previous: Option<&Arc<CachedBody>>,
    ) -> CachedBody {
        // Only one previous answer is cached: older ones have no use.
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
            policy,
            previous,
        }
    }

    /// The same answer, which the upstream has just confirmed (HTTP 304).
    pub(super) fn renewed(&self) -> CachedBody {
        CachedBody {
            stored: Instant::now(),
            ..self.clone()
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.stored.elapsed() < self.policy.fresh
    }

    /// Whether it may be used while the upstream fails.
    pub(super) fn may_be_used_stale(&self) -> bool {
        self.stored.elapsed() < self.policy.fresh.saturating_add(self.policy.stale)
    }

    /// Its age and its remaining lifetime.
    pub(super) fn freshness(&self, hit: bool) -> Freshness {
        let age = self.stored.elapsed();
        let left = |until: Duration| i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
        Freshness {
            hit,
            age,
            ttl_ms: left(self.policy.fresh) - left(age),
        }
    }
}
