//! MCP on standard input and output: the binary, and the session in process.

#[cfg(feature = "provenance")]
mod binary;
mod session;

use bifold::{App, Config, Context, Level, Result, Sampling, Server, Tool, stdio};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{MODERN, meta};

/// Says hello, slowly where it is told to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Whom to greet.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
}

async fn greet(_: Context, Greet { name }: Greet) -> Result<Greeting> {
    if name == "panic" {
        panic!("a defect");
    }
    Ok(Greeting {
        text: format!("Hello,\n{name}!"),
    })
}

/// Waits until it is cancelled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {}

async fn wait(_: Context, Wait {}: Wait) -> Result<Greeting> {
    std::future::pending().await
}

/// Tells how far it is, logs, and asks the client's model.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

async fn ask(cx: Context, Ask {}: Ask) -> Result<Greeting> {
    cx.progress(1.0, Some(2.0), "half");
    cx.log(Level::Info, "asking");
    let sampled = cx.sample("who", Sampling::new("who?", 10)).await?;
    let text = sampled.text().to_owned();
    Ok(Greeting { text })
}

fn server() -> Server {
    Server::new("weather", "1.0.0").tools(vec![
        Tool::new("greet", greet).get("/greet/{name}"),
        Tool::new("wait", wait),
        Tool::new("ask", ask),
    ])
}

/// A client at the other end of two pipes.
struct Client {
    input: Option<WriteHalf<DuplexStream>>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Client {
    fn start() -> Client {
        Client::with(|_| {}, server())
    }

    fn with(change: impl FnOnce(&mut Config), server: Server) -> Client {
        let mut config = Config::default();
        change(&mut config);
        let app = App::new(config, server).unwrap();
        let (ours, theirs) = duplex(1 << 16);
        let (read, input) = tokio::io::split(ours);
        let (served_input, served_output) = tokio::io::split(theirs);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        Client {
            input: Some(input),
            output: BufReader::new(read).lines(),
            stop: Some(stop),
            serving: tokio::spawn(stdio::serve(app, served_input, served_output, shutdown)),
        }
    }

    async fn say(&mut self, message: &Value) {
        self.write(&format!("{message}\n")).await;
    }

    async fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = self.output.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Ends the input, and returns what is still said, and how it ended.
    async fn end(mut self) -> (Vec<Value>, std::io::Result<()>) {
        if let Some(mut input) = self.input.take() {
            input.shutdown().await.unwrap();
        }
        let mut rest = Vec::new();
        while let Some(line) = self.output.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        (rest, self.serving.await.unwrap())
    }
}

fn legacy(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"] = meta(MODERN);
    legacy(id, method, params)
}

fn call(id: impl Into<Value>, name: &str, arguments: Value) -> Value {
    legacy(
        id,
        "tools/call",
        json!({"name": name, "arguments": arguments}),
    )
}
