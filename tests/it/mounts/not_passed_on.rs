//! What a mount does not pass on: its clients are told so in plain words.

use bifold::{App, Capability, Config, Content, Context, Mount, Resource, Result, Server, Tool};
use serde_json::json;

use super::mounting;
use crate::support::{TestApp, on_socket};

async fn long(cx: Context) -> Result<Content> {
    cx.detach().await;
    Ok(Content::text("It was long."))
}

/// A mounted server with a tool that runs only as a task, and with documents that change.
async fn gateway() -> TestApp {
    let tool = Tool::new("long", long).describe("Is long.").task();
    let page = Tool::new("page", || "<p>").describe("A page.");
    let server = Server::new("tasks", "1")
        .tool(tool.requires(Capability::Tasks))
        .resources([Resource::new("note://1", "text/plain", page)])
        .announces(&[bifold::Topic::Contents]);
    let (address, _) = on_socket(&App::new(Config::default(), server).unwrap()).await;
    mounting([Mount::http("m", format!("http://{address}/mcp"))]).await
}

#[tokio::test]
async fn a_tool_that_runs_only_as_a_task_fails_with_that_reason() {
    let app = gateway().await;
    let tasks = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let meta = json!({ "io.modelcontextprotocol/clientCapabilities": tasks });
    let params = json!({ "name": "m_long", "arguments": {}, "_meta": meta });
    let answer = app.mcp("tools/call", params).await.json();
    let said = &answer["result"]["content"][0]["text"];
    let expected =
        "upstream `m` runs this only as a task, and tasks are not passed on to mounted servers";
    assert_eq!(*said, expected, "{answer}");
    assert_eq!(answer["result"]["isError"], true);

    // A client without tasks hears what it would hear of the server itself.
    let params = json!({ "name": "m_long", "arguments": {} });
    let answer = app.mcp("tools/call", params).await.json();
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
}

#[tokio::test]
async fn a_subscription_to_a_document_is_refused() {
    let app = gateway().await;
    let initialize = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "it", "version": "1" } });
    let hello = app.legacy("2025-11-25", "initialize", initialize).await;
    let capabilities = &hello.json()["result"]["capabilities"];
    assert_eq!(
        capabilities["resources"].get("subscribe"),
        None,
        "{capabilities}"
    );
    let params = json!({ "uri": "note://m/1" });
    let refused = app
        .legacy("2025-11-25", "resources/subscribe", params)
        .await;
    assert_eq!(
        refused.json()["error"]["code"],
        -32601,
        "{}",
        refused.text()
    );
}
