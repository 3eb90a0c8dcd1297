//! Records in the memory of the one process that serves all requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Found, Record};
use crate::error::{Error, Result};

/// So many records at the most.
const MOST: usize = 10_000;
/// So many bytes of values at the most.
const MOST_BYTES: usize = 64 << 20;
/// A value of which so many as there may be records would be too much.
const LARGE: usize = MOST_BYTES / MOST;
/// What has expired goes at the latest with the first new record after this time.
const SWEEP: Duration = Duration::from_secs(10);

pub(super) struct Memory(Mutex<Shelf>);

struct Shelf {
    records: HashMap<String, Kept>,
    swept: Instant,
}

struct Kept {
    /// For whom, where that is known.
    holder: Option<String>,
    record: Record,
    expires: Instant,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory(Mutex::new(Shelf {
            records: HashMap::new(),
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
        shelf.make_room(holder, now, value.len())?;
        let kept = Kept {
            holder: holder.map(str::to_owned),
            record: Record { value, version: 1 },
            expires: now + ttl,
        };
        shelf.records.insert(key.to_owned(), kept);
        Ok(true)
    }

    pub(super) fn find(&self, key: &str) -> Option<Found> {
        let now = Instant::now();
        let mut shelf = self.lock();
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
        if value.len() >= LARGE {
            shelf.sweep(now);
        }
        let holder = shelf.records.get(key).and_then(|it| it.holder.as_deref());
        shelf.has_room(holder, value.len())?;
        Ok(match shelf.live(key, now) {
            Some(kept) if kept.record.version == version => {
                let version = version + 1;
                kept.record = Record { value, version };
                kept.expires = now + ttl;
                true
            }
            _ => false,
        })
    }

    pub(super) fn remove(&self, key: &str) {
        self.lock().records.remove(key);
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
    fn live(&mut self, key: &str, now: Instant) -> Option<&mut Kept> {
        self.records.get_mut(key).filter(|kept| kept.expires > now)
    }

    fn make_room(&mut self, holder: Option<&str>, now: Instant, bytes: usize) -> Result<()> {
        // What has expired must not count where shares are counted.
        if self.records.len() >= MOST / 2 || bytes >= LARGE || now >= self.swept + SWEEP {
            self.sweep(now);
        }
        let held = self.records.len();
        if held >= MOST {
            return Err(Error::store_unavailable(format!(
                "the store holds {MOST} records, as many as it may; try again when some have expired"
            )));
        }
        // Nobody has a share that is too large before the half is full.
        if held >= MOST / 2 {
            self.check_share(holder, |_| 1, 1, MOST - held, "records")?;
        }
        self.has_room(holder, bytes)
    }

    fn has_room(&self, holder: Option<&str>, bytes: usize) -> Result<()> {
        // Small values are as many as there may be records, so only large ones need to be counted.
        if bytes < LARGE {
            return Ok(());
        }
        let size: fn(&Kept) -> usize = |it| it.record.value.len();
        let held: usize = self.records.values().map(size).sum();
        if held + bytes > MOST_BYTES {
            return Err(Error::store_unavailable(format!(
                "the store holds {held} bytes, of {MOST_BYTES} that it may; try again when some have expired"
            )));
        }
        self.check_share(holder, size, bytes, MOST_BYTES - held, "bytes")
    }

    /// With `more` nobody comes to hold more than is left then for all others, so that one alone cannot fill the store.
    fn check_share(
        &self,
        holder: Option<&str>,
        size: fn(&Kept) -> usize,
        more: usize,
        left: usize,
        what: &str,
    ) -> Result<()> {
        let Some(holder) = holder else {
            return Ok(());
        };
        let kept = self.records.values();
        let own = kept.filter(|it| it.holder.as_deref() == Some(holder));
        let own: usize = own.map(size).sum();
        match own + more > left - more {
            true => Err(Error::store_unavailable(format!(
                "the store holds {own} {what} for this caller, and has {left} left for all; try again when some have expired"
            ))),
            false => Ok(()),
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.records.retain(|_, kept| kept.expires > now);
        self.swept = now;
    }
}
