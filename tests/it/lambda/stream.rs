//! Streamed responses: chunks are sent as they are produced; how a stream ends.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bifold::provenance::replay::Replay;
use bifold::{
    App, Config, Content, Context, JsonSchema, RequestInfo, Result, Server, TimeLeft, Tool,
    Transfer, lambda,
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::event;
use crate::support::TestApp;

/// Reports once, waits for the test, reports again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {}

/// Reports once and never ends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hang {}

/// The state that the functions share with their test.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<Notify>,
    running: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
}

/// Counts a running function, until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn start(cx: &Context) -> Result<Running> {
        let gate = cx.state::<Gate>()?;
        gate.begun.fetch_add(1, Ordering::Relaxed);
        gate.running.fetch_add(1, Ordering::Relaxed);
        Ok(Running(gate.running.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn wait(cx: Context, Wait {}: Wait) -> Result<Content> {
    let _running = Running::start(&cx)?;
    cx.progress(1.0, Some(2.0), "waiting");
    cx.state::<Gate>()?.open.notified().await;
    cx.progress(2.0, Some(2.0), "through");
    Ok(Content::text("Through."))
}

async fn hang(cx: Context, Hang {}: Hang) -> Result<Content> {
    let _running = Running::start(&cx)?;
    cx.progress(1.0, None, "hanging");
    pending().await
}

async fn serving(gate: &Gate, change: impl FnOnce(&mut Config)) -> TestApp {
    let mut config = Config::default();
    config.invoke_mode = Transfer::Streamed;
    config.response_transfer_mode = Transfer::Streamed;
    change(&mut config);
    let tools = vec![
        Tool::new("wait", wait),
        Tool::new("hang", hang).get("/hang"),
    ];
    let server = Server::new("streams", "1.0.0").tools(tools);
    TestApp {
        app: App::new(config, server.state(gate.clone())).unwrap(),
        replay: Replay::start().await.unwrap(),
    }
}

/// A call through this integration by a client that asks for progress.
fn watched(integration: &str, name: &str) -> Value {
    let mut event = event(integration);
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    body["params"]["name"] = json!(name);
    body["params"]["_meta"]["progressToken"] = json!("token");
    event["body"] = json!(body.to_string());
    match event["multiValueHeaders"].as_object_mut() {
        Some(lists) => drop(lists.insert("Mcp-Name".to_owned(), json!([name]))),
        None => event["headers"]["mcp-name"] = json!(name),
    }
    event
}

/// The streamed response to an event with this time left, in milliseconds.
async fn open(app: &TestApp, event: &Value, left: Option<u64>) -> Body {
    opened(
        app,
        event,
        left.map(|it| TimeLeft::of(Duration::from_millis(it))),
    )
    .await
}

async fn opened(app: &TestApp, event: &Value, time_left: Option<TimeLeft>) -> Body {
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = time_left;
        info
    };
    let reply = lambda::answer(&app.app, &event.to_string(), request_info).await;
    let reply = reply.unwrap();
    assert!(reply.is_streamed());
    reply.into_body()
}

/// The next chunk; `None` at the end, which must have no trailers.
async fn next(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    let data = frame.into_data().expect("a good stream has no trailers");
    Some(String::from_utf8(data.into()).unwrap())
}

/// Reads the head and the delimiter, each a separate chunk.
async fn head(body: &mut Body) -> Value {
    let head = next(body).await.unwrap();
    assert_eq!(next(body).await.unwrap(), "\0".repeat(8));
    serde_json::from_str(&head).unwrap()
}

#[track_caller]
fn message(event: &str) -> Value {
    let data = event.strip_prefix("event: message\ndata: ");
    let data = data.unwrap_or_else(|| panic!("no message: {event:?}"));
    serde_json::from_str(data).unwrap()
}

#[tokio::test]
async fn each_chunk_is_sent_when_it_is_produced() {
    for (integration, content_type) in [
        ("function_url_mcp", "/headers/content-type"),
        ("rest_api_mcp", "/multiValueHeaders/content-type/0"),
    ] {
        let gate = Gate::default();
        let app = serving(&gate, |_| {}).await;
        let mut body = open(&app, &watched(integration, "wait"), None).await;
        let head = head(&mut body).await;
        assert_eq!(head["statusCode"], 200, "{head}");
        assert_eq!(
            head.pointer(content_type),
            Some(&json!("text/event-stream"))
        );
        // While the function waits, there is no further chunk, however often the stream is polled.
        let waiting = message(&next(&mut body).await.unwrap());
        assert_eq!(waiting["params"]["message"], "waiting");
        assert!(futures_util::poll!(std::pin::pin!(body.frame())).is_pending());
        gate.open.notify_one();
        let through = message(&next(&mut body).await.unwrap());
        assert_eq!(through["params"]["message"], "through");
        let response = message(&next(&mut body).await.unwrap());
        assert_eq!(response["result"]["isError"], false);
        assert_eq!(next(&mut body).await, None);
        assert_eq!(gate.running.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_complete_body_is_one_chunk_after_the_head() {
    let app = serving(&Gate::default(), |_| {}).await;
    let mut event = event("function_url_rest");
    event["rawPath"] = json!("/health");
    event["rawQueryString"] = json!("");
    event["queryStringParameters"] = json!(null);
    let mut body = open(&app, &event, Some(0)).await;
    assert_eq!(head(&mut body).await["cookies"], json!([]));
    assert!(next(&mut body).await.unwrap().starts_with('{'));
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test]
async fn a_dropped_stream_ends_its_function() {
    let gate = Gate::default();
    let app = serving(&gate, |_| {}).await;
    let mut body = open(&app, &watched("function_url_mcp", "hang"), None).await;
    head(&mut body).await;
    next(&mut body).await.unwrap();
    assert_eq!(gate.running.load(Ordering::Relaxed), 1);
    drop(body);
    assert_eq!(gate.running.load(Ordering::Relaxed), 0);
}

/// Time is paused, so that waiting takes no real time; a timer may fire up to a millisecond late.
#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_margin_with_an_error_of_its_protocol() {
    for (left, margin, limit, expected) in [
        (Some(300_000), 30_000, 900_000, 270_000),
        (Some(300_000), 1_000, 900_000, 299_000),
        // A short invocation keeps three quarters of its time for the work.
        (Some(60_000), 30_000, 900_000, 45_000),
        (Some(4_000), 30_000, 900_000, 3_000),
        // Without a limit of the platform the configured one holds, and never a longer one.
        (Some(300_000), 30_000, 20_000, 20_000),
        (None, 30_000, 20_000, 20_000),
    ] {
        let gate = Gate::default();
        let app = serving(&gate, |config| {
            config.stream_margin = Duration::from_millis(margin);
            config.call_timeout = Duration::from_millis(limit);
        })
        .await;
        let since = Instant::now();
        let mut body = open(&app, &watched("function_url_mcp", "hang"), left).await;
        head(&mut body).await;
        let mut last = String::new();
        while let Some(piece) = next(&mut body).await {
            last = piece;
        }
        let took: u64 = since.elapsed().as_millis().try_into().unwrap();
        let shown = format!("{left:?} left, margin {margin}, limit {limit}: {took} ms");
        assert!((expected..=expected + 1).contains(&took), "{shown}");
        let response = message(&last);
        assert_eq!(response["result"]["isError"], true, "{shown}: {response}");
        let detail = &response["result"]["_meta"]["bifold/error"];
        assert_eq!(detail["kind"], "deadline_exceeded", "{shown}");
        assert_eq!(gate.running.load(Ordering::Relaxed), 0, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_response_of_a_streaming_integration_has_the_margin_of_plain_calls() {
    let gate = Gate::default();
    let app = serving(&gate, |_| {}).await;
    let mut event = event("function_url_rest");
    event["rawPath"] = json!("/api/hang");
    event["rawQueryString"] = json!("");
    event["queryStringParameters"] = json!(null);
    let since = Instant::now();
    let mut body = open(&app, &event, Some(10_000)).await;
    assert_eq!(head(&mut body).await["statusCode"], 504);
    let problem: Value = serde_json::from_str(&next(&mut body).await.unwrap()).unwrap();
    assert_eq!(problem["type"], "urn:bifold:problem:deadline_exceeded");
    let took = since.elapsed().as_millis();
    assert!((9_500..=9_501).contains(&took), "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn without_time_left_a_function_is_not_started() {
    let gate = Gate::default();
    let app = serving(&gate, |_| {}).await;
    let mut rest = event("function_url_rest");
    rest["rawPath"] = json!("/api/hang");
    rest["rawQueryString"] = json!("");
    rest["queryStringParameters"] = json!(null);
    let mut body = open(&app, &rest, Some(0)).await;
    assert_eq!(head(&mut body).await["statusCode"], 504);

    let mut body = open(&app, &watched("function_url_mcp", "hang"), Some(0)).await;
    head(&mut body).await;
    let response = message(&next(&mut body).await.unwrap());
    let detail = &response["result"]["_meta"]["bifold/error"];
    assert_eq!(detail["kind"], "deadline_exceeded", "{response}");
    assert_eq!(next(&mut body).await, None);
    assert_eq!(gate.begun.load(Ordering::Relaxed), 0);
}
