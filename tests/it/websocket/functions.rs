//! Functions that wait for the test, that say much, and that ask.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{Content, Context, Elicited, Error, JsonSchema, Level, Result, Server, Tool};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What waiting functions share with their test.
#[derive(Clone, Default)]
pub struct Gate {
    running: Arc<watch::Sender<usize>>,
    begun: Arc<AtomicUsize>,
    open: Arc<watch::Sender<HashSet<String>>>,
}

/// Counts a running function, until it is dropped.
struct Running(Gate);

impl Gate {
    /// Lets the function of that name through.
    pub fn open(&self, name: &str) {
        self.open.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }

    /// How many functions run.
    pub fn running(&self) -> usize {
        *self.running.borrow()
    }

    /// How many functions have begun to run.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Waits until so many functions run.
    pub async fn runs(&self, count: usize) {
        let mut running = self.running.subscribe();
        running.wait_for(|it| *it == count).await.unwrap();
    }

    fn enter(&self) -> Running {
        self.running.send_modify(|it| *it += 1);
        self.begun.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.send_modify(|it| *it -= 1);
    }
}

/// Reports, waits for the test, reports again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// What the test calls it.
    name: String,
}

/// Says much, and answers with much.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Large {
    /// Characters of a log entry before the answer.
    #[serde(default)]
    log: usize,
    /// Characters of the answer.
    #[schemars(range(max = 1_000_000_000))]
    answer: usize,
}

/// Ends badly.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Broken {}

/// Asks before it answers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

/// The user's decision.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Decision {
    /// Whether to go on.
    sure: bool,
}

async fn wait(cx: Context, Wait { name }: Wait) -> Result<Content> {
    let gate = cx.state::<Gate>()?;
    let _running = gate.enter();
    cx.progress(1.0, Some(2.0), &name);
    let mut open = gate.open.subscribe();
    let is_open = open.wait_for(|open| open.contains(&name)).await;
    is_open.map_err(|_| Error::failed("the test has ended"))?;
    cx.progress(2.0, Some(2.0), &name);
    Ok(Content::text(format!("{name} is through.")))
}

async fn large(cx: Context, Large { log, answer }: Large) -> Result<Content> {
    if log > 0 {
        cx.log(Level::Error, "x".repeat(log));
    }
    cx.progress(1.0, None, "done");
    Ok(Content::text("x".repeat(answer)))
}

async fn broken(cx: Context, Broken {}: Broken) -> Result<Content> {
    cx.progress(1.0, None, "about to panic");
    tokio::task::yield_now().await;
    panic!("a defect")
}

async fn ask(cx: Context, Ask {}: Ask) -> Result<Content> {
    let asked = cx.elicit::<Decision>("sure", "Are you sure?").await?;
    Ok(Content::text(match asked {
        Elicited::Accepted(Decision { sure: true }) => "Sure.",
        _ => "Not sure.",
    }))
}

/// A server of these functions.
pub fn server(gate: &Gate) -> Server {
    let tools = vec![
        Tool::new("wait", wait),
        Tool::new("large", large),
        Tool::new("broken", broken),
        Tool::new("ask", ask),
    ];
    Server::new("sockets", "1.0.0")
        .tools(tools)
        .state(gate.clone())
}
