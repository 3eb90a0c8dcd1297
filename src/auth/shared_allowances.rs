//! Rate limits that all processes share in the table: approximately, and at a bounded cost.
//!
//! A process exchanges its usage of an allowance once a second at most, with two requests: it reads what all processes
//! have used, decides, and writes that with its own part. In between it decides by what it knows.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::try_join_all;
use ring::digest::{SHA256, digest};
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::allowances::{Allowances, Kept};
use super::rate::{Charge, Quota, decide};
use crate::error::{Error, Result};
use crate::store::{Record, Store};

/// The least time between two exchanges of one allowance.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a call waits for the table, once to read and once to write: milliseconds, but the first connection of a small
/// Lambda function takes some hundred of them.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time without exchanges after one has failed.
const REST: Duration = Duration::from_secs(5);

/// How often a write is tried while other processes write the same allowance.
const TRIES: usize = 3;

/// The way to the usage of all processes.
pub(super) struct SharedAllowances {
    store: Store,
    resting: Mutex<Option<Instant>>,
}

impl SharedAllowances {
    pub(super) fn new(store: Store) -> SharedAllowances {
        let resting = Mutex::default();
        SharedAllowances { store, resting }
    }

    /// Charges the call to all of the limits, or to none of them. Without the table it decides by what this process knows.
    pub(super) async fn charge(
        &self,
        allowances: &Allowances,
        charges: &[Charge],
    ) -> Option<Quota> {
        let due = match self.is_resting() {
            true => Vec::new(),
            false => due(&mut allowances.lock(), charges),
        };
        let keys: Vec<String> = due.iter().map(|it| key(&it.subject)).collect();
        let reading = try_join_all(keys.iter().map(|key| self.store.get(key)));
        let Some(records) = self.within(reading).await else {
            return decide(&mut allowances.lock(), charges);
        };
        let quota = {
            let mut kept = allowances.lock();
            for (charge, record) in due.iter().zip(&records) {
                merge(&mut kept, charge, record.as_ref());
            }
            decide(&mut kept, charges)
        };
        let writes = due.iter().zip(&keys).zip(records);
        let writes = writes.map(|((charge, key), it)| self.write(allowances, charge, key, it));
        self.within(try_join_all(writes)).await;
        quota
    }

    /// Writes what this process has used beside all others.
    async fn write(
        &self,
        allowances: &Allowances,
        charge: &Charge,
        key: &str,
        mut seen: Option<Record>,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let now = Instant::now();
            let (used, part) = {
                let mut kept = allowances.lock();
                let allowance = kept.find(charge.place, now);
                (allowance.used(now), allowance.unshared(now))
            };
            if part.is_zero() {
                return Ok(());
            }
            let value = (since_epoch() + used).as_millis().to_string();
            let done = match &seen {
                Some(it) => self.store.replace(key, it.version, value, used).await?,
                None => self.store.create(key, value, used).await?,
            };
            if done {
                let mut kept = allowances.lock();
                kept.find(charge.place, now).shared(part);
                return Ok(());
            }
            seen = self.store.get(key).await?;
            merge(&mut allowances.lock(), charge, seen.as_ref());
        }
        Ok(())
    }

    /// Waits for the table, and leaves it alone for a moment after a failure.
    async fn within<T>(&self, exchange: impl Future<Output = Result<T>>) -> Option<T> {
        let failure = match timeout(PATIENCE, exchange).await {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error,
            Err(_) => Error::deadline_exceeded(),
        };
        let error = failure.kind().as_str();
        warn!(
            error,
            "the rate limits are those of this process alone for a moment"
        );
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
        None
    }

    fn is_resting(&self) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.is_some_and(|until| until > Instant::now())
    }
}

/// The charges whose allowances are to be exchanged now. The allowance that further callers share is not.
fn due<'a>(kept: &mut Kept, charges: &'a [Charge]) -> Vec<&'a Charge> {
    let now = Instant::now();
    let due = charges.iter().filter(|it| {
        kept.has_room(it.place) && kept.find(it.place, now).begin_exchange(PAUSE, now)
    });
    due.collect()
}

/// Takes in what all processes have used.
fn merge(kept: &mut Kept, charge: &Charge, record: Option<&Record>) {
    let now = Instant::now();
    let until: Option<u64> = record.and_then(|it| it.value.parse().ok());
    let until = Duration::from_millis(until.unwrap_or_default());
    let used = until.saturating_sub(since_epoch());
    // The clocks of processes differ; no more than the whole allowance can be used.
    let used = used.min(charge.limit.period);
    kept.find(charge.place, now).merge(used, now);
}

/// The key of a record, which names no caller.
fn key(subject: &str) -> String {
    let hash = digest(&SHA256, subject.as_bytes());
    format!("rate#{}", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..18]))
}

/// The time since 1970, by the system's clock: processes must agree on it.
fn since_epoch() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}
