//! A client of the MCP protocol, revision 2026-07-28, without a socket.

use axum::body::Body;
use http::{HeaderValue, Request};
use serde_json::{Map, Value, json};

use super::mcp_call::McpCall;
use super::rest_client::RestClient;

/// The revision of the protocol.
const REVISION: &str = "2026-07-28";

/// Sends MCP messages to an application in the same process. It declares every capability that a function may need:
/// elicitation, sampling and roots. Cheap to clone.
#[derive(Clone)]
pub struct McpClient {
    http: RestClient,
}

/// The messages with which the server answered one request.
pub(super) struct Exchange {
    pub(super) notifications: Vec<Value>,
    pub(super) response: Result<Value, RpcFailure>,
}

/// A JSON-RPC error: the request itself failed, and not the function.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RpcFailure {
    /// The code of the error.
    pub code: i64,
    /// What was wrong.
    pub message: String,
    /// The machine-readable part; null if there is none.
    pub data: Value,
}

impl std::fmt::Display for RpcFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcFailure {}

impl McpClient {
    pub(super) fn new(http: RestClient) -> McpClient {
        McpClient { http }
    }

    /// The same client with an HTTP header on each request, such as `authorization`.
    ///
    /// # Panics
    /// The name or the value is not valid in HTTP.
    pub fn header(self, name: &str, value: &str) -> McpClient {
        McpClient {
            http: self.http.header(name, value),
        }
    }

    /// Calls a tool. Await the call for its result; before that, give it answers for what the function asks its client.
    pub fn call(&self, name: &str, arguments: Value) -> McpCall {
        let params = json!({"name": name, "arguments": arguments});
        McpCall::new(self.clone(), "tools/call", params)
    }

    /// The tools of the first page of the list, as clients see them.
    ///
    /// # Errors
    /// The request failed.
    pub async fn list_tools(&self) -> Result<Vec<Value>, RpcFailure> {
        let mut result = self.request("tools/list", json!({})).await?;
        Ok(match result["tools"].take() {
            Value::Array(tools) => tools,
            _ => Vec::new(),
        })
    }

    /// The contents of a resource.
    ///
    /// # Errors
    /// The request failed, for example because there is no such resource.
    pub async fn read(&self, uri: &str) -> Result<Vec<Value>, RpcFailure> {
        let mut result = self.request("resources/read", json!({"uri": uri})).await?;
        Ok(match result["contents"].take() {
            Value::Array(contents) => contents,
            _ => Vec::new(),
        })
    }

    /// The result of a prompt, with its messages.
    ///
    /// # Errors
    /// The request failed, for example because there is no such prompt.
    pub async fn prompt(&self, name: &str, arguments: Value) -> Result<Value, RpcFailure> {
        let params = json!({"name": name, "arguments": arguments});
        self.request("prompts/get", params).await
    }

    /// Sends a request of any method, and returns its result.
    ///
    /// # Errors
    /// The request failed.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RpcFailure> {
        self.exchange(method, params).await.response
    }

    /// Sends a request, and reads every message up to its response.
    pub(super) async fn exchange(&self, method: &str, params: Value) -> Exchange {
        let response = self.http.send(post(method, params)).await;
        let mut messages = match response.header("content-type") {
            "text/event-stream" => events(response.text()),
            _ => vec![response.json()],
        };
        let last = messages.pop().unwrap_or_default();
        Exchange {
            notifications: messages,
            response: outcome(last),
        }
    }
}

/// The request with the headers that the revision requires.
fn post(method: &str, mut params: Value) -> Request<Body> {
    let subject = params["name"].as_str().or(params["uri"].as_str());
    let subject = subject.and_then(|it| HeaderValue::try_from(it).ok());
    params["_meta"] = json!({
        "progressToken": 1,
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/logLevel": "debug",
        "io.modelcontextprotocol/clientInfo": {"name": "bifold-testing", "version": env!("CARGO_PKG_VERSION")},
        "io.modelcontextprotocol/clientCapabilities":
            {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", method);
    let mut request = request
        .body(body.to_string().into())
        .expect("the name of a method is valid in a header");
    if let Some(subject) = subject {
        request.headers_mut().insert("mcp-name", subject);
    }
    request
}

/// The messages of an event stream.
fn events(stream: &str) -> Vec<Value> {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|json| serde_json::from_str(json).ok())
        .collect()
}

/// The result in a response, or its error.
fn outcome(mut response: Value) -> Result<Value, RpcFailure> {
    match response["error"].take() {
        Value::Object(error) => Err(failure(error)),
        _ => Ok(response["result"].take()),
    }
}

fn failure(mut error: Map<String, Value>) -> RpcFailure {
    let message = error.get("message").and_then(Value::as_str);
    RpcFailure {
        code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
        message: message.unwrap_or_default().to_owned(),
        data: error.remove("data").unwrap_or_default(),
    }
}
