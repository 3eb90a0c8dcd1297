//! Changes, and the streams on which clients hear of them.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bifold::{
    App, Config, Content, Context, JsonSchema, RequestInfo, Resource, Result, Server, Tool, Topic,
    Update,
};
use futures_util::StreamExt;
use http::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{modern, serve};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn document(_: Context, _: Nothing) -> Result<Content> {
    Ok(Content::text("a document"))
}

fn server() -> Server {
    let document = |uri, name| Resource::new(uri, "text/plain", Tool::sync(name, document));
    Server::new("announcer", "1.0.0")
        .tools(vec![Tool::sync("nothing", |_: Context, _: Nothing| {
            Content::text("")
        })])
        .resources(vec![
            document("test://one", "one"),
            document("test://two", "two"),
        ])
}

fn announcing(topics: &[Topic]) -> App {
    App::new(Config::default(), server().announces(topics)).unwrap()
}

fn everything() -> App {
    announcing(&[Topic::Tools, Topic::Resources, Topic::Contents])
}

async fn send(app: &App, request: Request<Body>) -> Response<Body> {
    serve(app, request, RequestInfo::default()).await
}

async fn listen(app: &App, notifications: Value) -> BodyDataStream {
    let request = modern(
        "subscriptions/listen",
        json!({ "notifications": notifications }),
    );
    let response = send(app, request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream) -> Option<String> {
    let piece = stream.next().await?;
    Some(String::from_utf8(piece.unwrap().to_vec()).unwrap())
}

async fn message(stream: &mut BodyDataStream) -> Value {
    let event = next(stream).await.expect("the stream goes on");
    let data = event.strip_prefix("event: message\ndata: ");
    serde_json::from_str(data.unwrap_or_else(|| panic!("no message: {event:?}"))).unwrap()
}

#[tokio::test]
async fn a_client_hears_what_it_asked_for_under_the_id_of_its_request() {
    let app = everything();
    let asked = json!({"toolsListChanged": true, "resourceSubscriptions": ["test://one"]});
    let mut stream = listen(&app, asked.clone()).await;

    let first = message(&mut stream).await;
    let method = "notifications/subscriptions/acknowledged";
    assert_eq!(first["method"], method);
    assert_eq!(first["params"]["notifications"], asked);
    assert_eq!(first["params"]["_meta"][SUBSCRIPTION], 1);

    let cx = app.context();
    cx.announce(Update::Resources);
    cx.announce(Update::Contents("test://two".to_owned()));
    cx.announce(Update::Contents("test://one".to_owned()));
    cx.announce(Update::Tools);
    let updated = message(&mut stream).await;
    assert_eq!(updated["method"], "notifications/resources/updated");
    let params = json!({"uri": "test://one", "_meta": {SUBSCRIPTION: 1}});
    assert_eq!(updated["params"], params);
    let changed = message(&mut stream).await;
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"], json!({"_meta": {SUBSCRIPTION: 1}}));
    assert!(changed.get("id").is_none());

    app.close();
    let last = message(&mut stream).await;
    assert_eq!(last["id"], 1);
    assert_eq!(last["result"]["resultType"], "complete");
    assert_eq!(last["result"]["_meta"][SUBSCRIPTION], 1);
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn only_what_the_server_tells_is_acknowledged() {
    let app = announcing(&[Topic::Tools]);
    let asked = json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": ["test://one"],
    });
    let mut stream = listen(&app, asked).await;
    let honoured = &message(&mut stream).await["params"]["notifications"];
    assert_eq!(*honoured, json!({"toolsListChanged": true}));

    let asked = json!({"promptsListChanged": true});
    let mut stream = listen(&app, asked).await;
    let first = message(&mut stream).await;
    assert_eq!(first["params"]["notifications"], json!({}));
    let last = message(&mut stream).await;
    assert_eq!(last["result"]["resultType"], "complete");
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_topic_that_is_null_is_not_asked_for() {
    let app = announcing(&[Topic::Tools, Topic::Contents]);
    let asked = json!({
        "toolsListChanged": true,
        "promptsListChanged": null,
        "resourceSubscriptions": null,
    });
    let mut stream = listen(&app, asked).await;
    let honoured = &message(&mut stream).await["params"]["notifications"];
    assert_eq!(*honoured, json!({"toolsListChanged": true}));

    let mut stream = listen(&app, json!(null)).await;
    let honoured = &message(&mut stream).await["params"]["notifications"];
    assert_eq!(*honoured, json!({}));
}

#[tokio::test]
async fn a_process_that_is_frozen_between_requests_says_that_it_tells_nothing() {
    let mut config = Config::default();
    config.function = Some("bifold".to_owned());
    let server = server().announces(&[Topic::Tools, Topic::Contents]);
    let app = App::new(config, server).unwrap();
    let response = send(&app, modern("server/discover", json!({}))).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let discovered: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let offered = json!({"logging": {}, "resources": {}, "tools": {}});
    assert_eq!(discovered["result"]["capabilities"], offered);

    let mut stream = listen(&app, json!({"toolsListChanged": true})).await;
    let first = message(&mut stream).await;
    assert_eq!(first["params"]["notifications"], json!({}));
    assert_eq!(message(&mut stream).await["id"], 1);
    assert_eq!(next(&mut stream).await, None);

    let get = Request::get("/mcp").header("accept", "text/event-stream");
    let response = send(&app, get.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn the_capabilities_name_what_is_told() {
    let app = everything();
    let response = send(&app, modern("server/discover", json!({}))).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let discovered: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let offered = json!({
        "logging": {},
        "resources": {"listChanged": true, "subscribe": true},
        "tools": {"listChanged": true},
    });
    assert_eq!(discovered["result"]["capabilities"], offered);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_lives() {
    let app = everything();
    let mut stream = listen(&app, json!({"toolsListChanged": true})).await;
    message(&mut stream).await;
    let since = Instant::now();
    assert_eq!(next(&mut stream).await.unwrap(), ": keep-alive\n\n");
    assert_eq!(since.elapsed().as_secs(), 15);
    assert_eq!(next(&mut stream).await.unwrap(), ": keep-alive\n\n");
    assert!(since.elapsed() < Duration::from_secs(31));
}

#[tokio::test]
async fn who_falls_behind_is_told_that_anything_may_have_changed() {
    let app = everything();
    let asked = json!({"toolsListChanged": true, "resourceSubscriptions": ["test://one"]});
    let mut stream = listen(&app, asked).await;
    message(&mut stream).await;
    for _ in 0..1000 {
        app.context().announce(Update::Resources);
    }
    let mut methods = Vec::new();
    for _ in 0..2 {
        let message = message(&mut stream).await;
        methods.push(message["method"].as_str().unwrap().to_owned());
    }
    methods.sort();
    let expected = [
        "notifications/resources/updated",
        "notifications/tools/list_changed",
    ];
    assert_eq!(methods, expected);
}

#[tokio::test]
async fn a_client_of_2025_hears_on_the_stream_of_its_get() {
    let app = everything();
    let get = || Request::get("/mcp").header("accept", "text/event-stream");
    let response = send(&app, get().body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200);
    let mut stream = response.into_body().into_data_stream();
    assert_eq!(next(&mut stream).await.unwrap(), ": keep-alive\n\n");
    app.context()
        .announce(Update::Contents("test://two".to_owned()));
    app.context()
        .announce(Update::Contents("secret://somebody".to_owned()));
    app.context().announce(Update::Tools);
    let updated = message(&mut stream).await;
    assert_eq!(updated["params"], json!({"uri": "test://two"}));
    let changed = message(&mut stream).await;
    assert_eq!(changed["method"], "notifications/tools/list_changed");

    let foreign = get().header("origin", "https://evil.example");
    let response = send(&app, foreign.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 403);
    let plain = Request::get("/mcp").header("accept", "application/json");
    let response = send(&app, plain.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 406);
    for version in ["2026-07-28", "bogus"] {
        let other = get().header("mcp-protocol-version", version);
        let response = serve(
            &app,
            other.body(Body::empty()).unwrap(),
            RequestInfo::default(),
        )
        .await;
        assert_eq!(response.status(), 400, "{version}");
    }
    let delete = Request::builder().method(Method::DELETE).uri("/mcp");
    let response = send(&app, delete.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn a_client_of_2025_may_follow_what_is_listed() {
    for (topics, uri, expected) in [
        (&[Topic::Contents][..], "test://one", Value::Null),
        (&[Topic::Contents], "test://none", json!(-32002)),
        (&[Topic::Tools], "test://one", json!(-32601)),
    ] {
        let app = announcing(topics);
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"uri": uri}});
            let request = Request::post("/mcp")
                .header("content-type", "application/json")
                .header("mcp-protocol-version", "2025-11-25");
            let response = send(&app, request.body(body.to_string().into()).unwrap()).await;
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
            let answer: Value = serde_json::from_slice(&body.unwrap()).unwrap();
            assert_eq!(answer["error"]["code"], expected, "{answer}");
        }
    }
}

/// The stream of a client whose request has that id, as it stands in the message.
async fn listen_as(app: &App, id: &str) -> BodyDataStream {
    let asked = json!({"notifications": {"toolsListChanged": true}});
    let (parts, body) = modern("subscriptions/listen", asked).into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    let body = body.replace(r#""id":1"#, &format!(r#""id":{id}"#));
    let response = send(app, Request::from_parts(parts, body.into())).await;
    response.into_body().into_data_stream()
}

#[tokio::test]
async fn an_id_of_any_length_comes_back_as_it_was_written() {
    let app = everything();
    let quiet = announcing(&[]);
    for id in ["18446744073709551617", "-0", r#""\u0041""#] {
        let tie = format!(r#""{SUBSCRIPTION}":{id}"#);
        let mut stream = listen_as(&app, id).await;
        app.context().announce(Update::Tools);
        let mut ended = listen_as(&quiet, id).await;
        for stream in [&mut stream, &mut ended] {
            for _ in 0..2 {
                let event = next(stream).await.unwrap();
                assert!(event.contains(&tie), "{event}");
            }
        }
        assert_eq!(next(&mut ended).await, None);
    }
}
