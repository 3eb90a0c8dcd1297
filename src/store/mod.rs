//! Short-lived records under keys, which all processes of an application share: questions, answers, states of tasks.

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
const LARGEST: usize = 350 << 10;

/// What no caller should ask for, and what no clock overflows with.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The wait between two looks at a record that another process may change: at first, and at the most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Records that live for a while under a key. Cheap to clone; all clones share the records.
///
/// What was written is read by all from then on. A record that has expired is absent. A key that was removed or has
/// expired may be used again, and its versions begin again too: who waits for the old record takes the new one for it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    place: Place,
    watch: Watch,
}

/// Where the records are.
enum Place {
    /// In this process, which is the only one.
    Memory(Memory),
    /// In a table that all processes use.
    Dynamo(Box<Dynamo>),
}

/// A value and how often it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What its writer made of it.
    pub value: String,
    /// 1 for a new record, and one more with each [`Store::replace`].
    pub version: u64,
}

/// What became of a record that somebody waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has another version.
    To(Record),
    /// It was removed, has expired, or has never been.
    Gone,
    /// The deadline came first.
    None,
}

/// A record as it was found, and how long it will live.
struct Found {
    record: Record,
    left: Duration,
}

impl Store {
    /// The store that the settings name: a table, or the memory of this process. Nothing is asked of the network.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub fn new(config: &Config) -> Result<Store, String> {
        let place = match &config.table {
            None => Place::Memory(Memory::new()),
            Some(table) => Place::Dynamo(Box::new(Dynamo::new(config, table)?)),
        };
        let watch = Watch::new();
        Ok(Store(Arc::new(Shared { place, watch })))
    }

    /// Writes a new record that lives for `ttl`, at most a year; false where there is one already.
    ///
    /// # Errors
    /// `StoreUnavailable` where it cannot be reached or is full, `ValueTooLarge` for more than it takes, `Internal`
    /// where its settings are wrong.
    pub async fn create(&self, key: &str, value: String, ttl: Duration) -> Result<bool> {
        self.create_for(None, key, value, ttl).await
    }

    /// The same for `holder`, who in the memory of a process may not hold more than is left for all others.
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

    /// Writes version `version + 1` in the place of `version`, to live for `ttl` from now, at most a year; false where
    /// somebody was first, or the record is gone.
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

    /// Removes the record where that needs no waiting, for who is being dropped; elsewhere it is left to expire.
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
            // Listens before it looks, so that no change comes between the two.
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

    /// How many records and waits are held in this process: what a test of leftovers expects to be 0.
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

    /// Wakes those of this process who wait for the record, if it was written.
    fn told(&self, key: &str, done: bool) -> bool {
        if done {
            self.0.watch.wake(key);
        }
        done
    }
}

/// What one place takes, all take: whatever works on one machine must work on many.
fn check_size(value: &str) -> Result<()> {
    match value.len() > LARGEST {
        true => Err(Error::value_too_large(value.len(), LARGEST)),
        false => Ok(()),
    }
}
