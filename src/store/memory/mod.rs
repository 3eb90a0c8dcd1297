//! Records in the memory of a single process.

mod quota;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Found, Record};
use crate::error::Result;

use quota::{Quota, Usage};

/// A record may always grow to this size, because the result of a task must find space. The greatest number of records
/// of this size still fits into the limit of the store.
const SMALL: usize = 6 << 10;
/// The space that must be free for a new record: a task that could not store its result is better refused at its start.
const GROWTH: usize = 64 << 10;
/// Expired records are removed by the first new record after this time, if not before.
const SWEEP: Duration = Duration::from_secs(10);

pub(super) struct Memory(Mutex<Shelf>);

struct Shelf {
    records: HashMap<String, Kept>,
    quota: Quota,
    swept: Instant,
}

struct Kept {
    /// The principal or network that the record counts against, if known.
    holder: Option<String>,
    record: Record,
    expires: Instant,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory(Mutex::new(Shelf {
            records: HashMap::new(),
            quota: Quota::default(),
            swept: Instant::now(),
        }))
    }

    pub(super) fn create(
        &self,
        holder: Option<&str>,
        key: &str,
        value: String,
        ttl: Duration,
    ) -> Result<bool> {
        let now = Instant::now();
        let mut shelf = self.lock();
        if shelf.live(key, now).is_some() {
            return Ok(false);
        }
        let more = Usage {
            records: 1,
            bytes: value.len().max(GROWTH),
        };
        shelf.make_room(holder, more, now)?;
        let kept = Kept {
            holder: holder.map(str::to_owned),
            record: Record { value, version: 1 },
            expires: now + ttl,
        };
        shelf.put(key, kept);
        Ok(true)
    }

    pub(super) fn find(&self, key: &str) -> Option<Found> {
        let now = Instant::now();
        let shelf = self.lock();
        let kept = shelf.live(key, now)?;
        Some(Found {
            record: kept.record.clone(),
            left: kept.expires - now,
        })
    }

    pub(super) fn replace(
        &self,
        key: &str,
        version: u64,
        value: String,
        ttl: Duration,
    ) -> Result<bool> {
        let now = Instant::now();
        let mut shelf = self.lock();
        let live = shelf.live(key, now);
        let Some(kept) = live.filter(|it| it.record.version == version) else {
            return Ok(false);
        };
        let holder = kept.holder.clone();
        if value.len() > SMALL {
            let more = Usage {
                records: 0,
                bytes: value.len().saturating_sub(kept.bytes()),
            };
            shelf.make_room(holder.as_deref(), more, now)?;
        }
        let version = version + 1;
        let kept = Kept {
            holder,
            record: Record { value, version },
            expires: now + ttl,
        };
        shelf.put(key, kept);
        Ok(true)
    }

    pub(super) fn remove(&self, key: &str) {
        self.lock().take(key);
    }

    /// How many records have not expired.
    pub(super) fn len(&self) -> usize {
        let mut shelf = self.lock();
        shelf.sweep(Instant::now());
        shelf.records.len()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn live(&self, key: &str, now: Instant) -> Option<&Kept> {
        self.records.get(key).filter(|kept| kept.expires > now)
    }

    fn put(&mut self, key: &str, kept: Kept) {
        self.take(key);
        self.quota.add(kept.holder.as_deref(), kept.bytes());
        self.records.insert(key.to_owned(), kept);
    }

    fn take(&mut self, key: &str) {
        if let Some(kept) = self.records.remove(key) {
            self.quota.subtract(kept.holder.as_deref(), kept.bytes());
        }
    }

    /// Removes expired records before a record is refused.
    fn make_room(&mut self, holder: Option<&str>, more: Usage, now: Instant) -> Result<()> {
        if now >= self.swept + SWEEP || self.quota.has_room(holder, more).is_err() {
            self.sweep(now);
        }
        self.quota.has_room(holder, more)
    }

    fn sweep(&mut self, now: Instant) {
        let expired = self.records.extract_if(|_, kept| kept.expires <= now);
        for (_, kept) in expired {
            self.quota.subtract(kept.holder.as_deref(), kept.bytes());
        }
        self.swept = now;
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.record.value.len()
    }
}
