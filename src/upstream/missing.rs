//! What does not exist upstream, remembered for a moment: asking for it again costs no request.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::freshness::Freshness;
use crate::error::{Error, Kind};

/// How long a 404 is remembered.
const FRESH: Duration = Duration::from_secs(10);
/// What one costs beside its key: its error, its time, its place in the table.
const OVERHEAD: u64 = 512;
/// The most bytes of them, which is room for two thousand.
const MOST_BYTES: usize = 1 << 20;
/// Their share of what is kept of upstreams.
const SHARE: usize = 16;

/// The 404s of one process.
pub(super) struct Missing {
    bytes: u64,
    /// Made for the first 404; most processes of Lambda never see one.
    errors: OnceLock<Cache<String, Remembered, Bytewise>>,
}

#[derive(Clone)]
struct Remembered {
    error: Arc<Error>,
    since: Instant,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Remembered> for Bytewise {
    fn weight(&self, key: &String, _: &Remembered) -> u64 {
        key.len() as u64 + OVERHEAD
    }
}

impl Missing {
    /// Takes its share of the bytes that are kept of upstreams; none of them remembers nothing.
    pub(super) fn new(cache_bytes: usize) -> Missing {
        Missing {
            bytes: Missing::share(cache_bytes) as u64,
            errors: OnceLock::new(),
        }
    }

    /// Its share of so many bytes.
    pub(super) fn share(cache_bytes: usize) -> usize {
        (cache_bytes / SHARE).min(MOST_BYTES)
    }

    /// The failure as it was, and how old it is.
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
    pub(super) fn note(&self, key: &str, error: &Arc<Error>) {
        if error.kind() != Kind::NotFound || self.bytes == 0 {
            return;
        }
        let (error, since) = (error.clone(), Instant::now());
        let errors = self.errors.get_or_init(|| self.make());
        errors.insert(key.to_owned(), Remembered { error, since });
    }

    fn make(&self) -> Cache<String, Remembered, Bytewise> {
        // In one piece, so that the bound is that of all of them.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((self.bytes / OVERHEAD) as usize)
            .weight_capacity(self.bytes)
            .build()
            .expect("both capacities are given");
        Cache::with_options(options, Bytewise, Default::default(), Default::default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{FRESH, MOST_BYTES, Missing};
    use crate::error::{Error, Kind, UpstreamStatus};

    fn failure(kind: Kind, status: u16) -> Arc<Error> {
        let status = Some(status);
        Arc::new(Error::upstream(
            kind,
            UpstreamStatus { name: "it", status },
            "it",
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn a_404_is_remembered_for_its_time_and_nothing_else_is() {
        let missing = Missing::new(16 << 20);
        missing.note("it", &failure(Kind::NotFound, 404));
        missing.note("other", &failure(Kind::UpstreamError, 400));
        assert!(missing.get("it").is_some() && missing.get("other").is_none());
        tokio::time::advance(FRESH).await;
        assert!(missing.get("it").is_none());
    }

    #[test]
    fn they_are_bounded_in_number_and_by_the_bytes_of_the_cache() {
        let none = Missing::new(0);
        none.note("it", &failure(Kind::NotFound, 404));
        assert!(none.get("it").is_none());
        let missing = Missing::new(usize::MAX);
        for number in 0..10_000 {
            missing.note(&number.to_string(), &failure(Kind::NotFound, 404));
        }
        let errors = missing.errors.get().unwrap();
        assert!(errors.len() <= MOST_BYTES / 512, "{}", errors.len());
        assert!(errors.weight() <= MOST_BYTES as u64);
    }
}
