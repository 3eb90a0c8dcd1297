//! A call as a stream of events, as a browser's `EventSource` reads it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bifold::{
    Content, Context, Elicited, Error, JsonSchema, Level, RequestInfo, Result, Server, Tool, lambda,
};
use futures_util::StreamExt;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{problem, wrong_argument};
use crate::lambda::document;
use crate::support::{Answer, Log, TestApp, serve};

/// Reports, and ends as its argument says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Steps {
    /// How it ends.
    #[serde(default)]
    end: String,
    /// Whether it says nothing before.
    #[serde(default)]
    silent: bool,
}

/// Waits for the test.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {}

/// The user's consent.
#[derive(Deserialize, JsonSchema)]
struct Consent {
    /// Whether they agree.
    #[serde(rename = "agree")]
    _agree: bool,
}

/// The gate of a waiting function, held while it runs.
#[derive(Clone, Default)]
struct Gate(Arc<Notify>);

async fn steps(cx: Context, Steps { end, silent }: Steps) -> Result<Content> {
    if !silent {
        for done in [1.0, 1.0, 0.5, f64::NAN, 2.0] {
            cx.progress(done, Some(3.0), "on the way");
        }
        cx.log(Level::Debug, "unseen");
        cx.log(Level::Info, json!({"step": "a\nb"}));
        tokio::task::yield_now().await;
        cx.progress(3.0, None, "");
    }
    match end.as_str() {
        "fail" => Err(Error::failed("it would not work")),
        "ask" => match cx.elicit::<Consent>("consent", "Agree?").await? {
            Elicited::Accepted(_) => Ok(Content::text("Agreed.")),
            _ => Ok(Content::text("Not agreed.")),
        },
        _ => Ok(Content::text("There.")),
    }
}

async fn wait(cx: Context, Wait {}: Wait) -> Result<Content> {
    let gate = cx.state::<Gate>()?.clone();
    gate.0.notified().await;
    Ok(Content::text("Through."))
}

fn server(gate: &Gate) -> Server {
    let tools = vec![
        Tool::new("steps", steps).get("/steps").reports_progress(),
        Tool::new("wait", wait).get("/wait"),
    ];
    Server::new("events", "1.0.0")
        .tools(tools)
        .state(gate.clone())
}

async fn app() -> TestApp {
    TestApp::serving(server(&Gate::default())).await
}

fn request(path: &str, accept: &str) -> Request<Body> {
    let request = Request::get(path).header("accept", accept);
    request.body(Body::empty()).unwrap()
}

/// As an `EventSource` asks.
fn source(path: &str) -> Request<Body> {
    request(path, "text/event-stream")
}

/// The events of a stream: name, id, and data.
fn events(text: &str) -> Vec<(String, String, Value)> {
    let blocks = text.split("\n\n").filter(|it| !it.is_empty());
    let blocks = blocks.filter(|block| !block.starts_with(':'));
    let field = |block: &str, name: &str| {
        let found = block.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or("").to_owned()
    };
    let read = |block: &str| {
        let data = serde_json::from_str(&field(block, "data: ")).unwrap();
        (field(block, "event: "), field(block, "id: "), data)
    };
    blocks.map(read).collect()
}

fn expected(last: &str, data: Value) -> Vec<(String, String, Value)> {
    let event = |name: &str, id: &str, data| (name.to_owned(), id.to_owned(), data);
    let step = |done: f64| json!({"progress": done, "total": 3.0, "message": "on the way"});
    vec![
        event("progress", "", step(1.0)),
        event("progress", "", step(2.0)),
        event(
            "log",
            "",
            json!({"level": "info", "data": {"step": "a\nb"}}),
        ),
        event("progress", "", json!({"progress": 3.0})),
        event(last, "end", data),
    ]
}

#[tokio::test]
async fn progress_and_log_entries_come_before_the_result() {
    let app = app().await;
    let plain = app.get("/api/steps").await;
    let answer = app.send(source("/api/steps")).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(events(&answer.text()), expected("result", plain.json()));
    let posted = Request::post("/api/steps")
        .header("accept", "text/event-stream")
        .header("content-type", "application/json")
        .body("{}".into())
        .unwrap();
    let posted = app.send(posted).await;
    assert_eq!(events(&posted.text()).len(), 5);
}

#[tokio::test]
async fn a_function_that_says_nothing_streams_its_result_alone() {
    let app = app().await;
    let answer = app.send(source("/api/steps?silent=true")).await;
    let found = events(&answer.text());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].0.as_str(), found[0].1.as_str()),
        ("result", "end")
    );
}

