//! Rate limits of callers: the generic cell rate algorithm.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::allowances::{Allowances, Kept};
use super::shared_allowances::SharedAllowances;
use crate::config::{Config, RateLimit};
use crate::store::Store;

/// The limits of the settings.
pub(super) struct RateLimits {
    caller: Option<RateLimit>,
    classes: Vec<(String, RateLimit)>,
    total: Option<RateLimit>,
    allowances: Allowances,
    /// The table with the usage of all processes, where the settings say so.
    shared: Option<SharedAllowances>,
}

/// One limit of one call.
pub(super) struct Charge {
    name: &'static str,
    pub(super) limit: RateLimit,
    /// Whose calls are counted together.
    pub(super) subject: String,
    /// The place of the allowance in this process.
    pub(super) place: u64,
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
    ///
    /// # Errors
    /// They are to be shared, and there is no table.
    pub(super) fn new(config: &Config, store: &Store) -> Result<Option<RateLimits>, String> {
        let shared = config.rate_limit_shared;
        if shared && config.table.is_none() {
            let problem = "`BIFOLD_RATE_LIMIT_SHARED` needs `BIFOLD_TABLE`: processes share the limits in that table";
            return Err(problem.to_owned());
        }
        let limits = RateLimits {
            caller: config.rate_limit,
            classes: config.rate_limit_classes.clone().into_iter().collect(),
            total: config.rate_limit_total,
            allowances: Allowances::default(),
            shared: shared.then(|| SharedAllowances::new(store.clone())),
        };
        let is_any =
            limits.caller.is_some() || limits.total.is_some() || !limits.classes.is_empty();
        Ok(is_any.then_some(limits))
    }

    /// Charges one call of a function of these classes. If one limit refuses the call, no limit is charged.
    pub(super) async fn charge<'a>(
        &self,
        holder: &str,
        classes: impl Iterator<Item = &'a str>,
    ) -> Option<Quota> {
        let charges = self.charges(holder, classes);
        match &self.shared {
            None => decide(&mut self.allowances.lock(), &charges),
            // Boxed, because limits in memory need no wait.
            Some(shared) => Box::pin(shared.charge(&self.allowances, &charges)).await,
        }
    }

    /// The limits of one call.
    fn charges<'a>(&self, holder: &str, mut classes: impl Iterator<Item = &'a str>) -> Vec<Charge> {
        let class = classes.find_map(|name| self.classes.iter().find(|it| it.0 == name));
        let caller = self
            .caller
            .map(|it| ("caller", format!("caller#{holder}"), it));
        let of_class = class.map(|(class, it)| ("class", format!("class#{class}#{holder}"), *it));
        let total = self.total.map(|it| ("total", "total".to_owned(), it));
        let all = [caller, of_class, total].into_iter().flatten();
        let charges = all.map(|(name, subject, limit)| Charge {
            name,
            limit,
            place: self.allowances.place(&subject),
            subject,
        });
        charges.collect()
    }
}

/// Charges the call to all of the limits, or to none of them.
pub(super) fn decide(kept: &mut Kept, charges: &[Charge]) -> Option<Quota> {
    let now = Instant::now();
    let quotas = charges.iter().map(|it| {
        let used = kept.used(it.place, now);
        Quota::after(it.name, it.limit, used)
    });
    let quotas: Vec<Quota> = quotas.collect();
    let is_refused = quotas.iter().any(|it| !it.wait.is_zero());
    for (charge, quota) in charges.iter().zip(&quotas).filter(|_| !is_refused) {
        kept.find(charge.place, now).charge(quota.reset, now);
    }
    quotas
        .into_iter()
        .min_by_key(|it| (std::cmp::Reverse(it.wait), it.left))
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
