//! The deadline of an invocation limits the call, and leaves time to send the error.

use std::future::pending;
use std::time::Duration;

use bifold::provenance::replay::Replay;
use bifold::{App, Config, Context, JsonSchema, RequestInfo, Result, Server, TimeLeft, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{arrived, changed, event};
use crate::support::TestApp;

/// Never returns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hang {}

#[derive(Serialize, JsonSchema)]
struct Never {}

async fn hang(_: Context, Hang {}: Hang) -> Result<Never> {
    pending().await
}

/// A server whose only function never returns, with these settings.
async fn hanging(config: Config) -> TestApp {
    let tool = Tool::new("hang", hang).get("/hang");
    let server = Server::new("hanging", "1.0.0").tools(vec![tool]);
    TestApp {
        app: App::new(config, server).unwrap(),
        replay: Replay::start().await.unwrap(),
    }
}

/// The status of the response and the milliseconds until it arrived.
async fn timed(app: &TestApp, event: &Value, left: Option<u64>) -> (u64, Value, u64) {
    let since = Instant::now();
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = left.map(|it| TimeLeft::of(Duration::from_millis(it)));
        info
    };
    let reply = arrived(app, event, request_info).await;
    let took = since.elapsed().as_millis().try_into().unwrap();
    (reply.status(), reply.json(), took)
}

fn get_hang() -> Value {
    let fields = [
        ("/rawPath", json!("/api/hang")),
        ("/rawQueryString", json!("")),
        ("/queryStringParameters", json!(null)),
    ];
    changed("function_url_rest", &fields)
}

/// Time is paused, so that waiting takes no real time; a timer may fire up to a millisecond late.
#[tokio::test(start_paused = true)]
async fn a_hanging_call_ends_before_its_invocation() {
    for (left, margin, limit, expected) in [
        (Some(10_000), 500, 30_000, 9_500),
        (Some(10_000), 2_000, 30_000, 8_000),
        // Without a limit of the platform the configured one holds, and never a longer one.
        (None, 500, 30_000, 30_000),
        (Some(60_000), 500, 30_000, 30_000),
        (Some(60_000), 500, 2_000, 2_000),
        // A short invocation keeps three quarters of its time for the work.
        (Some(2_000), 500, 30_000, 1_500),
        (Some(1_000), 500, 30_000, 750),
        // The call is not started where no more than the margin is left.
        (Some(100), 500, 30_000, 0),
        (Some(0), 500, 30_000, 0),
    ] {
        let mut config = Config::default();
        config.deadline_margin = Duration::from_millis(margin);
        config.call_timeout = Duration::from_millis(limit);
        let app = hanging(config).await;
        let (status, problem, took) = timed(&app, &get_hang(), left).await;
        let shown = format!("{left:?} left, margin {margin}, limit {limit}: {took} ms");
        assert_eq!(status, 504, "{shown}");
        assert_eq!(
            problem["type"], "urn:bifold:problem:deadline_exceeded",
            "{shown}"
        );
        assert_eq!(problem["retryable"], true, "{shown}");
        assert!((expected..=expected + 1).contains(&took), "{shown}");
    }
}

/// An HTTP API waits for 30 s and a REST API for 29 s; a later response is lost.
#[tokio::test(start_paused = true)]
async fn a_call_ends_before_its_integration_times_out() {
    let mut config = Config::default();
    config.call_timeout = Duration::from_secs(600);
    let app = hanging(config).await;
    for (name, path, expected) in [
        ("http_api_v2", "/rawPath", 29_500),
        ("http_api_v1", "/path", 29_500),
        ("rest_api_rest", "/path", 28_500),
        ("load_balancer", "/path", 59_500),
        ("function_url_rest", "/rawPath", 59_500),
    ] {
        let mut event = changed(name, &[(path, json!("/api/hang"))]);
        for query in [
            "rawQueryString",
            "queryStringParameters",
            "multiValueQueryStringParameters",
        ] {
            event.as_object_mut().unwrap().remove(query);
        }
        let (status, _, took) = timed(&app, &event, Some(60_000)).await;
        assert_eq!(status, 504, "{name}");
        assert!(
            (expected..=expected + 1).contains(&took),
            "{name}: {took} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn over_mcp_a_deadline_is_a_failed_call() {
    let app = hanging(Config::default()).await;
    let mut event = event("function_url_mcp");
    event["headers"]["mcp-name"] = json!("hang");
    let body = event["body"]
        .as_str()
        .unwrap()
        .replace("get_registry_summary", "hang");
    event["body"] = json!(body);
    let (status, message, took) = timed(&app, &event, Some(4_000)).await;
    assert_eq!(status, 200);
    assert_eq!(message["result"]["isError"], true, "{message}");
    let detail = &message["result"]["_meta"]["bifold/error"];
    assert_eq!(detail["kind"], "deadline_exceeded");
    assert!((3_500..=3_501).contains(&took), "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_function_call_needs_no_time() {
    let app = hanging(Config::default()).await;
    let health = [
        ("/rawPath", json!("/health")),
        ("/rawQueryString", json!("")),
        ("/queryStringParameters", json!(null)),
    ];
    let (status, _, took) = timed(&app, &changed("function_url_rest", &health), Some(0)).await;
    assert_eq!((status, took), (200, 0));
}
