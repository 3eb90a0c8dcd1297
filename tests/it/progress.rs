//! Progress over MCP: the stream of one call, while it runs and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bifold::replay::VESTING;
use bifold::{Arrival, Config, Content, Context, Error, JsonSchema, Result, Server, Tool, lambda};
use futures_util::StreamExt;
use http::{HeaderValue, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::lambda::document;
use crate::support::{Answer, Log, TestApp, modern, serve};

/// Reports a few times, then ends as it is told to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Steps {
    /// `fail` or `panic` for an end that is not good.
    #[serde(default)]
    end: String,
}

/// Reports once, waits for the test, reports again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {}

/// What a waiting function shares with its test.
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
        "fail" => Err(Error::failed("it would not work").because("secret detail")),
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

/// A call as the revisions before it have it, with that `Accept` and that `_meta`.
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

/// The body of a call that runs as far as it is read.
async fn open(app: &TestApp, request: Request<Body>) -> BodyDataStream {
    let response = serve(&app.app, request, Arrival::default()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

/// The next piece of the stream, which is always one event or comment, whole.
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

/// The messages of a stream that was read to its end.
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
async fn a_report_is_read_while_the_function_still_runs() {
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
async fn a_stream_is_the_rising_reports_then_the_same_response_as_without_then_nothing() {
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
async fn a_client_that_does_not_ask_or_takes_no_events_gets_plain_json() {
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
async fn what_is_no_call_of_a_tool_is_answered_plainly() {
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
async fn a_quiet_stream_shows_that_it_is_alive_until_the_deadline() {
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
async fn a_client_that_goes_away_takes_the_call_along() {
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
async fn over_a_socket_a_report_comes_at_once_and_hanging_up_ends_the_call() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let gate = Gate::default();
    let app = serving(&gate).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(bifold::local::serve(
        app.app.clone(),
        listener,
        std::future::pending(),
    ));
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "wait", "_meta": {"progressToken": 1}}})
    .to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("waiting") {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.unwrap();
        assert_ne!(count, 0, "{seen}");
        seen += std::str::from_utf8(&piece[..count]).unwrap();
    }
    assert_eq!(gate.running.load(Ordering::Relaxed), 1);
    drop(socket);
    let gone = async {
        while gate.running.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn aggregates_tell_of_each_part_that_is_there_or_lost() {
    let app = TestApp::start().await;
    let wallet = json!({"wallet_address": VESTING});
    let delegation = [
        "staked: done",
        "rewards: done",
        "unbonding: done",
        "redelegated: done",
    ];
    for (name, arguments, parts) in [
        (
            "fetch_total_delegation_data",
            wallet.clone(),
            delegation.to_vec(),
        ),
        (
            "fetch_complete_wallet_summary",
            wallet,
            [
                delegation.as_slice(),
                &["account: done", "vesting: done", "delegation: done"],
                &["committed: done", "balances: done"],
            ]
            .concat(),
        ),
        (
            "fetch_market_overview_summary",
            json!({}),
            vec![
                "markets: done",
                "hash_statistics: done",
                "assets: done",
                "HASH-USD: done",
                "BTC-USD: done",
                "ETH-USD: done",
            ],
        ),
    ] {
        let answer = app.send(watched(name, arguments, json!(1))).await;
        let mut messages = messages(&answer);
        let result = &response(&mut messages)["result"];
        assert_eq!(result["isError"], false);
        assert!(result["_meta"]["bifold/cache"].is_object(), "{name}");
        let total = parts.len();
        let expected: Vec<f64> = (1..=total).map(|done| done as f64).collect();
        assert_eq!(
            of(&messages, "progress"),
            expected.iter().collect::<Vec<_>>(),
            "{name}"
        );
        assert!(of(&messages, "total").iter().all(|it| **it == total as f64));
        let mut told = of(&messages, "message");
        told.sort_by_key(|it| it.to_string());
        let mut parts: Vec<Value> = parts.into_iter().map(Value::from).collect();
        parts.sort_by_key(ToString::to_string);
        assert_eq!(told, parts.iter().collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn a_lost_part_is_told_as_failed() {
    let app = TestApp::start().await;
    let broken = bifold::replay::Canned::status(500, "application/json", "{}");
    app.replay.answer("/explorer/api/v2/accounts", broken);
    let name = "fetch_complete_wallet_summary";
    let arguments = json!({"wallet_address": VESTING});
    let mut messages = messages(&app.send(watched(name, arguments, json!(1))).await);
    response(&mut messages);
    let told = of(&messages, "message");
    for part in ["account: failed", "delegation: failed", "balances: done"] {
        assert!(told.iter().any(|it| *it == part), "{part}: {told:?}");
    }
}

#[tokio::test]
async fn a_platform_that_wants_the_answer_whole_gets_the_whole_stream() {
    let app = serving(&Gate::default()).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "steps", "_meta": {"progressToken": 1}}});
    let event = json!({
        "version": "2.0",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "accept": "application/json, text/event-stream"},
        "requestContext": {"http": {"method": "POST", "path": "/mcp"}},
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    let reply = lambda::answer(&app.app, &event.to_string(), Arrival::default()).await;
    let reply = document(reply.unwrap()).await;
    assert_eq!(reply["headers"]["content-type"], "text/event-stream");
    assert_eq!(reply["isBase64Encoded"], false);
    let body = reply["body"].as_str().unwrap();
    let mut messages: Vec<Value> = body.split_inclusive("\n\n").map(message).collect();
    assert_eq!(response(&mut messages)["result"]["isError"], false);
    assert_eq!(messages.len(), 5);
}

#[tokio::test]
async fn the_one_line_in_the_log_tells_how_the_stream_ended() {
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
