//! Runs a task: the function's messages go into its record, and clients' answers come from it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::context::client::{Ask, Message};
use crate::context::request_log::{RequestGuard, RequestLog};
use crate::error::{Error, Result};
use crate::mcp::call::question::{Answers, Executions};
use crate::mcp::call::run::{Ended, Run, Step};
use crate::mcp::call::shutdown::Stay;
use crate::mcp::call::task::record::{Status, TaskRecord};
use crate::mcp::call::task::{Escalation, POLL};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::version::Shape;
use crate::store::Change;
use crate::telemetry::{Outcome, cause};

/// A task that was cancelled or has expired.
const CANCELLED: Option<&str> = Some("cancelled");

/// How long a task may run after the shutdown has begun.
const MOMENT: Duration = Duration::from_secs(5);

/// A task that runs in this process.
struct Runner {
    task: Escalation,
    id: String,
    /// The answers from before the function was started again.
    known: Answers,
    executions: Executions,
    /// The input requests that the function waits for, by the keys that clients know.
    open: BTreeMap<String, Ask>,
    /// All keys so far: a client may ignore an input request under a key that it has seen.
    keys: BTreeSet<String>,
    /// The latest progress message.
    note: Option<String>,
    /// The earliest time of the next progress update: clients poll, so more frequent writes would be wasted.
    due: Instant,
}

/// Runs a task until it ends. A task that is cancelled or has expired is dropped at once.
pub(crate) async fn run(task: Escalation, id: String, run: Run, known: Answers, mut stay: Stay) {
    let (since, function) = (Instant::now(), task.function.clone());
    let entry = RequestLog {
        protocol: "task",
        method: None,
        status: None,
        since,
        cx: task.cx.clone(),
        cold_start: false,
    };
    // Dropped if the process ends before the task is recorded as failed.
    let entry = RequestGuard::for_call(entry, function.clone());
    let mut runner = Runner {
        task,
        id,
        known,
        executions: Executions::default(),
        open: BTreeMap::new(),
        keys: BTreeSet::new(),
        note: None,
        due: since,
    };
    let error = match runner.drive(run, &mut stay).await {
        Ok(error) => error,
        Err(error) => {
            cause(&function, &error);
            // If the result cannot be stored, at least try to record a failure, so that the task does not look as if it
            // still ran.
            let rpc_error = RpcError::of_error(Shape::Modern, &function, &error).object();
            let _ = runner
                .change(|record| record.end(&Err(rpc_error.clone())))
                .await;
            Some(error.kind().as_str())
        }
    };
    let outcome = Outcome {
        error,
        ..Outcome::of_call(function, None)
    };
    entry.into_log().write(&outcome);
}

