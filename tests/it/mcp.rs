//! The MCP protocol: what goes in at `POST /mcp` in both protocol eras, and what comes out.

mod app;
#[cfg(feature = "provenance")]
mod batch;
#[cfg(feature = "provenance")]
mod cache;
#[cfg(feature = "provenance")]
mod call;
mod content;
#[cfg(feature = "provenance")]
mod documents;
#[cfg(feature = "provenance")]
mod envelope;
#[cfg(feature = "provenance")]
mod headers;
#[cfg(feature = "provenance")]
mod http;
#[cfg(feature = "provenance")]
mod ids;
#[cfg(feature = "provenance")]
mod legacy;
mod listen;
#[cfg(feature = "provenance")]
mod lists;
#[cfg(feature = "provenance")]
mod modern;
#[cfg(feature = "provenance")]
mod pages;
mod params;
mod revisions;

use ::http::{HeaderValue, Request, StatusCode};
use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Answer, MODERN, TestApp};

/// The revisions that begin with `initialize`, the oldest first.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// Every revision, the oldest first.
fn revisions() -> impl Iterator<Item = &'static str> {
    LEGACY.into_iter().chain([MODERN])
}

/// A request in the form of that revision.
async fn ask_as(app: &TestApp, version: &str, method: &str, params: Value) -> Answer {
    match version {
        MODERN => app.mcp(method, params).await,
        _ => app.legacy(version, method, params).await,
    }
}

/// The text of a request with the id 1.
fn message(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// A POST to the endpoint with no header but the type of its body.
fn bare(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/mcp").header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

/// The request with that header instead of the one it has.
fn with(mut request: Request<Body>, name: &'static str, value: impl AsRef<[u8]>) -> Request<Body> {
    let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
    request.headers_mut().insert(name, value);
    request
}

/// The request without that header.
fn without(mut request: Request<Body>, name: &str) -> Request<Body> {
    request.headers_mut().remove(name);
    request
}

/// The request with one more line of that header.
fn doubled(mut request: Request<Body>, name: &'static str) -> Request<Body> {
    let value = request.headers()[name].clone();
    request.headers_mut().append(name, value);
    request
}

/// The whole message of an answer that must be a JSON-RPC error with this status and code.
#[track_caller]
fn fault(answer: &Answer, status: u16, code: i64) -> Value {
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    let message = json_line(answer);
    assert_eq!(message["jsonrpc"], "2.0", "{text}");
    assert_eq!(message["error"]["code"], code, "{text}");
    assert!(message.get("result").is_none(), "{text}");
    let said = message["error"]["message"].as_str();
    assert!(said.is_some_and(|said| !said.is_empty()), "{text}");
    message
}

/// The `result` of an answer that must be one.
#[track_caller]
fn result(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let mut message = json_line(answer);
    assert_eq!(message["jsonrpc"], "2.0", "{message}");
    assert!(message.get("error").is_none(), "{message}");
    message["result"].take()
}

/// Every answer with a body is one line of JSON, and says so.
#[track_caller]
fn json_line(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(!answer.text().contains(['\n', '\r']), "{}", answer.text());
    answer.json()
}
