//! What an application offers changes while it runs: each request sees all of a change or nothing of it.

mod dynamic;
mod late;
mod lists;
mod prepared;
mod running;
mod stopped;

use std::sync::Arc;

use bifold::{Content, Context, JsonSchema, Prompt, Resource, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::TestApp;

/// Says its name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Where a running function waits until the test lets it go on.
#[derive(Clone, Default)]
struct Gate {
    entered: Arc<Notify>,
    open: Arc<Notify>,
}

/// A tool on both protocols that says `says`.
fn saying(name: &str, says: &str) -> Tool {
    let says = says.to_owned();
    let tool = Tool::sync(name.to_owned(), move |_: Context, _: Nothing| {
        Content::text(says.clone())
    });
    tool.get(format!("/say/{name}"))
}

fn named(name: &str) -> Tool {
    saying(name, name)
}

fn document(uri: &str) -> Resource {
    let name = uri.replace("://", "_");
    Resource::new(uri.to_owned(), "text/plain", named(&name))
}

fn question(name: &str) -> Prompt {
    Prompt::new(named(name))
}

/// A server whose catalog may change, with the tools `one` and `two`.
fn server() -> Server {
    Server::new("changing", "1.0.0")
        .changing_catalog()
        .tools(vec![named("one"), named("two")])
}

/// The names of the tools that MCP clients see.
async fn tools(app: &TestApp) -> Vec<String> {
    let list = app.mcp("tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap().iter();
    tools
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What a call over MCP says, or its error.
async fn call(app: &TestApp, name: &str) -> Value {
    let params = json!({"name": name, "arguments": {}});
    let mut answer = app.mcp("tools/call", params).await.json();
    match answer.get("error") {
        Some(error) => error["message"].clone(),
        None => answer["result"]["content"][0]["text"].take(),
    }
}
