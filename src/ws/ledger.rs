//! What the invocations that serve one connection tell each other, through the records that they share.

use std::future::pending;
use std::time::Duration;

use serde_json::value::RawValue;

use super::connection::Connection;
use super::same;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::store::{Change, Store};

/// API Gateway ends every connection after two hours.
const LIFE: Duration = Duration::from_secs(7_500);

/// How long a second delivery of the same event is known for one.
const CLAIM: Duration = Duration::from_secs(600);

/// How many cancelled requests are remembered.
const MOST: usize = 64;

/// How often a record is written that others write at the same time.
const TRIES: u32 = 5;

/// The record of a connection lists the requests that its client has cancelled; it goes when the client does.
pub(super) struct Ledger(Store);

impl Ledger {
    pub(super) fn new(store: Store) -> Ledger {
        Ledger(store)
    }

    /// Whether this is the first delivery of the job: Lambda may deliver an event twice.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn claim(&self, job: &str) -> Result<bool> {
        let key = format!("ws#job#{job}");
        self.0.create(&key, String::new(), CLAIM).await
    }

    /// Notes that the client does not want the response to that request any more.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn cancel(&self, connection: &Connection, id: &RawValue) -> Result<()> {
        let key = key(connection);
        for _ in 0..TRIES {
            let record = self.0.get(&key).await?;
            let mut ids = record.as_ref().map_or_else(Vec::new, |it| read(&it.value));
            ids.push(same(id));
            let ids = serde_json::json!(ids[ids.len().saturating_sub(MOST)..]).to_string();
            let is_noted = match record {
                None => self.0.create(&key, ids, LIFE).await?,
                Some(record) => self.0.replace(&key, record.version, ids, LIFE).await?,
            };
            if is_noted {
                return Ok(());
            }
        }
        Err(Error::store_unavailable(
            "too many wrote the record of this connection at the same time",
        ))
    }

    /// Notes that the client is gone.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn forget(&self, connection: &Connection) -> Result<()> {
        self.0.remove(&key(connection)).await
    }

    /// Ready when the client has cancelled the request, or is gone, as far as anybody could note it.
    pub(super) async fn given_up(
        &self,
        connection: &Connection,
        id: &RawValue,
        deadline: Deadline,
    ) {
        if self.watch(connection, id, deadline).await.is_none() {
            pending().await
        }
    }

    async fn watch(
        &self,
        connection: &Connection,
        id: &RawValue,
        deadline: Deadline,
    ) -> Option<()> {
        let key = key(connection);
        self.0.create(&key, "[]".to_owned(), LIFE).await.ok()?;
        // No record has this version, so the first look tells what is there.
        let mut seen = 0;
        loop {
            match self.0.changed(&key, seen, deadline).await.ok()? {
                Change::To(record) if read(&record.value).contains(&same(id)) => return Some(()),
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
