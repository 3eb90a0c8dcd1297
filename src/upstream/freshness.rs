//! How fresh the data behind an answer is.

use std::time::Duration;

/// The freshness of the data behind one answer: of the oldest part, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// Whether all of it came from the cache.
    pub hit: bool,
    /// Time since the upstream gave it.
    pub age: Duration,
    /// What is left of its time; below zero where it is past it and stands in for an upstream that fails.
    pub ttl_ms: i64,
}

impl Freshness {
    /// The freshness of an answer that is made of both.
    pub fn and(self, other: Freshness) -> Freshness {
        Freshness {
            hit: self.hit && other.hit,
            age: self.age.max(other.age),
            ttl_ms: self.ttl_ms.min(other.ttl_ms),
        }
    }

    /// Whether it is past its time.
    pub fn is_stale(&self) -> bool {
        self.ttl_ms < 0
    }
}
