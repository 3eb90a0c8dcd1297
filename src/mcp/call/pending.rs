//! Pending requests to clients of revisions before 2026-07-28: the answer arrives in another POST, perhaps at another
//! process.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Deadline;
use crate::config::key;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::call::shutdown::Shutdown;
use crate::store::{Change, Store};

/// The version of a record without an answer.
const UNANSWERED: u64 = 1;

/// The pending requests, each a record under its id.
#[derive(Clone)]
pub(crate) struct PendingRequests {
    store: Store,
    /// How long a request waits for its answer.
    patience: Duration,
    shutdown: Shutdown,
    /// The client that the records are charged to, if known.
    holder: Option<String>,
    /// The principal that is asked, whose answer alone counts.
    owner: Option<String>,
}

/// The record of one pending request, which lives as long as a function waits for it.
pub(crate) struct Slot {
    pending_requests: PendingRequests,
    id: Arc<str>,
}

/// A client's JSON-RPC response.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
}

impl PendingRequests {
    pub(crate) fn new(store: Store, patience: Duration, shutdown: Shutdown) -> PendingRequests {
        PendingRequests {
            store,
            patience,
            shutdown,
            holder: None,
            owner: None,
        }
    }

    /// The same pending requests, of the client of that call.
    pub(crate) fn of(&self, cx: &Context) -> PendingRequests {
        PendingRequests {
            holder: cx.holder(),
            owner: cx.principal().map(|it| it.id().to_owned()),
            ..self.clone()
        }
    }

    /// Creates a record for one answer. Its id is a secret between the server and the client, because it is the only
    /// proof that an answer carries. `about` names the request in an error.
    ///
    /// # Errors
    /// The process is shutting down, or the store fails.
    pub(crate) async fn open(&self, about: &str) -> Result<Slot> {
        if self.shutdown.has_begun() {
            return Err(stopping(about));
        }
        let slot = Slot {
            pending_requests: self.clone(),
            id: key::random_name().into(),
        };
        let (key, holder) = (self.key(slot.id()), self.holder.as_deref());
        self.store
            .create_for(holder, &key, String::new(), self.patience)
            .await?;
        Ok(slot)
    }

    /// Delivers a client's JSON-RPC response; false if no function waits for it.
    pub(crate) async fn deliver(&self, id: &str, response: &str) -> Result<bool> {
        let key = self.key(id);
        match self.store.get(&key).await? {
            // Only the first answer counts.
            Some(record) if record.version == UNANSWERED => {
                let text = response.to_owned();
                self.store
                    .replace(&key, record.version, text, self.patience)
                    .await
            }
            _ => Ok(false),
        }
    }

    /// The key of the record: the answer of another principal finds none.
    fn key(&self, id: &str) -> String {
        match &self.owner {
            None => format!("mail#{id}"),
            Some(owner) => {
                let hash = digest(&SHA256, owner.as_bytes());
                format!("mail@{}#{id}", URL_SAFE_NO_PAD.encode(hash))
            }
        }
    }
}

impl Slot {
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The result in the client's response. `about` names the request in an error.
    ///
    /// # Errors
    /// The client did not answer in time, the process is shutting down, or the store fails.
    pub(crate) async fn answer(&self, about: &str) -> Result<Result<Box<RawValue>>> {
        let PendingRequests {
            store,
            patience,
            shutdown,
            ..
        } = &self.pending_requests;
        let (mut stay, key) = (shutdown.stay(), self.pending_requests.key(&self.id));
        let change = tokio::select! {
            change = store.changed(&key, UNANSWERED, Deadline::after(*patience)) => change?,
            () = stay.ends() => return Err(stopping(about)),
        };
        match change {
            Change::To(record) => Ok(read(&record.value, about)),
            Change::Gone | Change::None => {
                Err(Error::unanswered(about, "was not answered in time"))
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let key = self.pending_requests.key(&self.id);
        self.pending_requests.store.forget(&key);
    }
}

fn stopping(about: &str) -> Error {
    Error::stopping(format!("the question `{about}` to the client is given up"))
}

fn read(response: &str, about: &str) -> Result<Box<RawValue>> {
    let response: Option<Response> = serde_json::from_str(response).ok();
    match response {
        Some(Response {
            error: Some(refusal),
            ..
        }) => {
            let inside = format!("{}: {}", refusal.code, refusal.message);
            Err(Error::unanswered(about, "was refused").with_source(inside))
        }
        Some(Response {
            result: Some(result),
            ..
        }) => Ok(result),
        _ => Err(Error::unanswered(about, "got no response of the protocol")),
    }
}
