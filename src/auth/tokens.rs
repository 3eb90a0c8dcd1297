//! Tokens that were verified, remembered until they expire: a client sends the same one with each request.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::principal::Principal;
use crate::clock::Timestamp;

/// The most tokens that are remembered, of 8 KiB at most.
const MOST: usize = 1024;

/// The tokens by a hash with a secret of this process.
pub(super) struct Tokens {
    known: Cache<u64, Arc<Known>>,
    hasher: RandomState,
}

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
        Tokens {
            known: Cache::new(MOST),
            hasher: RandomState::new(),
        }
    }

    /// What is known of the token, as long as it is valid.
    pub(super) fn get(&self, token: &str, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.known.get(&self.hasher.hash_one(token))?;
        let is_same = *known.token == *token;
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
        let hash = self.hasher.hash_one(token);
        self.known.insert(hash, Arc::new(known));
    }
}
