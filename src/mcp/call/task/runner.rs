//! The rest of a call that runs as a task: what it says goes into its record, and what clients say comes out of it.

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

/// The end of a task that was cancelled or forgotten.
const CANCELLED: Option<&str> = Some("cancelled");

/// How long a task may go on when the process is to end.
const MOMENT: Duration = Duration::from_secs(5);

/// A task while it runs in this process.
struct Runner {
    task: Escalation,
    id: String,
    /// What was said before to a function that has begun anew.
    known: Answers,
    executions: Executions,
    /// The questions that the function waits on, by the keys that clients know.
    open: BTreeMap<String, Ask>,
    /// All keys so far: a client may pass over what comes under a key that it knows.
    keys: BTreeSet<String>,
    /// What is to be shown of how far the function is.
    note: Option<String>,
    /// When the next note may be written: more of them than clients look at would only wear out the store.
    due: Instant,
}

/// Runs a task to its end; a task that was cancelled or forgotten is dropped where it stands.
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
    // It is dropped where the process ends before the task is recorded as failed.
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
            // What could not be kept or ended is at least not shown as going on, if that much can be kept.
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
    /// The kind of the error that the task ended with, if it did.
    async fn drive(&mut self, mut run: Run, stay: &mut Stay) -> Result<Option<&'static str>> {
        let (tasks, id) = (self.task.tasks.clone(), self.id.clone());
        // The process has the time of a call to end, and what is left of it is for the record.
        let config = self.task.cx.config();
        let moment = match config.is_frozen() {
            // Lambda leaves less than that, all of it for the record.
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
                        // What still runs must not be forgotten.
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
                    // The function that asked may have stopped waiting.
                    Some(answer) => drop(ask.response.send(Ok(answer))),
                    None => asked.push(ask),
                },
                // There is no log without a request, and what is a task already needs not become one.
                Message::Log(_) | Message::Detach(_) => {}
            }
        }
        match asked.is_empty() {
            true => Ok(()),
            false => self.write(asked).await,
        }
    }

    /// Writes down what is asked, and how far the function is.
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

    /// A key of the task's own for a question that the function calls `name`.
    fn key(&mut self, name: &str) -> String {
        let others = (2..).map(|execution: u32| format!("{name}-{execution}"));
        let mut keys = std::iter::once(name.to_owned()).chain(others);
        let free = keys.find(|key| self.keys.insert(key.clone()));
        free.expect("a task asks fewer questions than there are numbers")
    }

    /// Gives the function what was said to its questions. What it cannot use is asked again.
    async fn pass_on(&mut self, record: &TaskRecord) -> Result<()> {
        let mut again = Vec::new();
        for (key, answer) in &record.answers {
            match self.open.remove(key) {
                // The function that asked may have stopped waiting.
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

    /// Changes the record, and leaves out the questions that the function has given up and the answers that it has got.
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

/// Ready once the function has stopped waiting on any of the questions.
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
