//! Tasks: a call that continues after its response. The client gets a handle and polls for the result (SEP-2663).

pub(crate) mod methods;
mod record;
mod runner;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::oneshot;

use crate::auth::Principal;
use crate::aws::invoke::{Continuation, Invoker};
use crate::clock::{Deadline, Timestamp};
use crate::config::key;
use crate::context::client::Client;
use crate::context::{Context, Protocol};
use crate::error::{Capabilities, Error, Result};
use crate::mcp::call::execution::{Executor, Subject};
use crate::mcp::call::question::Answers;
use crate::mcp::call::run::{Ended, Run};
use crate::mcp::call::shutdown::Shutdown;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;
use crate::store::{Change, Store};
use crate::telemetry::Outcome;

use record::{TaskCall, TaskRecord, View};

/// How long a task is kept after its last change.
const TTL: Duration = Duration::from_secs(3600);

/// The poll interval that clients are told.
const POLL: Duration = Duration::from_secs(1);

/// The tasks of all processes that share a store.
#[derive(Clone)]
pub(crate) struct Tasks {
    pub(crate) store: Store,
    /// The maximum duration of a task.
    pub(crate) limit: Duration,
    /// Continues tasks in another invocation, where the process is frozen between requests; elsewhere they run in the
    /// process that started them.
    pub(crate) invoker: Option<Arc<Invoker>>,
    /// The shutdown of the process, which ends its tasks.
    pub(crate) shutdown: Shutdown,
}

/// What a running call needs to become a task.
pub(crate) struct Escalation {
    pub(crate) tasks: Tasks,
    pub(crate) cx: Context,
    /// The name of the function.
    pub(crate) function: Arc<str>,
    /// Its arguments, a JSON object.
    pub(crate) arguments: String,
    /// The client's capabilities.
    pub(crate) capabilities: Capabilities,
    /// The server's name and version, for the result.
    pub(crate) server: Box<RawValue>,
}

/// The response to a call that has become a task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
    result_type: &'static str,
    #[serde(flatten)]
    task: View<'a>,
}

impl Tasks {
    /// Reads the task with this id.
    ///
    /// # Errors
    /// The task does not exist or belongs to another principal (both give the same error), or the store fails.
    pub(crate) async fn get(&self, id: &str, cx: &Context) -> Result<TaskRecord, RpcError> {
        let found = self
            .load(id)
            .await
            .map_err(|it| RpcError::of_error(Shape::Modern, id, &it))?;
        let caller = cx.principal().map(Principal::id);
        let own = found.filter(|it| it.0.principal.as_ref().map(Principal::id) == caller);
        own.map(|it| it.0).ok_or_else(|| {
            RpcError::invalid_params("there is no task of that `taskId`, or it has been forgotten")
        })
    }

    /// Updates the task with optimistic concurrency, and returns its new state; `None` once it has expired.
    pub(crate) async fn change(
        &self,
        id: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut TaskRecord),
    ) -> Result<Option<(TaskRecord, u64)>> {
        loop {
            let Some((mut record, version)) = self.load(id).await? else {
                return Ok(None);
            };
            // A task that has ended never changes.
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

    /// Waits for a version of the task after this one, for less time than the task is kept.
    async fn changed(&self, id: &str, seen: u64) -> Result<Change> {
        let key = key(id);
        self.store
            .changed(&key, seen, Deadline::after(TTL / 2))
            .await
    }

    async fn load(&self, id: &str) -> Result<Option<(TaskRecord, u64)>> {
        let found = self.store.get(&key(id)).await?;
        found
            .map(|it| Ok((TaskRecord::decode(&it.value)?, it.version)))
            .transpose()
    }
}

impl Escalation {
    /// Whether the call may still become a task: none starts during the shutdown.
    pub(crate) fn is_open(&self) -> bool {
        !self.tasks.shutdown.has_begun()
    }

    /// Stores the task, continues the function as a task, and answers the call with the task's handle. The client's
    /// earlier answers are stored with it.
    pub(crate) async fn start(
        self,
        run: Run,
        known: Answers,
        detached: oneshot::Sender<()>,
    ) -> Ended {
        let (id, function) = (key::random_name(), self.function.clone());
        let Escalation {
            tasks, cx, server, ..
        } = &self;
        let mut record = TaskRecord::new(cx.now(), cx.principal().cloned());
        let view = Created {
            result_type: "task",
            task: record.view(&id),
            meta: ServerMeta::new(server),
        };
        let created = to_raw_value(&view).expect("a task of texts is JSON");
        record.call = tasks.invoker.is_some().then(|| TaskCall {
            function: function.as_ref().to_owned(),
            arguments: self.arguments.clone(),
            capabilities: self.capabilities,
            known,
        });
        let (key, holder) = (key(&id), cx.holder());
        let kept = tasks
            .store
            .create_for(holder.as_deref(), &key, record.encode(), TTL);
        if let Err(error) = kept.await {
            return Ended::failed(function, error);
        }
        match &tasks.invoker {
            None => {
                cx.restart(tasks.limit);
                // The receiver is gone only if the function ended in the same step, and then the task reports its
                // result.
                let _ = detached.send(());
                let stay = tasks.shutdown.stay();
                tokio::spawn(runner::run(self, id, run, Answers::new(), stay));
            }
            Some(invoker) => {
                // The function starts again in another invocation, with the answers that are known so far.
                drop(run);
                let continuation = Continuation::Task(id.clone());
                if let Err(error) = invoker.again(continuation, cx.deadline()).await {
                    // The task cannot continue, and no client knows its id yet.
                    let _ = tasks.store.remove(&key).await;
                    return Ended::failed(function, error);
                }
            }
        }
        Ended {
            result: Ok(created),
            defect: None,
            outcome: Outcome::of_call(function, None),
        }
    }
}

impl Executor {
    /// Runs a task that another invocation created, until it ends. A duplicate invocation does nothing.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn resume(&self, id: &str, cx: &Context) -> Result<()> {
        let Some(tasks) = &self.tasks else {
            return Err(Error::internal("this server has no tasks"));
        };
        let (mut call, mut principal) = (None, None);
        let take = |record: &mut TaskRecord| {
            (call, principal) = (record.call.take(), record.principal.clone());
        };
        tasks.change(id, cx.now(), take).await?;
        let Some(call) = call else {
            return Ok(());
        };
        cx.set_principal(principal);
        let Some(function) = self.registry.get(&call.function) else {
            let problem = format!("the tool `{}` is not offered any more", call.function);
            let end = Err(RpcError::invalid_params(problem).object());
            tasks
                .change(id, cx.now(), |record| record.end(&end))
                .await?;
            return Ok(());
        };
        let client = Arc::new(Client::new(call.capabilities, true, None));
        let label = function.label();
        let subject = Subject::Tool(function.clone());
        let form = subject.form(Shape::Modern);
        let cx = cx
            .clone()
            .on_protocol(Protocol::Mcp, form)
            .with_client(client.clone());
        cx.restart(tasks.limit);
        let task = Escalation {
            tasks: tasks.clone(),
            cx: cx.clone(),
            function: label,
            arguments: String::new(),
            capabilities: call.capabilities,
            server: self.server.clone(),
        };
        let run = self.start(Shape::Modern, subject, &call.arguments, (cx, client));
        let stay = tasks.shutdown.stay();
        runner::run(task, id.to_owned(), run, call.known, stay).await;
        Ok(())
    }
}

fn key(id: &str) -> String {
    format!("task#{id}")
}
