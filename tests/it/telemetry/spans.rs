//! Spans, as a stand-in for an OpenTelemetry collector receives them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{Explorer, FUNCTION, PATH, header};
use crate::lambda::event;
use crate::process::platform::Platform;
use crate::support::TestApp;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Accepts OTLP over HTTP in JSON.
struct Collector {
    url: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    async fn start() -> Collector {
        let taken = Arc::<Mutex<Vec<Value>>>::default();
        let batches = taken.clone();
        let take = move |batch: Bytes| {
            let batch = serde_json::from_slice(&batch).unwrap();
            batches.lock().unwrap().push(batch);
            async { ([("content-type", "application/json")], "{}") }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Collector { url, taken }
    }

    /// All spans, in the order in which they ended.
    fn spans(&self) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        let scopes = taken.iter().flat_map(|batch| {
            let resources = batch["resourceSpans"].as_array().unwrap();
            let scopes = resources.iter().map(|it| it["scopeSpans"].as_array());
            scopes.flat_map(Option::unwrap)
        });
        let spans = scopes.flat_map(|it| it["spans"].as_array().unwrap());
        spans.cloned().collect()
    }
}

/// An attribute of a span, or of a resource.
fn attribute<'v>(it: &'v Value, key: &str) -> &'v Value {
    let mut attributes = it["attributes"].as_array().unwrap().iter();
    let found = attributes.find(|it| it["key"] == key);
    let value = found.map(|it| it["value"].as_object().unwrap());
    value.map_or(&Value::Null, |it| it.values().next().unwrap())
}

#[tokio::test]
async fn a_request_and_its_upstream_requests_are_spans_of_the_callers_trace() {
    let (explorer, collector) = (Explorer::start(Vec::new()).await, Collector::start().await);
    let app = explorer
        .app(|config| config.collector = Some(collector.url.clone()))
        .await;
    let request = Request::get(PATH).header("traceparent", PARENT);
    app.send(request.body(Body::empty()).unwrap()).await;
    let params = json!({"name": FUNCTION, "arguments": {}, "_meta": {"traceparent": PARENT}});
    app.mcp("tools/call", params).await;
    assert!(collector.spans().is_empty());
    app.app.flush(Duration::MAX).await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 4);
    assert!(spans.iter().all(|it| it["traceId"] == ID));
    for (pair, name) in spans
        .chunks(2)
        .zip([format!("GET {FUNCTION}"), format!("tools/call {FUNCTION}")])
    {
        let [client, server] = pair else { panic!() };
        assert_eq!(server["name"], name);
        assert_eq!(server["kind"], 2, "a server");
        assert_eq!(server["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(attribute(server, "http.response.status_code"), "200");
        assert_eq!(client["name"], "GET explorer");
        assert_eq!(client["kind"], 3, "a client");
        assert_eq!(client["parentSpanId"], server["spanId"]);
        assert_eq!(attribute(client, "service.peer.name"), "explorer");
        assert!(client["startTimeUnixNano"].as_str() >= server["startTimeUnixNano"].as_str());
    }
    assert_eq!(attribute(&spans[3], "mcp.method.name"), "tools/call");
    assert_eq!(attribute(&spans[3], "gen_ai.tool.name"), FUNCTION);
    // The upstream received the ids of exactly these spans.
    let asked = explorer.asked.lock().unwrap();
    for (headers, client) in asked.iter().zip([&spans[0], &spans[2]]) {
        let place = client["spanId"].as_str().unwrap();
        assert_eq!(
            header(headers, "traceparent"),
            format!("00-{ID}-{place}-01")
        );
    }
}

#[tokio::test]
async fn spans_of_failures_have_the_error_kind() {
    let explorer = Explorer::start(vec![StatusCode::INTERNAL_SERVER_ERROR]).await;
    let collector = Collector::start().await;
    let app = explorer
        .app(|config| config.collector = Some(collector.url.clone()))
        .await;
    app.get(PATH).await;
    app.get(&format!("{PATH}?x=1")).await;
    app.app.flush(Duration::MAX).await;
    let spans = collector.spans();
    let errors: Vec<_> = spans.iter().map(|it| attribute(it, "error.type")).collect();
    assert_eq!(
        errors,
        ["upstream_error", "upstream_error", "invalid_argument"]
    );
    let failed: Vec<bool> = spans.iter().map(|it| it["status"]["code"] == 2).collect();
    // A client error is not an error of the server span.
    assert_eq!(failed, [true, true, false]);
    assert_eq!(attribute(&spans[0], "http.response.status_code"), "500");
}

#[tokio::test]
async fn a_trace_that_the_caller_does_not_sample_is_not_exported() {
    let collector = Collector::start().await;
    let app = TestApp::with(|config| config.collector = Some(collector.url.clone())).await;
    let unsampled = PARENT.replace("-01", "-00");
    let request = Request::get("/health").header("traceparent", unsampled);
    app.send(request.body(Body::empty()).unwrap()).await;
    app.get("/health").await;
    app.app.flush(Duration::MAX).await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 1);
    assert_ne!(spans[0]["traceId"], ID);
}

#[tokio::test]
async fn on_lambda_spans_are_sent_before_the_next_invocation() {
    let collector = Collector::start().await;
    let mut platform = Platform::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_SERVICE_NAME", "it"),
    ])
    .await;
    let mut event = event("function_url_mcp");
    event["headers"]["traceparent"] = json!(PARENT);
    let first = platform.invoke(&event).await;
    platform.invoke(&event).await;
    let spans = collector.spans();
    let [span, ..] = &spans[..] else {
        panic!("none")
    };
    assert_eq!(attribute(span, "faas.invocation_id"), &json!(first.id));
    let taken = collector.taken.lock().unwrap();
    let resource = &taken[0]["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), "it");
}

#[tokio::test]
async fn a_local_server_exports_the_remaining_spans_at_shutdown() {
    let collector = Collector::start().await;
    let app = TestApp::with(|config| config.collector = Some(collector.url.clone())).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap() };
    let server = tokio::spawn(bifold::local::serve(app.app.clone(), listener, shutdown));
    let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.write_all(request).await.unwrap();
    socket.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(collector.spans().is_empty());
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert_eq!(collector.spans()[0]["name"], "health");
}

#[tokio::test]
async fn a_collector_that_cannot_be_used_stops_the_start_and_is_named() {
    let mut config = bifold::Config::default();
    config.collector = Some("no url".to_owned());
    let refused = bifold::App::new(config, bifold::provenance::server())
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "{refused}"
    );
}
