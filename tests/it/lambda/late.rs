//! Invocations that begin late: they have no more time than the margin, which is reserved for the response.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bifold::{
    App, Config, Content, Context, JsonSchema, Prompt, RequestInfo, Resource, Result, Server,
    TimeLeft, Tool, Transfer, lambda,
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{changed, event};

/// Never returns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hang {}

/// Never returns either.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct About {
    /// What it would be about.
    #[serde(rename = "about")]
    _about: String,
}

/// How many calls have begun.
type Begun = Arc<AtomicUsize>;

async fn hang(cx: Context, Hang {}: Hang) -> Result<Content> {
    cx.state::<Begun>()?.fetch_add(1, Ordering::SeqCst);
    pending().await
}

fn hanging(begun: &Begun, invoke_mode: Transfer) -> App {
    let mut config = Config::default();
    config.invoke_mode = invoke_mode;
    let prompt = Prompt::new(Tool::new("about", async |cx, _: About| {
        hang(cx, Hang {}).await
    }));
    let prompt = prompt.complete("about", async |cx, _| {
        hang(cx, Hang {}).await.map(|_| Vec::new())
    });
    let server = Server::new("late", "1.0.0")
        .tools(vec![Tool::new("hang", hang).get("/hang")])
        .resources(vec![Resource::new(
            "hang://it",
            "text/plain",
            Tool::new("document", hang),
        )])
        .prompts(vec![prompt])
        .state(begun.clone());
    App::new(config, server).unwrap()
}

fn over_rest() -> Value {
    let fields = [
        ("/rawPath", json!("/api/hang")),
        ("/rawQueryString", json!("")),
        ("/queryStringParameters", json!(null)),
    ];
    changed("function_url_rest", &fields)
}

fn over_mcp(method: &str, name: &str, params: Value) -> Value {
    let mut event = event("function_url_mcp");
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    body["method"] = json!(method);
    for (key, value) in params.as_object().unwrap() {
        let meta = body["params"]["_meta"].as_object_mut().unwrap();
        match key == "_meta" {
            true => meta.extend(value.as_object().unwrap().clone()),
            false => body["params"][key] = value.clone(),
        }
    }
    event["headers"]["mcp-method"] = json!(method);
    event["headers"]["mcp-name"] = json!(name);
    event["body"] = json!(body.to_string());
    event
}

/// A call whose client asks for progress, so that its response is a stream at once.
fn watched() -> Value {
    let params = json!({"name": "hang", "_meta": {"progressToken": 1}});
    over_mcp("tools/call", "hang", params)
}

/// The time left, and the longest time seen so far, in milliseconds.
fn time(left: u64, seen: u64) -> TimeLeft {
    TimeLeft::of(Duration::from_millis(left)).out_of(Duration::from_millis(seen))
}

/// The body of the response, and the milliseconds until it was complete.
async fn timed(app: &App, event: &Value, time_left: TimeLeft) -> (String, u64) {
    let since = Instant::now();
    let request_info = {
        let mut info = RequestInfo::default();
        info.id = Some("the-id".to_owned());
        info.time_left = Some(time_left);
        info
    };
    let reply = lambda::answer(app, &event.to_string(), request_info).await;
    let reply = reply.unwrap();
    let is_streamed = reply.is_streamed();
    let bytes = reply.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.into()).unwrap();
    let body = match is_streamed {
        true => text.split_once("\0\0\0\0\0\0\0\0").unwrap().1.to_owned(),
        false => {
            let document: Value = serde_json::from_str(&text).unwrap();
            document["body"].as_str().unwrap().to_owned()
        }
    };
    (body, since.elapsed().as_millis().try_into().unwrap())
}

/// The detail of the timeout error.
fn detail() -> Value {
    json!({"kind": "deadline_exceeded", "retryable": true})
}

/// The timeout error of REST.
fn problem() -> Value {
    json!({
        "type": "urn:bifold:problem:deadline_exceeded",
        "title": "The time limit was reached",
        "status": 504,
        "detail": "the time limit of this call was reached before a result was ready",
        "kind": "deadline_exceeded",
        "retryable": true,
        "request_id": "the-id",
    })
}

