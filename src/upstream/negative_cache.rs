//! The negative cache: a 404 is remembered for a few seconds, so that a repeated request costs nothing.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::freshness::Freshness;
use crate::error::{Error, Kind};

/// How long a 404 is remembered.
const FRESH: Duration = Duration::from_secs(10);
/// The approximate cost of an entry beside its key: error, time and table slot.
const OVERHEAD: u64 = 512;
/// The maximum size; about two thousand entries.
const MAX_BYTES: usize = 1 << 20;
/// The part of the configured cache size that it takes: one in this many bytes.
const SHARE: usize = 16;

/// The 404s of one process.
pub(super) struct NegativeCache {
    bytes: u64,
    /// Created for the first 404, which most Lambda processes never receive.
    errors: OnceLock<Cache<String, CachedError, ByteWeighter>>,
}

#[derive(Clone)]
struct CachedError {
    error: Arc<Error>,
    since: Instant,
}

#[derive(Clone)]
struct ByteWeighter;

impl Weighter<String, CachedError> for ByteWeighter {
    fn weight(&self, key: &String, cached: &CachedError) -> u64 {
        let body = cached.error.upstream_body().map_or(0, <[u8]>::len);
        (key.len() + body) as u64 + OVERHEAD
    }
}

impl NegativeCache {
    /// Takes its share of `cache_bytes`; zero disables it.
    pub(super) fn new(cache_bytes: usize) -> NegativeCache {
        NegativeCache {
            bytes: NegativeCache::share(cache_bytes) as u64,
            errors: OnceLock::new(),
        }
    }

    /// Its share of `cache_bytes`.
    pub(super) fn share(cache_bytes: usize) -> usize {
        (cache_bytes / SHARE).min(MAX_BYTES)
    }

    /// The remembered failure, and how old it is.
    pub(super) fn get(&self, key: &str) -> Option<(Error, Freshness)> {
        let found = self.errors.get()?.get(key)?;
        let age = found.since.elapsed();
        let left = FRESH.checked_sub(age).filter(|it| !it.is_zero())?;
        let freshness = Freshness {
            hit: true,
            age,
            ttl_ms: left.as_millis() as i64,
        };
        Some((found.error.again(), freshness))
    }

    /// Remembers the failure if it is a 404.
    pub(super) fn insert(&self, key: &str, error: &Arc<Error>) {
        if error.kind() != Kind::NotFound || self.bytes == 0 {
            return;
        }
        let (error, since) = (error.clone(), Instant::now());
        let errors = self.errors.get_or_init(|| self.make());
        errors.insert(key.to_owned(), CachedError { error, since });
    }

    /// Forgets the failures whose keys `is_removed` chooses.
    pub(super) fn remove_all(&self, is_removed: impl Fn(&str) -> bool) {
        if let Some(errors) = self.errors.get() {
            errors.retain(|key, _| !is_removed(key));
        }
    }

    fn make(&self) -> Cache<String, CachedError, ByteWeighter> {
        // One shard, so that the limit holds for all entries together.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((self.bytes / OVERHEAD) as usize)
            .weight_capacity(self.bytes)
            .build()
            .expect("both capacities are given");
        Cache::with_options(
            options,
            ByteWeighter,
            Default::default(),
            Default::default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{FRESH, MAX_BYTES, NegativeCache};
    use crate::error::{Error, Kind, UpstreamStatus};

    fn failure(kind: Kind, status: u16) -> Arc<Error> {
        let status = Some(status);
        Arc::new(Error::upstream(
            kind,
            UpstreamStatus {
                name: "it".into(),
                status,
            },
            "it",
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_404_is_remembered_and_only_for_its_lifetime() {
        let missing = NegativeCache::new(16 << 20);
        missing.insert("it", &failure(Kind::NotFound, 404));
        missing.insert("other", &failure(Kind::UpstreamError, 400));
        assert!(missing.get("it").is_some() && missing.get("other").is_none());
        tokio::time::advance(FRESH).await;
        assert!(missing.get("it").is_none());
    }

    #[test]
    fn the_size_is_limited_by_itself_and_by_the_cache_size() {
        let none = NegativeCache::new(0);
        none.insert("it", &failure(Kind::NotFound, 404));
        assert!(none.get("it").is_none());
        let missing = NegativeCache::new(usize::MAX);
        for number in 0..10_000 {
            missing.insert(&number.to_string(), &failure(Kind::NotFound, 404));
        }
        let errors = missing.errors.get().unwrap();
        assert!(errors.len() <= MAX_BYTES / 512, "{}", errors.len());
        assert!(errors.weight() <= MAX_BYTES as u64);
    }
}
