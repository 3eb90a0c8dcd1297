//! The rest of a call that runs as a task: what it says goes into its record, and what clients say comes out of it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::record::{Record, Status};
use super::{Escalation, POLL};
use crate::client::{Ask, Message};
use crate::entry::Entry;
use crate::error::Result;
use crate::mcp::rounds::Answers;
use crate::mcp::run::{Ended, Run, Step};
use crate::telemetry::Outcome;

/// The questions of a task that its function waits on.
type Open = BTreeMap<String, Ask>;

/// The end of a task that nobody waits for any more.
const CANCELLED: Option<&str> = Some("cancelled");

/// Runs a task to its end; a task that was cancelled or forgotten is dropped where it stands.
pub(super) async fn run(task: Escalation, id: String, run: Run, known: Answers) {
    let since = Instant::now();
    let outcome = match drive(&task, &id, run, known).await {
        Ok(error) => Outcome {
            error,
            ..Outcome::of_call(task.function, None)
        },
        Err(error) => Outcome::of_call(task.function, Some(error)),
    };
    let entry = Entry {
        face: "task",
        method: None,
        status: None,
        since,
        cx: task.cx,
        cold_start: false,
    };
    entry.write(&outcome);
}

/// The kind of the error that the task ended with, if it did.
async fn drive(
    task: &Escalation,
    id: &str,
    mut run: Run,
    mut known: Answers,
) -> Result<Option<&'static str>> {
    let mut open = Open::new();
    let mut seen = 0;
    let mut noted = Instant::now();
    loop {
        let step = tokio::select! {
            biased;
            step = run.step() => Some(step),
            changed = task.tasks.changed(id, seen) => {
                let Some((record, version)) = changed? else { return Ok(CANCELLED) };
                seen = version;
                if record.status == Status::Cancelled {
                    return Ok(CANCELLED);
                }
                pass_on(&record, &mut open);
                None
            }
        };
        let said = match step {
            Some(Step::Said(said)) => said,
            Some(Step::Ended(ended)) => return end(task, id, ended).await,
            Some(Step::Waits) | None => continue,
        };
        let (mut note, mut asked) = (None, Vec::new());
        for message in said {
            match message {
                Message::Progress(report) => note = Some(report.message),
                Message::Ask(ask) => match known.remove(&ask.key).filter(|it| (ask.fits)(it)) {
                    // The function that asked may have stopped waiting.
                    Some(answer) => drop(ask.reply.send(Ok(answer))),
                    None => asked.push(ask),
                },
                // There is no log without a request, and what is a task already needs not become one.
                Message::Log(_) | Message::Detach(_) => {}
            }
        }
        // A note is a courtesy: more of them than clients look at would only wear out the store.
        note = note.filter(|_| noted.elapsed() >= POLL);
        if note.is_none() && asked.is_empty() {
            continue;
        }
        noted = Instant::now();
        let changed = task.tasks.change(id, task.cx.now(), |record| {
            record.message = note.clone().or(record.message.take());
            asked.iter().for_each(|ask| record.ask(ask));
        });
        if changed.await?.is_none() {
            return Ok(CANCELLED);
        }
        open.extend(asked.into_iter().map(|ask| (ask.key.clone(), ask)));
    }
}

/// Gives the function what was said to its questions.
fn pass_on(record: &Record, open: &mut Open) {
    for (key, answer) in &record.answers {
        if let Some(ask) = open.remove(key) {
            // The function that asked may have stopped waiting.
            let _ = ask.reply.send(Ok(answer.clone()));
        }
    }
}

async fn end(task: &Escalation, id: &str, ended: Ended) -> Result<Option<&'static str>> {
    let error = ended.outcome.error;
    let end = match ended.defect {
        Some(defect) => Err(defect.object()),
        None => ended.result.map_err(|fault| fault.object()),
    };
    task.tasks
        .change(id, task.cx.now(), |record| record.end(&end))
        .await?;
    Ok(error)
}
