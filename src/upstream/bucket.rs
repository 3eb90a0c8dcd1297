//! A token bucket: how many requests may start now, and when the next ones may.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::Rate;

/// A token bucket, represented by the time at which it will be full again.
pub(super) struct Bucket {
    rate: Rate,
    full_at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: Rate) -> Bucket {
        let full_at = Instant::now();
        Bucket { rate, full_at }
    }

    /// The time in which one token is added.
    pub(super) fn period(&self) -> Duration {
        self.rate.period
    }

    pub(super) fn has_token(&self) -> bool {
        self.token_at(0) <= Instant::now()
    }

    /// When a token will be available after `before` other requests have taken theirs.
    pub(super) fn token_at(&self, before: usize) -> Instant {
        let full_at = self.full_at.max(Instant::now());
        let Rate { burst, period } = self.rate;
        // A full bucket has `burst` tokens; each missing token is one period away from full.
        let missing = period * u32::try_from(before + 1).unwrap_or(u32::MAX);
        (full_at + missing)
            .checked_sub(period * burst)
            .unwrap_or(full_at)
    }

    pub(super) fn take(&mut self) {
        self.full_at = self.full_at.max(Instant::now()) + self.rate.period;
    }

    /// Returns a token that was taken but not used.
    pub(super) fn give_back(&mut self) {
        let full_at = self.full_at.checked_sub(self.rate.period);
        self.full_at = full_at.unwrap_or(self.full_at);
    }

    /// How many tokens become available until `end`.
    pub(super) fn tokens_by(&self, end: Instant) -> usize {
        let first = self.token_at(0);
        if end < first {
            return 0;
        }
        let more = (end - first).as_nanos() / self.rate.period.as_nanos().max(1);
        usize::try_from(more).map_or(usize::MAX, |more| more.saturating_add(1))
    }
}
