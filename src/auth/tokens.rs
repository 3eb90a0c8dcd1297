//! Tokens that were verified, remembered until they expire: a client sends the same one with each request.

use std::sync::Arc;

use quick_cache::sync::Cache;
use xxhash_rust::xxh3::xxh3_64;

use super::principal::Principal;
use crate::clock::Timestamp;

/// The most tokens that are remembered, of 8 KiB at most.
const MOST: usize = 1024;

/// The tokens by a hash that is fast and not cryptographic. Of two verified tokens with the same hash, the last one is
/// remembered; the other is verified again.
pub(super) struct Tokens(Cache<u64, Arc<Known>>);

/// A verified token. It has no `Debug`.
pub(super) struct Known {
    /// The token itself, because others may have the same hash.
    token: Box<str>,
    /// The place of its issuer.
    pub(super) issuer: usize,
    /// The keys that it was verified with.
    pub(super) generation: u64,
    pub(super) principal: Arc<Principal>,
}

impl Tokens {
    pub(super) fn new() -> Tokens {
        Tokens(Cache::new(MOST))
    }

    /// What is known of the token, as long as it is valid.
    pub(super) fn get(&self, token: &str, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.0.get(&xxh3_64(token.as_bytes()))?;
        let is_same = is_same(known.token.as_bytes(), token.as_bytes());
        (is_same && !known.principal.has_expired(now)).then_some(known)
    }

    /// Remembers it.
    pub(super) fn insert(
        &self,
        token: &str,
        (issuer, generation): (usize, u64),
        principal: Arc<Principal>,
    ) {
        let known = Known {
            token: token.into(),
            issuer,
            generation,
            principal,
        };
        self.0.insert(xxh3_64(token.as_bytes()), Arc::new(known));
    }
}

/// Whether they are equal, eight bytes at a time: the C library of the deployed binary compares single ones.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((one, rest), (other, others)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b) && rest == others
}
