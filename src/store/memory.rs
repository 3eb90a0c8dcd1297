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
/// What has expired goes at the latest with the first new record after this time.
const SWEEP: Duration = Duration::from_secs(10);

pub(super) struct Memory(Mutex<Shelf>);

struct Shelf {
    records: HashMap<String, Kept>,
    swept: Instant,
}

struct Kept {
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

    pub(super) fn create(&self, key: &str, value: String, ttl: Duration) -> Result<bool> {
        let now = Instant::now();
        let mut shelf = self.lock();
        if shelf.live(key, now).is_some() {
            return Ok(false);
        }
        shelf.make_room(now, value.len())?;
        let record = Record { value, version: 1 };
        let expires = now + ttl;
        shelf
            .records
            .insert(key.to_owned(), Kept { record, expires });
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
        shelf.has_room(value.len())?;
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

    fn make_room(&mut self, now: Instant, bytes: usize) -> Result<()> {
        if self.records.len() >= MOST || now >= self.swept + SWEEP {
            self.sweep(now);
        }
        match self.records.len() {
            MOST.. => Err(Error::store_unavailable(format!(
                "the store holds {MOST} records, as many as it may; try again when some have expired"
            ))),
            _ => self.has_room(bytes),
        }
    }

    fn has_room(&self, bytes: usize) -> Result<()> {
        // Small values are as many as there may be records, so only large ones need to be counted.
        if bytes < MOST_BYTES / MOST {
            return Ok(());
        }
        let held: usize = self.records.values().map(|it| it.record.value.len()).sum();
        match held + bytes > MOST_BYTES {
            true => Err(Error::store_unavailable(format!(
                "the store holds {held} bytes, of {MOST_BYTES} that it may; try again when some have expired"
            ))),
            false => Ok(()),
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.records.retain(|_, kept| kept.expires > now);
        self.swept = now;
    }
}
