//! What callers have used of their rate limits, in the memory of this process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The number of callers with an allowance of their own. Further callers share one, so that no caller's usage is
/// forgotten early.
const MOST: usize = 16 << 10;

/// The place of the allowance that further callers share.
const OTHERS: u64 = 1;

/// All allowances that are not whole.
#[derive(Default)]
pub(super) struct Allowances {
    kept: Mutex<Kept>,
    hasher: RandomState,
}

/// The allowances, by the hash of their subject.
#[derive(Default)]
pub(super) struct Kept(HashMap<u64, Allowance>);

/// What is used of one allowance.
pub(super) struct Allowance {
    /// When it will be whole again.
    until: Instant,
    /// The part of it that other processes do not know of.
    unshared: Duration,
    /// When other processes were last asked.
    exchanged: Option<Instant>,
}

impl Allowances {
    pub(super) fn place(&self, subject: &str) -> u64 {
        self.hasher.hash_one(subject)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The time until the allowance will be whole again.
    pub(super) fn used(&self, place: u64, now: Instant) -> Duration {
        let place = match self.is_full_for(place) {
            true => OTHERS,
            false => place,
        };
        let found = self.0.get(&place);
        found.map_or(Duration::ZERO, |it| it.used(now))
    }

    /// The allowance, which is a common one once there is no room.
    pub(super) fn find(&mut self, place: u64, now: Instant) -> &mut Allowance {
        if self.is_full_for(place) {
            self.0.retain(|_, it| it.until > now);
        }
        let place = match self.is_full_for(place) {
            true => OTHERS,
            false => place,
        };
        self.0.entry(place).or_insert(Allowance {
            until: now,
            unshared: Duration::ZERO,
            exchanged: None,
        })
    }

    /// Whether the allowance has a place of its own, or can have one.
    pub(super) fn has_room(&self, place: u64) -> bool {
        !self.is_full_for(place)
    }

    fn is_full_for(&self, place: u64) -> bool {
        self.0.len() >= MOST && !self.0.contains_key(&place)
    }
}

impl Allowance {
    /// The time until it will be whole again.
    pub(super) fn used(&self, now: Instant) -> Duration {
        self.until.saturating_duration_since(now)
    }

    /// Sets the time until it will be whole again, which is later because of a call.
    pub(super) fn charge(&mut self, used: Duration, now: Instant) {
        self.unshared = self.unshared(now) + used.saturating_sub(self.used(now));
        self.until = now + used;
    }

    /// The part that other processes do not know of.
    pub(super) fn unshared(&self, now: Instant) -> Duration {
        self.unshared.min(self.used(now))
    }

    /// Adds its own part to what all processes have used together.
    pub(super) fn merge(&mut self, used: Duration, now: Instant) {
        self.unshared = self.unshared(now);
        self.until = now + used + self.unshared;
    }

    /// Other processes now know of this part.
    pub(super) fn shared(&mut self, part: Duration) {
        self.unshared = self.unshared.saturating_sub(part);
    }

    /// Whether the last exchange was so long ago; it then begins another one.
    pub(super) fn begin_exchange(&mut self, pause: Duration, now: Instant) -> bool {
        let is_due = self.exchanged.is_none_or(|at| now - at >= pause);
        if is_due {
            self.exchanged = Some(now);
        }
        is_due
    }
}