impl Runner {
    /// The kind of the error that the task ended with, if any.
    async fn drive(&mut self, mut run: Run, stay: &mut Stay) -> Result<Option<&'static str>> {
        let (tasks, id) = (self.task.tasks.clone(), self.id.clone());
        // The shutdown lasts as long as a call may take; the rest of that time is for the record.
        let config = self.task.cx.config();
        let moment = match config.is_frozen() {
            // Lambda leaves less time than that, and all of it is for the record.
            true => Duration::ZERO,
            false => MOMENT.min(config.call_timeout),
        };
        let mut end = pin!(async {
            stay.ends().await;
            sleep(moment).await;
        });
        let mut seen = 0;
        let mut changed = pin!(tasks.changed(&id, seen));
        loop {
            tokio::select! {
                biased;
                step = run.step() => match step {
                    Step::Said(said) => self.hear(said).await?,
                    Step::Ended(ended) => return self.end(ended).await,
                    Step::Waits => {}
                },
                change = &mut changed => {
                    match change? {
                        Change::Gone => return Ok(CANCELLED),
                        // The record of a running task must not expire.
                        Change::None => self.change(|_| {}).await?,
                        Change::To(found) => {
                            seen = found.version;
                            let record = TaskRecord::decode(&found.value)?;
                            if record.status == Status::Cancelled {
                                return Ok(CANCELLED);
                            }
                            self.pass_on(&record).await?;
                        }
                    }
                    changed.set(tasks.changed(&id, seen));
                }
                () = &mut end => return Err(Error::stopping("the task could not be ended in time")),
                () = given_up(&mut self.open) => self.change(|_| {}).await?,
                () = sleep_until(self.due), if self.note.is_some() => self.write(Vec::new()).await?,
            }
        }
    }

    async fn hear(&mut self, said: impl IntoIterator<Item = Message>) -> Result<()> {
        let mut asked = Vec::new();
        for message in said {
            match message {
                Message::Progress(report) => {
                    self.note = Some(report.message)
                        .filter(|it| !it.is_empty())
                        .or(self.note.take());
                }
                Message::Ask(ask) => match self.known.remove(&self.executions.question(&ask)) {
                    // The function may have stopped waiting.
                    Some(answer) => drop(ask.response.send(Ok(answer))),
                    None => asked.push(ask),
                },
                // Log entries need an open request, and a task cannot detach a second time.
                Message::Log(_) | Message::Detach(_) => {}
            }
        }
        match asked.is_empty() {
            true => Ok(()),
            false => self.write(asked).await,
        }
    }

    /// Stores the open input requests and the progress.
    async fn write(&mut self, asked: Vec<Ask>) -> Result<()> {
        let asked = asked.into_iter();
        let asked: Vec<_> = asked.map(|ask| (self.key(&ask.key), ask)).collect();
        let note = self.note.take();
        self.due = Instant::now() + POLL;
        self.change(|record| {
            record.message = note.clone().or(record.message.take());
            asked.iter().for_each(|(key, ask)| record.ask(key, ask));
        })
        .await?;
        self.open.extend(asked);
        Ok(())
    }

    /// A key that is unique within the task, for the input request that the function calls `name`.
    fn key(&mut self, name: &str) -> String {
        let others = (2..).map(|execution: u32| format!("{name}-{execution}"));
        let mut keys = std::iter::once(name.to_owned()).chain(others);
        let free = keys.find(|key| self.keys.insert(key.clone()));
        free.expect("a task asks fewer questions than there are numbers")
    }

    /// Passes the client's answers to the function. An answer that the function cannot use is requested again.
    async fn pass_on(&mut self, record: &TaskRecord) -> Result<()> {
        let mut again = Vec::new();
        for (key, answer) in &record.answers {
            match self.open.remove(key) {
                // The function may have stopped waiting.
                Some(ask) if ask.fits(answer) => drop(ask.response.send(Ok(answer.clone()))),
                Some(ask) => again.push(ask),
                None => {}
            }
        }
        match again.is_empty() {
            true => Ok(()),
            false => self.write(again).await,
        }
    }

    async fn end(&mut self, ended: Ended) -> Result<Option<&'static str>> {
        let error = ended.outcome.error;
        let end = match ended.defect {
            Some(defect) => Err(defect.object()),
            None => ended.result.map_err(|rpc_error| rpc_error.object()),
        };
        self.change(|record| record.end(&end)).await?;
        Ok(error)
    }

    /// Updates the record, and removes the input requests and answers that are no longer needed.
    async fn change(&mut self, mut change: impl FnMut(&mut TaskRecord)) -> Result<()> {
        self.open.retain(|_, ask| !ask.response.is_closed());
        let changed = self
            .task
            .tasks
            .change(&self.id, self.task.cx.now(), |record| {
                record.retain(|key| self.open.contains_key(key));
                change(record);
            });
        changed.await.map(drop)
    }
}

/// Completes once the function has stopped waiting for one of the input requests.
async fn given_up(open: &mut BTreeMap<String, Ask>) {
    poll_fn(|cx| {
        let mut asks = open.values_mut();
        match asks.any(|ask| ask.response.poll_closed(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}
