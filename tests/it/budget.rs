//! The budget of one request with everything nested in it: calls, bytes of the response, and time on the thread.

mod calls;
mod streams;
mod thread;
mod whole;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::provenance::replay::Replay;
use bifold::{
    App, Config, Content, Context, JsonSchema, Level, Prompt, Registry, Resource, Result, Server,
    Tool, batch,
};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::support::TestApp;

/// What the functions have done.
#[derive(Clone, Default)]
struct Done {
    calls: Arc<AtomicUsize>,
    rows: Arc<AtomicUsize>,
    /// What other requests have done so far.
    others: Arc<AtomicUsize>,
    seen: Arc<std::sync::Mutex<Vec<usize>>>,
}

impl Done {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// The rows that were written since the last call of this.
    fn rows(&self) -> usize {
        self.rows.swap(0, Ordering::Relaxed)
    }
}

/// Nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Says how much there is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Much {
    /// Rows.
    rows: usize,
}

/// Says how much there is, as prompts do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Bytes.
    bytes: String,
}

/// Rows of eight bytes each; writing a row counts it.
struct Rows {
    count: usize,
    written: Arc<AtomicUsize>,
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        for _ in 0..self.count {
            self.written.fetch_add(1, Ordering::Relaxed);
            rows.serialize_element("aaaaa")?;
        }
        rows.end()
    }
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[schemars(with = "Vec<String>")]
    rows: Rows,
}

fn count(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    let done = cx.state::<Done>()?;
    done.calls.fetch_add(1, Ordering::Relaxed);
    let others = done.others.load(Ordering::Relaxed);
    done.seen.lock().unwrap().push(others);
    Ok(Content::text("counted"))
}

fn much(cx: Context, Much { rows }: Much) -> Result<Answer> {
    let written = cx.state::<Done>()?.rows.clone();
    let rows = Rows {
        count: rows,
        written,
    };
    Ok(Answer { rows })
}

fn blocks(_: Context, Much { rows }: Much) -> Result<Content> {
    Ok(Content::text("a".repeat(rows)))
}

fn prompt(cx: Context, Wish { bytes }: Wish) -> Result<Content> {
    blocks(
        cx,
        Much {
            rows: bytes.parse().unwrap(),
        },
    )
}

/// An application's own function that calls others without declaring it.
async fn relay(cx: Context, Much { rows }: Much) -> Result<Content> {
    let registry = Registry::of(&cx)?;
    let tool = registry.get("count").unwrap();
    let mut kinds = Vec::new();
    for _ in 0..rows {
        if let Err(error) = registry.call(tool, cx.clone(), "{}").await {
            kinds.push(error.kind().as_str());
        }
    }
    kinds.dedup();
    Ok(Content::text(kinds.join(" ")))
}

/// Another one, which calls a function that calls others.
async fn disguise(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    let registry = Registry::of(&cx)?;
    let calls = r#"{"calls":[{"name":"count"}]}"#;
    let tool = registry.get("call_many").unwrap();
    let told = registry.call(tool, cx.clone(), calls).await;
    Ok(Content::text(match told {
        Ok(_) => "called".to_owned(),
        Err(error) => format!("{} {}", error.kind().as_str(), error.message()),
    }))
}

/// Writes much into its client's log before it answers.
async fn talk(cx: Context, Much { rows }: Much) -> Result<Content> {
    let written = cx.state::<Done>()?.rows.clone();
    let entry = Rows {
        count: rows,
        written,
    };
    cx.log(Level::Error, entry);
    cx.log(Level::Error, "short");
    Ok(Content::text("told"))
}

async fn proposals(_: Context, _: String) -> Result<Vec<String>> {
    Ok(vec!["a".repeat(100_000)])
}

fn server(done: &Done) -> Server {
    let prompt = Prompt::new(Tool::sync("prompt", prompt)).complete("bytes", proposals);
    let document = Tool::sync("document", |cx, Nothing {}| {
        much(cx, Much { rows: 1 << 40 })
    });
    let tools = vec![
        Tool::sync("count", count).get("/count"),
        Tool::sync("much", much).get("/much/{rows}"),
        Tool::sync("blocks", blocks).get("/blocks/{rows}"),
        Tool::new("relay", relay).get("/relay/{rows}"),
        Tool::new("disguise", disguise).get("/disguise"),
        Tool::new("talk", talk).get("/talk/{rows}"),
        batch::tool(),
    ];
    Server::new("budget", "1.0.0")
        .state(done.clone())
        .resources(vec![Resource::new(
            "test://much",
            "application/json",
            document,
        )])
        .prompts(vec![prompt])
        .tools(tools)
}

/// The server with responses of at most `most` bytes.
async fn serving(done: &Done, most: usize) -> TestApp {
    let replay = Replay::start().await.unwrap();
    let mut config = Config::default();
    config.max_response_bytes = most;
    let app = App::new(config, server(done)).unwrap();
    TestApp { app, replay }
}

fn calls_of(name: &str, arguments: Value, times: usize) -> Value {
    json!({"calls": vec![json!({"name": name, "arguments": arguments}); times]})
}

/// A batch of `times` calls, as revision 2025-03-26 defines it.
async fn batch_of(
    app: &TestApp,
    method: &str,
    params: &Value,
    times: usize,
) -> crate::support::Answer {
    let message = |id| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let messages: Vec<Value> = (0..times).map(message).collect();
    app.post("/mcp", Value::from(messages).to_string()).await
}