#[tokio::test]
async fn a_failure_is_a_problem_document_with_its_status_where_nothing_was_sent() {
    let app = app().await;
    for (path, status, class) in [
        ("/api/steps?silent=true&end=fail", 422, "failed"),
        ("/api/steps?silent=true&end=ask", 501, "missing_capability"),
    ] {
        problem(&app.send(source(path)).await, status, class);
    }
    wrong_argument(&app.send(source("/api/steps?silent=1")).await, "silent");
    for (end, kind) in [("fail", "failed"), ("ask", "missing_capability")] {
        let answer = app.send(source(&format!("/api/steps?end={end}"))).await;
        assert_eq!(answer.status, 200);
        let (name, id, data) = events(&answer.text()).pop().unwrap();
        assert_eq!((name.as_str(), id.as_str()), ("error", "end"));
        assert_eq!(data["kind"], kind);
        assert_eq!(data["request_id"], answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn a_client_that_prefers_json_gets_json() {
    let app = app().await;
    for (accept, kind) in [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/event-stream", "application/json"),
        (
            "application/json, text/event-stream;q=0.9",
            "application/json",
        ),
        ("text/event-stream;q=0", "application/json"),
        (
            "application/json;q=0.9, text/event-stream",
            "text/event-stream",
        ),
        ("text/event-stream, */*;q=0.1", "text/event-stream"),
    ] {
        let answer = app.send(request("/api/steps", accept)).await;
        assert_eq!(answer.header("content-type"), kind, "{accept}");
    }
    let answer = app.get("/api/steps").await;
    let mut vary = answer.headers.get_all("vary").iter();
    assert!(vary.any(|it| it == "accept"));
}

#[tokio::test]
async fn an_event_source_that_connects_again_is_stopped_and_nothing_runs() {
    let log = Log::default();
    let _kept = log.keep();
    let app = app().await;
    let mut again = source("/api/steps");
    again
        .headers_mut()
        .insert("last-event-id", "end".parse().unwrap());
    let answer = app.send(again).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].get("function").is_none(), "{}", lines[0]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_is_alive() {
    let gate = Gate::default();
    let app = bifold::App::new(bifold::Config::default(), server(&gate)).unwrap();
    let opening = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        opening.0.notify_one();
    });
    let response = serve(&app, source("/api/wait"), RequestInfo::default()).await;
    let text = Answer::read(response).await.text();
    assert!(
        text.starts_with(": keep-alive\n\nevent: result\n"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_ends_the_call_and_there_is_one_access_line() {
    let log = Log::default();
    let _kept = log.keep();
    let gate = Gate::default();
    let app = bifold::App::new(bifold::Config::default(), server(&gate)).unwrap();
    let response = serve(&app, source("/api/wait"), RequestInfo::default()).await;
    let mut body = response.into_body().into_data_stream();
    assert!(body.next().await.unwrap().unwrap().starts_with(b":"));
    assert!(log.requests().is_empty());
    drop(body);
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["error"], "cancelled");
    assert_eq!(lines[0]["function"], "wait");
    assert_eq!(lines[0]["method"], "GET");
}

#[tokio::test]
async fn the_access_line_of_a_stream_says_how_it_ended() {
    let log = Log::default();
    let _kept = log.keep();
    let app = app().await;
    app.send(source("/api/steps?end=fail")).await;
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["error"], "failed");
    assert_eq!(lines[0]["status"], 200);
}

#[tokio::test]
async fn through_lambda_the_events_come_as_a_stream_or_all_at_the_end() {
    let app = app().await;
    let plain = app.get("/api/steps").await.json();
    let event = json!({
        "version": "2.0",
        "rawPath": "/api/steps",
        "rawQueryString": "",
        "headers": {"accept": "text/event-stream"},
        "requestContext": {"http": {"method": "GET", "path": "/api/steps"}},
        "isBase64Encoded": false,
    });
    let reply = lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
    let reply = document(reply.unwrap()).await;
    assert_eq!(reply["headers"]["content-type"], "text/event-stream");
    let text = reply["body"].as_str().unwrap();
    assert_eq!(events(text), expected("result", plain));
}

#[tokio::test]
async fn the_document_describes_the_stream_of_what_reports_progress() {
    let app = app().await;
    let document = app.get("/openapi.json").await.json();
    let content =
        |path: &str| document["paths"][path]["get"]["responses"]["200"]["content"].clone();
    assert!(content("/api/steps")["text/event-stream"].is_object());
    assert!(content("/api/wait").get("text/event-stream").is_none());
}
