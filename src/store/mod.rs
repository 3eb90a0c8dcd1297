//! Short-lived records by key, shared by all processes of an application: requests to clients, responses, task states.

mod dynamo;
mod memory;
mod watch;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};

use dynamo::Dynamo;
use memory::Memory;
use watch::Watch;

/// The largest value, which leaves room for the rest of an item of DynamoDB (400 KB with its names).
pub(crate) const LARGEST: usize = 350 << 10;

/// The longest lifetime; a longer one could overflow a clock.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The first and the longest wait between two reads of a record that another process may change.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Records with a key and a limited lifetime. Cheap to clone; all clones share the records.
///
/// A read returns the latest write of any process. An expired record is absent. The key of a removed or expired record
/// can be used again, and its versions start again at 1: a reader that waits for the old record may take the new one for it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    place: Place,
    watch: Watch,
}

/// Where the records are.
enum Place {
    /// In the memory of this process.
    Memory(Memory),
    /// In a table that all processes share.
    Dynamo(Box<Dynamo>),
}

/// A value and how often it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The text that was written.
    pub value: String,
    /// 1 for a new record, and one more with each [`Store::replace`].
    pub version: u64,
}

/// The result of waiting for a change of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has another version.
    To(Record),
    /// It was removed, has expired, or never existed.
    Gone,
    /// The deadline came first.
    None,
}

/// A record and its remaining lifetime.
struct Found {
    record: Record,
    left: Duration,
}

impl Store {
    /// The store that the settings select: a table, or the memory of this process. It sends nothing.
    ///
    /// # Errors
    /// The invalid setting.
    pub fn new(config: &Config) -> Result<Store, String> {
        let place = match &config.table {
            None => Place::Memory(Memory::new()),
            Some(table) => Place::Dynamo(Box::new(Dynamo::new(config, table)?)),
        };
        let watch = Watch::new();
        Ok(Store(Arc::new(Shared { place, watch })))
    }

    /// Writes a new record that expires after `ttl`, at most a year; false if the key is in use.
    ///
    /// # Errors
    /// `StoreUnavailable` if the store cannot be reached or is full, `ValueTooLarge` for a value above 350 KiB,
    /// `Internal` if its settings are wrong.
    pub async fn create(&self, key: &str, value: String, ttl: Duration) -> Result<bool> {
        self.create_for(None, key, value, ttl).await
    }

    /// Writes a new record that counts against `holder`. In the memory of a process, one holder cannot take more than the
    /// space left for the rest.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create_for(
        &self,
        holder: Option<&str>,
        key: &str,
        value: String,
        ttl: Duration,
    ) -> Result<bool> {
        check_size(&value)?;
        let ttl = ttl.min(LONGEST);
        let done = match &self.0.place {
            Place::Memory(memory) => memory.create(holder, key, value, ttl)?,
            Place::Dynamo(table) => table.create(key, value, ttl).await?,
        };
        Ok(self.told(key, done))
    }

    /// The record, unless it has expired.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn get(&self, key: &str) -> Result<Option<Record>> {
        Ok(self.find(key).await?.map(|found| found.record))
    }

    /// Replaces `version` by `version + 1`, which expires after `ttl`, at most a year; false if the record has another
    /// version by now, or is gone.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn replace(
        &self,
        key: &str,
        version: u64,
        value: String,
        ttl: Duration,
    ) -> Result<bool> {
        check_size(&value)?;
        let ttl = ttl.min(LONGEST);
        let done = match &self.0.place {
            Place::Memory(memory) => memory.replace(key, version, value, ttl)?,
            Place::Dynamo(table) => table.replace(key, version, value, ttl).await?,
        };
        Ok(self.told(key, done))
    }

    /// Removes the record, if there is one.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn remove(&self, key: &str) -> Result<()> {
        match &self.0.place {
            Place::Memory(memory) => memory.remove(key),
            Place::Dynamo(table) => table.remove(key).await?,
        }
        self.told(key, true);
        Ok(())
    }

    /// Removes the record if that needs no waiting, as in a destructor; a record in a table is left to expire.
    pub fn forget(&self, key: &str) {
        if let Place::Memory(memory) = &self.0.place {
            memory.remove(key);
            self.told(key, true);
        }
    }

    /// Waits until the record has another version than `seen`, or is gone, or `deadline` has passed.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn changed(&self, key: &str, seen: u64, deadline: Deadline) -> Result<Change> {
        let listener = self.0.watch.listen(key);
        let [mut pause, longest] = PAUSES;
        loop {
            // Listens before it reads, so that it misses no change in between.
            let mut woken = pin!(listener.woken());
            woken.as_mut().enable();
            let Some(found) = deadline.timeout(self.find(key)).await else {
                return Ok(Change::None);
            };
            let left = match found? {
                None => return Ok(Change::Gone),
                Some(found) if found.record.version != seen => {
                    return Ok(Change::To(found.record));
                }
                Some(found) => found.left,
            };
            if deadline.remaining().is_zero() {
                return Ok(Change::None);
            }
            let wait = match &self.0.place {
                Place::Memory(_) => left,
                Place::Dynamo(_) => left.min(pause),
            };
            Deadline::after(wait).min(deadline).timeout(woken).await;
            pause = (2 * pause).min(longest);
        }
    }

    /// The number of records and waiting readers in this process: a test for leaks expects 0.
    pub fn held(&self) -> usize {
        let records = match &self.0.place {
            Place::Memory(memory) => memory.len(),
            Place::Dynamo(_) => 0,
        };
        records + self.0.watch.len()
    }

    async fn find(&self, key: &str) -> Result<Option<Found>> {
        match &self.0.place {
            Place::Memory(memory) => Ok(memory.find(key)),
            Place::Dynamo(table) => table.find(key).await,
        }
    }

    /// Wakes the waiting readers of this process if the record was written.
    fn told(&self, key: &str, done: bool) -> bool {
        if done {
            self.0.watch.wake(key);
        }
        done
    }
}

/// The same limit for memory and table, so that what works on one machine works on many.
fn check_size(value: &str) -> Result<()> {
    match value.len() > LARGEST {
        true => Err(Error::value_too_large(value.len(), LARGEST)),
        false => Ok(()),
    }
}
