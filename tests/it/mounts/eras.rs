//! A mounted server of an earlier era with sessions, for clients of both eras.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use bifold::{App, Config, Mount, RequestInfo, Server};
use futures_util::StreamExt;
use http::header::ACCEPT;
use serde_json::{Value, json};

use super::legacy::Legacy;
use super::{mounting, status, tools, until};
use crate::support::{TestApp, serve, stop_clock};

const TOOLS: [&str; 5] = ["ask", "progress", "session", "wait", "other"];

async fn gateway(legacy: &Legacy) -> TestApp {
    let (address, _) = legacy.on_socket().await;
    mounting([Mount::http("old", format!("http://{address}/mcp"))]).await
}

#[tokio::test]
async fn a_modern_client_lists_and_calls_the_tools_of_a_server_of_an_earlier_era() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    let expected = TOOLS.map(|it| format!("old_{it}"));
    assert_eq!(tools(&app).await, expected);
    assert_eq!(status(&app).await["revision"], "2025-06-18");
    let result = app.tool("old_other", json!({ "x": 1 })).await;
    assert_eq!(result["content"][0]["text"], "called other");
    assert_eq!(result["resultType"], "complete");
    let sent = &legacy.seen("tools/call")[0].1;
    assert_eq!(*sent, json!({ "name": "other", "arguments": { "x": 1 } }));
}

#[tokio::test]
async fn a_question_of_it_waits_for_a_client_that_calls_again_and_the_call_runs_once() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    let meta = json!({ "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} } });
    let first = json!({ "name": "old_ask", "_meta": meta });
    let asked = app.mcp("tools/call", first.clone()).await.json();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let requests = asked["result"]["inputRequests"].as_object().unwrap();
    let (key, question) = requests.iter().next().unwrap();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Who are you?");
    let mut again = first.clone();
    again["requestState"] = asked["result"]["requestState"].clone();
    again["inputResponses"] = json!({ key: { "action": "accept", "content": { "name": "Ada" } } });
    let answer = app.mcp("tools/call", again.clone()).await.json();
    assert_eq!(answer["result"]["content"][0]["text"], "Ada", "{answer}");
    assert_eq!(legacy.seen("tools/call").len(), 1);
    // The same answer a second time finds no call, and starts none.
    let late = app.mcp("tools/call", again).await.json();
    assert_eq!(late["result"]["isError"], true, "{late}");
    assert_eq!(legacy.seen("tools/call").len(), 1);
}

#[tokio::test]
async fn a_question_of_it_is_refused_for_a_client_that_cannot_be_asked() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    let result = app.tool("old_ask", json!({})).await;
    let said = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(said, "the client does not support `elicitation`");
    let answer = app.post("/api/old/ask", "{}").await;
    assert_eq!(answer.json()[0]["text"], said);
}

#[tokio::test]
async fn a_client_of_an_earlier_era_is_asked_while_the_call_runs() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    let params = json!({ "name": "old_ask", "arguments": {} });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let request = http::Request::post("/mcp")
        .header("content-type", "application/json")
        .header(ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .body(body.to_string().into())
        .unwrap();
    let response = serve(&app.app, request, RequestInfo::default()).await;
    let mut parts = response.into_body().into_data_stream();
    let mut next = async || {
        loop {
            let part = parts.next().await.unwrap().unwrap();
            let text = String::from_utf8(part.to_vec()).unwrap();
            let data = text.lines().find_map(|it| it.strip_prefix("data: "));
            if let Some(message) = data.and_then(|it| serde_json::from_str::<Value>(it).ok()) {
                return message;
            }
        }
    };
    let question = next().await;
    assert_eq!(question["method"], "elicitation/create");
    let result = json!({ "action": "accept", "content": { "name": "Bo" } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
    app.post("/mcp", answer.to_string()).await;
    let result = next().await;
    assert_eq!(result["result"]["content"][0]["text"], "Bo", "{result}");
}

#[tokio::test]
async fn its_progress_and_its_log_reach_the_client() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    let meta = json!({ "progressToken": 7, "io.modelcontextprotocol/logLevel": "info" });
    let told = app
        .mcp(
            "tools/call",
            json!({ "name": "old_progress", "_meta": meta }),
        )
        .await
        .text();
    let data = told.lines().filter_map(|it| it.strip_prefix("data: "));
    let data: Vec<Value> = data.map(|it| serde_json::from_str(it).unwrap()).collect();
    let expected = json!({ "progressToken": 7, "progress": 1.0, "total": 2.0, "message": "half" });
    assert_eq!(data[0]["params"], expected);
    assert_eq!(data[1]["params"]["data"], json!({ "be": "ware" }));
    assert_eq!(data[2]["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn it_is_told_when_the_caller_does_not_wait_any_more() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = Arc::new(gateway(&legacy).await);
    tools(&app).await;
    let call = tokio::spawn({
        let app = app.clone();
        async move { app.tool("old_wait", json!({})).await }
    });
    settled(|| !legacy.seen("tools/call").is_empty()).await;
    call.abort();
    settled(|| !legacy.seen("notifications/cancelled").is_empty()).await;
    let cancelled = &legacy.seen("notifications/cancelled")[0].1;
    assert!(cancelled["requestId"].is_number(), "{cancelled}");
}

#[tokio::test]
async fn fifty_calls_at_a_time_do_not_wait_for_one_another() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = Arc::new(gateway(&legacy).await);
    tools(&app).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.tool("old_wait", json!({})).await })
        })
        .collect();
    // None of them is answered before all have arrived.
    settled(|| legacy.seen("tools/call").len() == 50).await;
    legacy.set_free();
    for call in calls {
        assert_eq!(call.await.unwrap()["content"][0]["text"], "free");
    }
}

