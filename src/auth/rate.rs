//! Rate limits of callers: the generic cell rate algorithm, in the memory of this process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::config::{Config, RateLimit};

/// The number of callers with an allowance of their own. Further callers share one, so that no caller's usage is
/// forgotten early.
const MOST: usize = 16 << 10;

/// The limits of the settings.
pub(super) struct RateLimits {
    caller: Option<RateLimit>,
    classes: Vec<(String, RateLimit)>,
    total: Option<RateLimit>,
    /// When each allowance will be whole again.
    full: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
}

/// The remainder of the limit that is closest to being exhausted.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    limit: RateLimit,
    left: u32,
    /// The time until it is whole again.
    reset: Duration,
    /// The time until another call is allowed; zero if this one was.
    pub wait: Duration,
    name: &'static str,
}

impl RateLimits {
    /// The limits, if there are any.
    pub(super) fn new(config: &Config) -> Option<RateLimits> {
        let limits = RateLimits {
            caller: config.rate_limit,
            classes: config.rate_limit_classes.clone().into_iter().collect(),
            total: config.rate_limit_total,
            full: Mutex::default(),
            hasher: RandomState::new(),
        };
        let is_any =
            limits.caller.is_some() || limits.total.is_some() || !limits.classes.is_empty();
        is_any.then_some(limits)
    }

    /// Charges one call of a function of these classes. If one limit refuses the call, no limit is charged.
    pub(super) fn charge<'a>(
        &self,
        holder: &str,
        mut classes: impl Iterator<Item = &'a str>,
    ) -> Option<Quota> {
        let now = Instant::now();
        let class = classes.find_map(|name| self.classes.iter().find(|it| it.0 == name));
        let of_class = class.map(|it| ("class", self.hasher.hash_one((holder, &it.0)), it.1));
        let caller = self
            .caller
            .map(|it| ("caller", self.hasher.hash_one(holder), it));
        let total = self.total.map(|it| ("total", 0, it));
        let limits = [caller, of_class, total].into_iter().flatten();
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quotas = Vec::with_capacity(3);
        for (name, key, limit) in limits {
            let key = place(&mut full, key, now);
            let until = full.get(&key).copied().unwrap_or(now).max(now);
            quotas.push((key, Quota::after(name, limit, until - now)));
        }
        let is_refused = quotas.iter().any(|it| !it.1.wait.is_zero());
        for (key, quota) in quotas.iter().filter(|_| !is_refused) {
            full.insert(*key, now + quota.reset);
        }
        let quotas = quotas.into_iter().map(|it| it.1);
        quotas.min_by_key(|it| (std::cmp::Reverse(it.wait), it.left))
    }
}

/// The place of the key, which is that of all others once there is no room.
fn place(full: &mut HashMap<u64, Instant>, key: u64, now: Instant) -> u64 {
    if full.len() >= MOST && !full.contains_key(&key) {
        full.retain(|_, until| *until > now);
    }
    match full.len() >= MOST && !full.contains_key(&key) {
        true => 1,
        false => key,
    }
}

impl Quota {
    /// What one more call leaves of the limit, whose allowance is whole again after `used`.
    fn after(name: &'static str, limit: RateLimit, used: Duration) -> Quota {
        let step = limit.period / limit.calls;
        let wait = (used + step).saturating_sub(limit.period);
        let reset = match wait.is_zero() {
            true => used + step,
            false => used,
        };
        let free = limit.period.saturating_sub(reset);
        Quota {
            limit,
            left: (free.as_nanos() / step.as_nanos().max(1)) as u32,
            reset,
            wait,
            name,
        }
    }

    /// The headers of draft-ietf-httpapi-ratelimit-headers-10.
    pub fn say(&self, headers: &mut HeaderMap) {
        let (calls, period) = (self.limit.calls, self.limit.period.as_secs());
        let reset = self.wait.max(self.reset).as_millis().div_ceil(1000);
        for (name, value) in [
            (
                "ratelimit-policy",
                format!("\"{}\";q={calls};w={period}", self.name),
            ),
            (
                "ratelimit",
                format!("\"{}\";r={};t={reset}", self.name, self.left),
            ),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
