//! The cancelled requests of a connection. Invocations share them through records in the store.

use std::future::pending;
use std::time::Duration;

use serde_json::value::RawValue;

use super::connection::Connection;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::mcp::same;
use crate::store::{Change, Store};

/// API Gateway closes every connection after two hours.
const LIFE: Duration = Duration::from_secs(7_500);

/// How long a late or duplicate event is recognised.
const LATE: Duration = Duration::from_secs(600);

/// The records of a client that has cancelled nothing, and of a client that has disconnected.
const NOTHING: &str = "[]";
const GONE: &str = "gone";

/// The number of cancelled requests to remember.
const MOST: usize = 64;

/// The number of attempts to update a record that others update at the same time.
const TRIES: u32 = 5;

/// Whether a deferred call starts.
pub(super) enum Start {
    /// It starts, and watches the record from this version on.
    Watched(u64),
    /// It starts, but cannot be cancelled, because the record could not be read.
    Unwatched,
    /// The client has already cancelled it, or has disconnected.
    Unwanted,
    /// It was delivered before.
    Repeated,
}

/// The record of a connection: the requests that the client has cancelled, or that the client has disconnected.
pub(super) struct Cancellations(Store);

impl Cancellations {
    pub(super) fn new(store: Store) -> Cancellations {
        Cancellations(store)
    }

    /// Whether this is the first delivery of the job: Lambda may deliver an event twice.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn claim(&self, job: &str) -> Result<bool> {
        let key = format!("ws#job#{job}");
        self.0.create(&key, String::new(), LATE).await
    }

    /// Claims the call of this job.
    ///
    /// # Errors
    /// The store fails, and it is unknown whether the call runs elsewhere.
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

    /// Records that the client has cancelled this request.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn cancel(&self, connection: &Connection, id: &RawValue) -> Result<()> {
        let note = |noted: &str| {
            // A client that has disconnected needs no response at all.
            if noted == GONE {
                return None;
            }
            let mut ids = read(noted);
            ids.push(same(id));
            Some(serde_json::json!(ids[ids.len().saturating_sub(MOST)..]).to_string())
        };
        self.note(connection, LIFE, note).await
    }

    /// Records that the client has disconnected, for calls that run and for deferred calls that start later.
    ///
    /// # Errors
    /// The store fails.
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

    /// The version of the record from which a new call watches it; `None` if the client has already cancelled the call
    /// or disconnected.
    ///
    /// # Errors
    /// The store fails.
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

    /// Completes when the record says, after this version, that the request is cancelled or the client has
    /// disconnected.
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

/// Whether the record says that the client does not need this response.
fn ends(noted: &str, id: &RawValue) -> bool {
    noted == GONE || read(noted).contains(&same(id))
}