#[tokio::test]
async fn its_list_is_read_again_when_it_says_that_it_has_changed() {
    let legacy = Legacy::with_tools(&["one"]);
    let app = gateway(&legacy).await;
    assert_eq!(tools(&app).await, ["old_one"]);
    settled(|| legacy.streams() == 1).await;
    legacy.set_tools(&["one", "two", "three"]);
    legacy.announce();
    until(&app, |it| it[0]["tools"] == 3).await;
    assert_eq!(tools(&app).await, ["old_one", "old_two", "old_three"]);
}

#[tokio::test]
async fn a_change_that_comes_while_its_list_is_read_is_not_missed() {
    let legacy = Legacy::default();
    let changing = legacy.clone();
    legacy.list_with(move |_, number| {
        // As a server that adds one tool after the other.
        if (2..5).contains(&number) {
            changing.announce();
        }
        let names = (0..number).map(|it| format!("tool{it}"));
        let tools = names.map(|it| json!({ "name": it, "inputSchema": { "type": "object" } }));
        json!({ "tools": tools.collect::<Vec<_>>() })
    });
    let _stopped = stop_clock();
    let app = gateway(&legacy).await;
    assert_eq!(tools(&app).await, ["old_tool0"]);
    settled(|| legacy.streams() == 1).await;
    legacy.announce();
    for expected in 2..=5 {
        // Readings that follow one another closely have waits between them.
        while legacy.seen("tools/list").len() < expected {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        until(&app, |it| it[0]["tools"] == expected).await;
    }
}

#[tokio::test]
async fn a_call_after_a_restart_opens_a_session_once_anew() {
    let legacy = Legacy::with_tools(&TOOLS);
    let app = gateway(&legacy).await;
    assert_eq!(
        app.tool("old_other", json!({})).await["content"][0]["text"],
        "called other"
    );
    for _ in 0..3 {
        legacy.restart();
        let result = app.tool("old_other", json!({})).await;
        assert_eq!(result["content"][0]["text"], "called other", "{result}");
    }
}

#[tokio::test]
async fn each_principal_has_a_session_of_its_own() {
    let legacy = Legacy::with_tools(&TOOLS);
    let (address, _) = legacy.on_socket().await;
    let mount = Mount::http("old", format!("http://{address}/mcp"));
    let server = Server::new("gateway", "1")
        .mount(mount)
        .layer(from_fn(super::named));
    let app = TestApp::of(App::new(Config::default(), server).unwrap()).await;
    let session = async |user: &str| {
        let result = super::call_as(&app, user, "old_session").await;
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let (ada, bo) = (session("ada").await, session("bo").await);
    assert_ne!(ada, bo);
    assert_eq!(session("ada").await, ada);
    assert_eq!(session("bo").await, bo);
    let before = legacy.sessions();
    app.app.stop(std::time::Duration::from_secs(5)).await;
    assert!(before >= 2, "{before}");
    assert_eq!(legacy.sessions(), 0, "sessions are ended at the end");
}

/// Waits until something has happened that needs no time to pass.
pub async fn settled(happened: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if happened() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it has not happened");
}
