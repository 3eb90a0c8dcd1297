//! OpenAPI documents whose operations become tools: what each becomes, and what its calls ask.

mod answers;
mod bodies;
mod cases;
mod credentials;
mod declared;
mod files;
#[cfg(feature = "provenance")]
mod own;
mod parameters;
mod schemas;

use bifold::testing::{Canned, CannedUpstream, Client, Received, upstream};
use bifold::{Config, Import, Server};
use serde_json::{Map, Value, json};

/// A document of these paths.
fn document(paths: Value) -> Value {
    json!({ "openapi": "3.1.0", "info": { "title": "API", "version": "1" }, "paths": paths })
}

/// A document with one operation `it`.
fn of_operation(method: &str, path: &str, operation: Value) -> Value {
    let mut operation = operation;
    operation["operationId"] = "it".into();
    document(json!({ path: { method: operation } }))
}

/// An upstream that answers every request with `{"ok":true}`.
async fn echoing() -> CannedUpstream {
    CannedUpstream::start(|_| Canned::json(r#"{"ok":true}"#))
        .await
        .unwrap()
}

/// An upstream that answers every request with this.
async fn answering(canned: Canned) -> CannedUpstream {
    CannedUpstream::start(move |_| canned.clone())
        .await
        .unwrap()
}

/// A client of a server that imports the document, whose API is the canned upstream.
async fn importing(document: &Value, api: &CannedUpstream) -> Client {
    let import = Import::text(document.to_string())
        .name("api")
        .base_url(api.url(""));
    started(import).await
}

async fn started(import: Import) -> Client {
    let server = Server::new("it", "1.0.0").openapi(import);
    Client::with(Config::default(), server).await.unwrap()
}

/// What the start of a server with this import says.
async fn refusal(import: Import) -> String {
    let server = Server::new("it", "1.0.0").openapi(import);
    let started = Client::with(Config::default(), server).await;
    started
        .err()
        .map(|it| it.to_string())
        .expect("the import is refused")
}

/// The import of a document whose API is nowhere.
fn unreached(document: &Value) -> Import {
    Import::text(document.to_string())
        .name("api")
        .base_url("https://api.example.com")
}

/// The names of the tools.
fn names(client: &Client) -> Vec<String> {
    let registry = client.app().registry();
    registry
        .tools()
        .iter()
        .map(|it| it.name().to_owned())
        .collect()
}

/// The schema of the arguments of a tool.
fn schema_of(client: &Client, tool: &str) -> Value {
    let registry = client.app().registry();
    registry
        .get(tool)
        .expect("the tool is imported")
        .arguments()
}

/// The published arguments of the tool `it`.
fn arguments_of(client: &Client) -> Map<String, Value> {
    schema_of(client, "it")["properties"]
        .as_object()
        .unwrap()
        .clone()
}

/// The last request that the upstream has received, with its target.
fn last(api: &CannedUpstream) -> Received {
    api.received().pop().expect("a request was sent")
}

/// The path and the query of the last request, as they were sent.
fn target(api: &CannedUpstream) -> String {
    let received = last(api);
    let query: Vec<String> = received
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match query.is_empty() {
        true => received.path,
        false => format!("{}?{}", received.path, query.join("&")),
    }
}

/// An upstream with routes of its own.
fn api() -> bifold::testing::UpstreamBuilder {
    upstream("api")
}
