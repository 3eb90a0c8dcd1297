//! Calls that go on after their answer: a client that knows tasks gets a handle, and asks for the rest (SEP-2663).

pub(super) mod ask;
mod record;
mod runner;

use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::oneshot;

use super::fault::Fault;
use super::result::ServerMeta;
use super::run::{Ended, Run};
use super::version::Shape;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::secret;
use crate::store::{Change, Store};
use crate::telemetry::Outcome;

use record::{Record, View};

/// How long a task can be asked for after it last changed.
const TTL: Duration = Duration::from_secs(3600);

/// How often a client should ask.
const POLL: Duration = Duration::from_secs(1);

/// The tasks of all processes that share a store.
#[derive(Clone)]
pub(super) struct Tasks {
    store: Store,
    /// How long one may take.
    limit: Duration,
}

/// What turns a running call into a task.
pub(super) struct Escalation {
    pub(super) tasks: Tasks,
    pub(super) cx: Context,
    /// The function that is called.
    pub(super) function: &'static str,
    /// How the server introduces itself.
    pub(super) server: Box<RawValue>,
}

/// The answer to a call that has become a task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    result_type: &'static str,
    #[serde(flatten)]
    task: View<'a>,
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
}

impl Tasks {
    pub(super) fn new(store: Store, limit: Duration) -> Tasks {
        Tasks { store, limit }
    }

    /// The task of that id.
    ///
    /// # Errors
    /// There is none, or it is another caller's, which must look the same; or the store fails.
    pub(super) async fn get(&self, id: &str, cx: &Context) -> Result<Record, Fault> {
        let found = self
            .load(id)
            .await
            .map_err(|it| Fault::of_error(Shape::Modern, id, &it))?;
        let own = found.filter(|it| it.0.principal.as_deref() == cx.principal());
        own.map(|it| it.0).ok_or_else(|| {
            Fault::invalid_params("there is no task of that `taskId`, or it has been forgotten")
        })
    }

    /// Changes the task, whoever else does so at the same time, and gives it as it is then; `None` once it is forgotten.
    pub(super) async fn change(
        &self,
        id: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Record),
    ) -> Result<Option<(Record, u64)>> {
        loop {
            let Some((mut record, version)) = self.load(id).await? else {
                return Ok(None);
            };
            // What has ended does not change any more.
            if record.status.is_terminal() {
                return Ok(Some((record, version)));
            }
            change(&mut record);
            record.updated = now;
            if self
                .store
                .replace(&key(id), version, record.encode(), TTL)
                .await?
            {
                return Ok(Some((record, version + 1)));
            }
        }
    }

    /// What has become of the task since that version, looked at before it would be forgotten.
    async fn changed(&self, id: &str, seen: u64) -> Result<Change> {
        let key = key(id);
        self.store
            .changed(&key, seen, Deadline::after(TTL / 2))
            .await
    }

    async fn load(&self, id: &str) -> Result<Option<(Record, u64)>> {
        let found = self.store.get(&key(id)).await?;
        found
            .map(|it| Ok((Record::decode(&it.value)?, it.version)))
            .transpose()
    }
}

impl Escalation {
    /// Keeps the task, lets the function go on as one, and answers the call with its handle.
    pub(super) async fn start(self, run: Run, detached: oneshot::Sender<()>) -> Ended {
        let id = secret::name();
        let record = Record::new(self.cx.now(), self.cx.principal());
        let created = self
            .tasks
            .store
            .create(&key(&id), record.encode(), TTL)
            .await;
        if let Err(error) = created {
            return Ended::failed(self.function, error);
        }
        let created = Created {
            result_type: "task",
            task: record.view(&id),
            meta: ServerMeta::new(&self.server),
        };
        let result = to_raw_value(&created).expect("a task of texts is JSON");
        self.cx.restart(self.tasks.limit);
        // Gone only if the function ended in the same step, which its task will tell.
        let _ = detached.send(());
        let function = self.function;
        tokio::spawn(runner::run(self, id, run));
        Ended {
            result: Ok(result),
            defect: None,
            outcome: Outcome::of_call(function, None),
        }
    }
}

fn key(id: &str) -> String {
    format!("task#{id}")
}
