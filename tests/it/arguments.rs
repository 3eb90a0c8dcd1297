//! Arguments that the schema allows and serde does not, at every depth and on every protocol.

mod absent;
mod derived;
pub mod function;
mod rows;
pub mod rules;
mod texts;
mod whole;

use bifold::{App, Server, batch};
use http::{Request, StatusCode};
use serde_json::Value;

use crate::support::{Answer, TestApp};

/// The outcome of a call: the result, or the name of the invalid field.
type Said = Result<Value, String>;

/// A server with the function that repeats its arguments, and the batch function.
async fn serving() -> TestApp {
    let tools = vec![function::tool(), function::published(), batch::tool()];
    let server = Server::new("arguments", "1.0.0").tools(tools);
    TestApp::serving(server.prompts(vec![function::prompt()])).await
}

/// `POST /api/{name}`.
async fn on_rest(app: &TestApp, name: &str, arguments: &str) -> Said {
    let answer = app
        .post(&format!("/api/{name}"), arguments.to_owned())
        .await;
    match answer.status {
        StatusCode::OK => Ok(answer.json()),
        _ => Err(answer.json()["field"].as_str().unwrap().to_owned()),
    }
}

/// A JSON-RPC request with any text as its parameters.
async fn rpc(app: &TestApp, method: &str, params: &str) -> Answer {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let request = Request::post("/mcp").header("content-type", "application/json");
    app.send(request.body(body.into()).unwrap()).await
}

/// `tools/call`.
async fn on_mcp(app: &TestApp, name: &str, arguments: &str) -> Said {
    let params = format!(r#"{{"name":"{name}","arguments":{arguments}}}"#);
    let result = rpc(app, "tools/call", &params).await.json()["result"].take();
    match result["isError"] == false {
        true => Ok(result["structuredContent"].clone()),
        false => Err(result["_meta"]["bifold/error"]["field"]
            .as_str()
            .unwrap()
            .to_owned()),
    }
}

/// The only call of a report.
fn item(report: Said) -> Said {
    let report = report?;
    let item = &report["results"][0];
    match item["ok"] == true {
        true => Ok(item["result"].clone()),
        false => Err(item["error"]["field"].as_str().unwrap().to_owned()),
    }
}

/// The same call on every protocol, alone and in a batch: first on REST, then on MCP.
async fn everywhere(app: &TestApp, name: &str, arguments: &str) -> [Said; 5] {
    let calls = format!(r#"{{"calls":[{{"name":"{name}","arguments":{arguments}}}]}}"#);
    [
        on_rest(app, name, arguments).await,
        item(on_rest(app, "batch", &calls).await),
        on_mcp(app, name, arguments).await,
        item(on_mcp(app, "call_many", &calls).await),
        by_library(&app.app, name, arguments).await,
    ]
}

/// The same call through the library.
async fn by_library(app: &App, name: &str, arguments: &str) -> Said {
    match app.invoke(name, arguments).await {
        Ok(answer) => Ok(serde_json::from_str(answer.json().get()).unwrap()),
        Err(error) => Err(error.field().unwrap().to_owned()),
    }
}

/// Checks that all protocols give the same outcome.
async fn assert_everywhere(app: &TestApp, name: &str, arguments: &str, expected: &Said) {
    for (way, said) in everywhere(app, name, arguments).await.iter().enumerate() {
        assert_eq!(said, expected, "{arguments} in way {way}");
    }
}