/// The timeout error of a call over MCP.
fn response() -> Value {
    let text = "the time limit of this call was reached before a result was ready";
    let server = json!({"name": "late", "version": "1.0.0"});
    json!({"jsonrpc": "2.0", "id": 1, "result": {
        "content": [{"type": "text", "text": text}],
        "isError": true,
        "resultType": "complete",
        "_meta": {
            "io.modelcontextprotocol/serverInfo": server,
            "bifold/error": detail(),
        },
    }})
}

#[track_caller]
fn same(body: &str, expected: &Value, shown: &str) {
    let body = body.strip_prefix("event: message\ndata: ").unwrap_or(body);
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{shown}: {body}"));
    assert_eq!(body, *expected, "{shown}");
}

/// Time is paused, so that waiting takes no real time; a timer may fire up to a millisecond late.
#[tokio::test(start_paused = true)]
async fn a_plain_call_runs_until_its_margin_and_is_not_started_within_it() {
    for (left, seen, worked) in [
        // A process without earlier invocations knows only that timeouts are whole seconds.
        (0, 0, 0),
        (200, 0, 0),
        (250, 0, 0),
        (251, 0, 1),
        (900, 0, 650),
        (1_600, 0, 1_100),
        (400, 900, 150),
        (400, 2_000, 0),
        (400, 30_000, 0),
        (500, 30_000, 0),
        (501, 30_000, 1),
        (20_000, 900_000, 19_500),
    ] {
        for transfer in [Transfer::Buffered, Transfer::Streamed] {
            let begun = Begun::default();
            let app = hanging(&begun, transfer);
            let mcp = over_mcp("tools/call", "hang", json!({"name": "hang"}));
            for (event, answer) in [(over_rest(), problem()), (mcp, response())] {
                let shown = format!("{left} ms left, {seen} seen, {transfer:?}");
                let (body, took) = timed(&app, &event, time(left, seen)).await;
                same(&body, &answer, &shown);
                let late = u64::from(worked > 0);
                assert!((worked..=worked + late).contains(&took), "{shown}: {took}");
            }
            let expected = if worked > 0 { 2 } else { 0 };
            assert_eq!(begun.load(Ordering::SeqCst), expected, "{left} of {seen}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_runs_until_its_margin_and_is_not_started_within_it() {
    for (left, seen, worked) in [
        (200, 0, 0),
        (20_000, 0, 15_000),
        (20_000, 60_000, 5_000),
        (20_000, 900_000, 0),
        (30_000, 900_000, 0),
        (31_000, 900_000, 1_000),
    ] {
        let begun = Begun::default();
        let app = hanging(&begun, Transfer::Streamed);
        let shown = format!("{left} ms left, {seen} seen");
        let (body, took) = timed(&app, &watched(), time(left, seen)).await;
        let body = body.trim_start_matches(": keep-alive\n\n");
        same(body, &response(), &shown);
        let late = u64::from(worked > 0);
        assert!((worked..=worked + late).contains(&took), "{shown}: {took}");
        assert_eq!(begun.load(Ordering::SeqCst), usize::from(worked > 0));
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_that_would_run_a_function_gets_the_timeout_error() {
    let begun = Begun::default();
    let app = hanging(&begun, Transfer::Buffered);
    let reference = json!({"type": "ref/prompt", "name": "about"});
    let argument = json!({"name": "about", "value": ""});
    for (method, name, params) in [
        (
            "prompts/get",
            "about",
            json!({"name": "about", "arguments": {"about": "it"}}),
        ),
        ("resources/read", "hang://it", json!({"uri": "hang://it"})),
        (
            "completion/complete",
            "",
            json!({"ref": reference, "argument": argument}),
        ),
    ] {
        let event = over_mcp(method, name, params);
        let (body, took) = timed(&app, &event, time(400, 30_000)).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["code"], -32603, "{method}: {body}");
        assert_eq!(body["error"]["data"], detail(), "{method}");
        assert_eq!(took, 0, "{method}");
    }
    assert_eq!(begun.load(Ordering::SeqCst), 0);
}
