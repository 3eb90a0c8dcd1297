//! Calls with their correct answers.

use axum::body::Body;
use bifold::provenance::replay::{MOVING, PLAIN, Replay, VESTING};
use bifold::{App, Config, RequestInfo, provenance};
use http::Request;
use serde_json::{Value, json};

use crate::Failure;

/// One call with its answer.
pub struct Case {
    pub name: String,
    pub arguments: Value,
    pub path: String,
    pub expected: Value,
    /// The targets of its upstream requests.
    pub targets: Vec<String>,
    pub on_mcp: bool,
}

/// One call of each function on REST, for every kind of wallet.
///
/// # Errors
/// The error of the recorded upstream.
pub async fn truth() -> Result<Vec<Case>, Failure> {
    let replay = Replay::start().await?;
    let mut config = Config::default();
    replay.configure(&mut config);
    config.cache_bytes = 0;
    let app = App::new(config, provenance::server())?;
    let mut cases = Vec::new();
    for tool in app.registry().tools() {
        let Some(path) = tool.path() else { continue };
        let wallets = match tool.is_required("wallet_address") {
            true => vec![VESTING, PLAIN, MOVING],
            false => vec![""],
        };
        for wallet in wallets {
            let path = path.replace("{wallet_address}", wallet);
            let path = format!("/api{}", path.replace("{token_pair}", "HASH-USD"));
            let arguments = match (wallet, path.contains("HASH-USD")) {
                ("", true) => json!({ "token_pair": "HASH-USD" }),
                ("", false) => json!({}),
                _ => json!({ "wallet_address": wallet }),
            };
            replay.forget();
            let request = Request::get(&path).body(Body::empty())?;
            let (status, expected) = send(&app, request).await?;
            assert_eq!(status, 200, "{path}");
            cases.push(Case {
                name: tool.name().to_owned(),
                arguments,
                path,
                expected,
                targets: replay.seen(),
                on_mcp: tool.on_mcp(),
            });
        }
    }
    Ok(cases)
}

impl Case {
    /// The body of the call over MCP.
    pub fn message(&self, id: u64) -> Value {
        let params = json!({ "name": self.name, "arguments": self.arguments });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    }
}

/// The result of a call over MCP, with the status that REST would have.
pub fn result(mut message: Value) -> (u16, Value) {
    match message["result"]["isError"].as_bool() {
        Some(false) => (200, message["result"]["structuredContent"].take()),
        Some(true) => (502, message["result"]["_meta"]["bifold/error"].take()),
        None => (500, message),
    }
}

/// Sends a request to `app` inside this process; returns the status and the body.
///
/// # Errors
/// The body is not JSON.
pub async fn send(app: &App, request: Request<Body>) -> Result<(u16, Value), Failure> {
    let response = app.serve(request, RequestInfo::default()).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}
