//! Progress over MCP: the stream of one call, while it runs and when it ends.

mod integrations;
#[cfg(feature = "provenance")]
mod parts;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, BodyDataStream};
use bifold::{Config, Content, Context, Error, JsonSchema, RequestInfo, Result, Server, Tool};
use futures_util::StreamExt;
use http::{HeaderValue, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::support::{Answer, Log, TestApp, modern, serve};

/// Reports a few times, then ends as its argument says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Steps {
    /// `fail` or `panic` for a failure.
    #[serde(default)]
    end: String,
}

/// Reports once, waits for the test, reports again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {}

/// The state that a waiting function shares with its test.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<Notify>,
    running: Arc<AtomicUsize>,
}

/// Counts a running function, until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn steps(cx: Context, Steps { end }: Steps) -> Result<Content> {
    for done in [0.0, 5.0, 5.0, 3.0, f64::NAN, f64::INFINITY, 7.5] {
        cx.progress(done, Some(10.0), "on the way");
        tokio::task::yield_now().await;
    }
    cx.progress(9.0, Some(f64::NAN), "");
    cx.progress(10.0, None, "last\nline");
    match end.as_str() {
        "fail" => Err(Error::failed("it would not work").with_source("secret detail")),
        "panic" => panic!("a defect"),
        _ => Ok(Content::text("There.")),
    }
}

async fn wait(cx: Context, Wait {}: Wait) -> Result<Content> {
    let gate = cx.state::<Gate>()?;
    gate.running.fetch_add(1, Ordering::Relaxed);
    let _running = Running(gate.running.clone());
    cx.progress(1.0, Some(2.0), "waiting");
    gate.open.notified().await;
    cx.progress(2.0, Some(2.0), "through");
    Ok(Content::text("Through."))
}

async fn serving(gate: &Gate) -> TestApp {
    let tools = vec![Tool::new("steps", steps), Tool::new("wait", wait)];
    let server = Server::new("progress", "1.0.0");
    TestApp::serving(server.tools(tools).state(gate.clone())).await
}

/// A modern call whose client asks for progress.
fn watched(name: &str, arguments: Value, token: Value) -> Request<Body> {
    let params = json!({"name": name, "arguments": arguments, "_meta": {"progressToken": token}});
    modern("tools/call", params)
}

/// A call of an older revision, with this `Accept` and this `_meta`.
fn legacy(name: &str, accept: Option<&'static str>, meta: Value) -> Request<Body> {
    let params = json!({"name": name, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": "one", "method": "tools/call", "params": params});
    let mut request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2025-11-25");
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    request.body(body.to_string().into()).unwrap()
}

/// The body of a call, which runs while it is read.
async fn open(app: &TestApp, request: Request<Body>) -> BodyDataStream {
    let response = serve(&app.app, request, RequestInfo::default()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

/// The next chunk of the stream, which is always one complete event or comment.
async fn next(body: &mut BodyDataStream) -> String {
    let piece = body.next().await.expect("the stream has not ended");
    String::from_utf8(piece.unwrap().into()).unwrap()
}

/// The message of one event.
#[track_caller]
fn message(event: &str) -> Value {
    let data = event.strip_prefix("event: message\ndata: ");
    let data = data.and_then(|rest| rest.strip_suffix("\n\n"));
    let data = data.unwrap_or_else(|| panic!("no event: {event:?}"));
    assert!(!data.contains(['\n', '\r']), "{data:?}");
    serde_json::from_str(data).unwrap()
}

/// The messages of a complete stream.
#[track_caller]
fn messages(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    text.split_inclusive("\n\n").map(message).collect()
}

/// Takes the last message, which must be the only response.
#[track_caller]
fn response(messages: &mut Vec<Value>) -> Value {
    let response = messages.pop().expect("a stream ends with its response");
    assert!(response.get("result").is_some(), "{response}");
    for message in messages {
        assert_eq!(message["method"], "notifications/progress", "{message}");
        assert!(message.get("id").is_none(), "{message}");
    }
    response
}

fn of<'a>(messages: &'a [Value], key: &str) -> Vec<&'a Value> {
    messages.iter().map(|it| &it["params"][key]).collect()
}

#[tokio::test]
async fn a_progress_report_arrives_while_the_function_runs() {
    let gate = Gate::default();
    let app = serving(&gate).await;
    for (request, id) in [
        (watched("wait", json!({}), json!("mine")), json!(1)),
        (
            legacy(
                "wait",
                Some("text/event-stream"),
                json!({"progressToken": "mine"}),
            ),
            json!("one"),
        ),
    ] {
        let mut body = open(&app, request).await;
        assert_eq!(
            message(&next(&mut body).await),
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params":
                {"progressToken": "mine", "progress": 1.0, "total": 2.0, "message": "waiting"}})
        );
        assert_eq!(gate.running.load(Ordering::Relaxed), 1);
        gate.open.notify_one();
        assert_eq!(message(&next(&mut body).await)["params"]["progress"], 2.0);
        let response = message(&next(&mut body).await);
        assert_eq!(response["id"], id);
        assert_eq!(response["result"]["content"][0]["text"], "Through.");
        assert!(body.next().await.is_none());
        assert_eq!(gate.running.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_stream_is_the_increasing_reports_and_then_the_usual_response() {
    let app = serving(&Gate::default()).await;
    for token in [json!("a \"token\""), json!(7), json!(-1)] {
        let answer = app.send(watched("steps", json!({}), token.clone())).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-accel-buffering"), "no");
        assert!(!answer.header("x-request-id").is_empty());
        let mut messages = messages(&answer);
        let response = response(&mut messages);
        assert_eq!(of(&messages, "progressToken"), [&token; 5]);
        assert_eq!(of(&messages, "progress"), [0.0, 5.0, 7.5, 9.0, 10.0]);
        let ten = json!(10.0);
        let none = Value::Null;
        assert_eq!(of(&messages, "total"), [&ten, &ten, &ten, &none, &none]);
        assert_eq!(messages[4]["params"]["message"], "last\nline");
        assert!(messages[3]["params"].get("message").is_none());
        let plain = app.mcp("tools/call", json!({"name": "steps"})).await;
        assert_eq!(response, plain.json());
    }
}

#[tokio::test]
async fn a_client_that_does_not_ask_or_accepts_no_events_gets_plain_json() {
    let app = serving(&Gate::default()).await;
    let token = json!({"progressToken": 1});
    let events = "application/json, text/event-stream";
    for (accept, meta) in [
        (None, token.clone()),
        (Some("application/json"), token.clone()),
        (Some("text/event-stream;q=0"), token.clone()),
        (Some("text/event-stream; q=0.0, */*"), token.clone()),
        (Some("*/*;q=0"), token.clone()),
        (Some(events), json!({})),
        (Some(events), json!({"progressToken": null})),
        (Some(events), json!({"progressToken": 1.5})),
        (Some(events), json!({"progressToken": ["a"]})),
        (Some(events), json!({"progressToken": {"a": 1}})),
        (Some(events), json!("progressToken")),
    ] {
        let answer = app.send(legacy("steps", accept, meta.clone())).await;
        assert_eq!(
            answer.header("content-type"),
            "application/json",
            "{accept:?} {meta}"
        );
        assert_eq!(answer.json()["result"]["isError"], false);
    }
    for accept in [
        "text/event-stream",
        "application/json,TEXT/Event-Stream;q=0.5",
        "text/*",
        "*/*",
    ] {
        let answer = app.send(legacy("steps", Some(accept), token.clone())).await;
        assert_eq!(messages(&answer).len(), 6, "{accept}");
    }
    let mut lines = legacy("steps", Some("application/json"), token);
    let events = HeaderValue::from_static("text/event-stream");
    lines.headers_mut().append("accept", events);
    assert_eq!(messages(&app.send(lines).await).len(), 6);
}

#[tokio::test]
async fn a_request_that_is_not_a_tool_call_gets_plain_json() {
    let app = serving(&Gate::default()).await;
    let unknown = app.send(watched("nothing", json!({}), json!(1))).await;
    assert_eq!(unknown.json()["error"]["code"], -32602);
    let list = modern("tools/list", json!({"_meta": {"progressToken": 1}}));
    assert!(app.send(list).await.json()["result"]["tools"].is_array());
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "steps", "_meta": {"progressToken": 1}}});
    let batch = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Body::from(json!([call]).to_string()))
        .unwrap();
    let answer = app.send(batch).await.json();
    assert_eq!(answer[0]["result"]["isError"], false);
}

