//! Which requests of a connection were cancelled: invocations tell each other through the records that they share.

use std::future::pending;
use std::time::Duration;

use serde_json::value::RawValue;

use super::connection::Connection;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::mcp::same;
use crate::store::{Change, Store};

/// API Gateway ends every connection after two hours.
const LIFE: Duration = Duration::from_secs(7_500);

/// How long an event that comes late, or a second time, is known for one.
const LATE: Duration = Duration::from_secs(600);

/// The record of a client that has cancelled nothing, and of one that is gone.
const NOTHING: &str = "[]";
const GONE: &str = "gone";

/// How many cancelled requests are remembered.
const MOST: usize = 64;

/// How often a record is written that others write at the same time.
const TRIES: u32 = 5;

/// What becomes of a call that was handed on.
pub(super) enum Start {
    /// Its client is to be watched from that version of the record on.
    Watched(u64),
    /// It begins, and its client cannot be watched, because the record could not be read.
    Unwatched,
    /// Its client has cancelled it already, or is gone.
    Unwanted,
    /// It was delivered before.
    Repeated,
}

/// The record of a connection lists the requests that its client has cancelled, or says that the client is gone.
pub(super) struct Cancellations(Store);

impl Cancellations {
    pub(super) fn new(store: Store) -> Cancellations {
        Cancellations(store)
    }

    /// Whether this is the first delivery of the job: Lambda may deliver an event twice.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn claim(&self, job: &str) -> Result<bool> {
        let key = format!("ws#job#{job}");
        self.0.create(&key, String::new(), LATE).await
    }

    /// Whether the call of that job begins here and now.
    ///
    /// # Errors
    /// The store's, where it is unknown whether it has begun elsewhere.
    pub(super) async fn start(
        &self,
        job: &str,
        connection: &Connection,
        id: &RawValue,
    ) -> Result<Start> {
        if !self.claim(job).await? {
            return Ok(Start::Repeated);
        }
        Ok(match self.begin(connection, id).await {
            Ok(Some(seen)) => Start::Watched(seen),
            Ok(None) => Start::Unwanted,
            Err(_) => Start::Unwatched,
        })
    }

    /// Notes that the client does not want the response to that request any more.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn cancel(&self, connection: &Connection, id: &RawValue) -> Result<()> {
        let note = |noted: &str| {
            // A client that is gone wants no response at all.
            if noted == GONE {
                return None;
            }
            let mut ids = read(noted);
            ids.push(same(id));
            Some(serde_json::json!(ids[ids.len().saturating_sub(MOST)..]).to_string())
        };
        self.note(connection, LIFE, note).await
    }

    /// Notes that the client is gone, for the calls that run and for those that were handed on and begin later.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn forget(&self, connection: &Connection) -> Result<()> {
        self.note(connection, LATE, |_| Some(GONE.to_owned())).await
    }

    async fn note(
        &self,
        connection: &Connection,
        ttl: Duration,
        note: impl Fn(&str) -> Option<String>,
    ) -> Result<()> {
        let key = key(connection);
        for _ in 0..TRIES {
            let record = self.0.get(&key).await?;
            let Some(value) = note(record.as_ref().map_or(NOTHING, |it| &it.value)) else {
                return Ok(());
            };
            let is_noted = match record {
                None => self.0.create(&key, value, ttl).await?,
                Some(record) => self.0.replace(&key, record.version, value, ttl).await?,
            };
            if is_noted {
                return Ok(());
            }
        }
        Err(Error::store_unavailable(
            "too many wrote the record of this connection at the same time",
        ))
    }

    /// The version of the record from which a call that begins now is to be watched; `None` where the client has cancelled
    /// it already, or is gone.
    ///
    /// # Errors
    /// The store's.
    async fn begin(&self, connection: &Connection, id: &RawValue) -> Result<Option<u64>> {
        let key = key(connection);
        if self.0.create(&key, NOTHING.to_owned(), LIFE).await? {
            return Ok(Some(1));
        }
        let record = self.0.get(&key).await?;
        Ok(record
            .filter(|it| !ends(&it.value, id))
            .map(|it| it.version))
    }

    /// Ready when the client has cancelled the request since that version, or is gone, as far as the record tells.
    pub(super) async fn given_up(
        &self,
        connection: &Connection,
        id: &RawValue,
        seen: u64,
        deadline: Deadline,
    ) {
        if self.watch(connection, id, seen, deadline).await.is_none() {
            pending().await
        }
    }

    async fn watch(
        &self,
        connection: &Connection,
        id: &RawValue,
        mut seen: u64,
        deadline: Deadline,
    ) -> Option<()> {
        let key = key(connection);
        loop {
            match self.0.changed(&key, seen, deadline).await.ok()? {
                Change::To(record) if ends(&record.value, id) => return Some(()),
                Change::To(record) => seen = record.version,
                Change::Gone => return Some(()),
                Change::None => return None,
            }
        }
    }
}

fn key(connection: &Connection) -> String {
    format!("ws#{}", connection.id())
}

fn read(ids: &str) -> Vec<String> {
    serde_json::from_str(ids).unwrap_or_default()
}

/// Whether the record says that the client does not want the response to that request.
fn ends(noted: &str, id: &RawValue) -> bool {
    noted == GONE || read(noted).contains(&same(id))
}
