//! How fresh the data behind an answer is.

use std::time::Duration;

/// The freshness of the data behind one answer; with several parts, that of the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// Whether all of it came from the cache.
    pub hit: bool,
    /// The time since the upstream sent it.
    pub age: Duration,
    /// The remaining lifetime; negative for a stale answer that is used because the upstream fails.
    pub ttl_ms: i64,
}

impl Freshness {
    /// A response that was not cached and must not be.
    pub(super) const NONE: Freshness = Freshness {
        hit: false,
        age: Duration::ZERO,
        ttl_ms: 0,
    };

    /// The freshness of an answer that is made of both.
    pub fn and(self, other: Freshness) -> Freshness {
        Freshness {
            hit: self.hit && other.hit,
            age: self.age.max(other.age),
            ttl_ms: self.ttl_ms.min(other.ttl_ms),
        }
    }

    /// Whether its lifetime has passed.
    pub fn is_stale(&self) -> bool {
        self.ttl_ms < 0
    }
}