#[tokio::test]
async fn a_failure_after_reports_is_one_last_response() {
    let app = serving(&Gate::default()).await;
    for (arguments, kind, reports) in [
        (json!({"end": "fail"}), "failed", 5),
        (json!({"end": "panic"}), "internal", 5),
        (json!({"end": 5}), "invalid_argument", 0),
    ] {
        let answer = app.send(watched("steps", arguments, json!(1))).await;
        assert!(!answer.text().contains("secret"));
        let mut messages = messages(&answer);
        let result = &response(&mut messages)["result"];
        assert_eq!(result["isError"], true);
        assert_eq!(result["_meta"]["bifold/error"]["kind"], kind);
        assert_eq!(messages.len(), reports);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_sends_heartbeats_until_the_deadline() {
    let gate = Gate::default();
    let app = serving(&gate).await;
    let since = Instant::now();
    let mut body = open(&app, watched("wait", json!({}), json!(1))).await;
    message(&next(&mut body).await);
    assert_eq!(since.elapsed().as_secs(), 0);
    assert_eq!(next(&mut body).await, ": keep-alive\n\n");
    assert_eq!(since.elapsed().as_secs(), 15);
    let response = message(&next(&mut body).await);
    assert_eq!(
        response["result"]["_meta"]["bifold/error"]["kind"],
        "deadline_exceeded"
    );
    assert_eq!(
        since.elapsed().as_secs(),
        Config::default().call_timeout.as_secs()
    );
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_disconnected_client_ends_its_call() {
    let gate = Gate::default();
    let app = serving(&gate).await;
    let mut body = open(&app, watched("wait", json!({}), json!(1))).await;
    assert_eq!(
        gate.running.load(Ordering::Relaxed),
        0,
        "nobody has read yet"
    );
    next(&mut body).await;
    assert_eq!(gate.running.load(Ordering::Relaxed), 1);
    drop(body);
    assert_eq!(gate.running.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_log_line_says_how_the_stream_ended() {
    let gate = Gate::default();
    let app = serving(&gate).await;
    for (arguments, outcome, error) in [
        (json!({}), "ok", Value::Null),
        (json!({"end": "fail"}), "error", json!("failed")),
    ] {
        let log = Log::default();
        let _guard = log.keep();
        let mut body = open(&app, watched("steps", arguments, json!(1))).await;
        assert!(log.requests().is_empty(), "the outcome is not known yet");
        while body.next().await.is_some() {}
        drop(body);
        let lines = log.requests();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["function"], "steps");
        assert_eq!(lines[0]["outcome"], outcome);
        assert_eq!(lines[0]["error"], error);
        assert_eq!(lines[0]["status"], 200);
    }
    let log = Log::default();
    let _guard = log.keep();
    let mut body = open(&app, watched("wait", json!({}), json!(1))).await;
    next(&mut body).await;
    drop(body);
    assert_eq!(log.requests()[0]["function"], "wait");
    assert_eq!(log.requests()[0]["error"], "cancelled");
}
