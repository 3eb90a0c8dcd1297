//! Pages in browsers: which may call, what they may send and read, and that no other page learns anything.

use axum::body::Body;
use bifold::{Content, Context, JsonSchema, RequestInfo, Result, Server, Tool, lambda};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::lambda::changed;
use crate::support::{Answer, TestApp, modern};

const PAGE: &str = "https://claude.ai";
const FOREIGN: &str = "https://evil.example";

const MAY_SEND: &str = "Content-Type, Accept, Authorization, X-API-Key, MCP-Protocol-Version, Mcp-Method, Mcp-Name, \
                        Mcp-Session-Id, Last-Event-ID, X-Request-Id, traceparent, tracestate, baggage, If-None-Match, Idempotency-Key";
const MAY_READ: &str = "WWW-Authenticate, X-Request-Id, Server-Timing, ETag, Retry-After, RateLimit, RateLimit-Policy, Cache-Status, Age, Link, Idempotent-Replayed";

async fn listing(page: &str) -> TestApp {
    TestApp::with(|config| config.allowed_origins = vec![page.to_owned()]).await
}

/// The request as a page of `origin` sends it.
fn from_page(mut request: Request<Body>, origin: &'static str) -> Request<Body> {
    let headers = request.headers_mut();
    headers.insert("origin", HeaderValue::from_static(origin));
    headers.insert("host", HeaderValue::from_static("functions.example.com"));
    request
}

/// The preflight of a browser before a page of `origin` posts JSON to `path`.
fn preflight(path: &str, origin: &'static str) -> Request<Body> {
    let request = Request::options(path)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    from_page(request.body(Body::empty()).unwrap(), origin)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// The names of the headers that are meant for pages.
fn cors_headers(headers: &HeaderMap) -> Vec<&str> {
    let names = headers.keys().map(|name| name.as_str());
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

#[track_caller]
fn assert_shared(answer: &Answer, origin: &str, what: &str) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        origin,
        "{what}"
    );
    assert_eq!(
        answer.header("access-control-expose-headers"),
        MAY_READ,
        "{what}"
    );
    assert_eq!(answer.header("vary"), "Origin", "{what}");
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials"),
        "{what}"
    );
}

/// Requests with every kind of response, each with its status.
fn requests() -> Vec<(&'static str, Request<Body>, u16)> {
    let posted = |body: &'static str| {
        let request = Request::post("/mcp").header("content-type", "application/json");
        request.body(Body::from(body)).unwrap()
    };
    vec![
        ("a result", modern("tools/list", json!({})), 200),
        (
            "a failed call",
            modern("tools/call", json!({"name": "fetch_account_info"})),
            200,
        ),
        ("a JSON-RPC error", modern("no/such", json!({})), 404),
        ("what is no JSON", posted("{"), 400),
        (
            "a notification",
            posted(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
            202,
        ),
        ("a page of the site", get("/docs"), 200),
        ("the OpenAPI document", get("/openapi.json"), 200),
        ("a REST result", get("/api/registry_summary"), 200),
        ("a REST failure", get("/api/account_info/x"), 400),
        ("what is not there", get("/no/such"), 404),
        (
            "another method",
            Request::delete("/mcp").body(Body::empty()).unwrap(),
            405,
        ),
        (
            "an ordinary OPTIONS",
            Request::options("/mcp").body(Body::empty()).unwrap(),
            405,
        ),
    ]
}

#[tokio::test]
async fn a_preflight_lists_what_an_allowed_page_may_send() {
    let app = listing(PAGE).await;
    for path in [
        "/mcp",
        "/api/registry_summary",
        "/api/batch",
        "/openapi.json",
        "/docs",
        "/health",
        "/no/such",
    ] {
        let answer = app.send(preflight(path, PAGE)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert!(answer.body.is_empty(), "{path}");
        assert_shared(&answer, PAGE, path);
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET, POST",
            "{path}"
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            MAY_SEND,
            "{path}"
        );
        assert_eq!(answer.header("access-control-max-age"), "7200", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_allowed_page_can_read_every_response_including_errors() {
    let app = listing(PAGE).await;
    for (what, request, status) in requests() {
        let answer = app.send(from_page(request, PAGE)).await;
        assert_eq!(answer.status.as_u16(), status, "{what}");
        assert_shared(&answer, PAGE, what);
    }
    let tag = app
        .get("/api/registry_summary")
        .await
        .header("etag")
        .to_owned();
    let request = Request::get("/api/registry_summary").header("if-none-match", tag);
    let known = app
        .send(from_page(request.body(Body::empty()).unwrap(), PAGE))
        .await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_shared(&known, PAGE, "an answer that is known");
}

#[tokio::test]
async fn a_foreign_page_gets_no_cors_headers_and_is_forbidden_at_the_mcp_endpoint() {
    let app = listing(PAGE).await;
    for (what, request, status) in requests() {
        let is_message = request.method() == "POST" && request.uri().path() == "/mcp";
        let answer = app.send(from_page(request, FOREIGN)).await;
        let status = if is_message { 403 } else { status };
        assert_eq!(answer.status.as_u16(), status, "{what}");
        assert_eq!(cors_headers(&answer.headers), [""; 0], "{what}");
    }
    for origin in [
        FOREIGN,
        "null",
        "",
        "http://claude.ai",
        "https://claude.ai:8443",
        "https://claude.ai.evil.example",
    ] {
        let answer = app.send(preflight("/mcp", origin)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{origin}");
        assert_eq!(answer.header("allow"), "POST", "{origin}");
        assert_eq!(cors_headers(&answer.headers), [""; 0], "{origin}");
    }
}

#[tokio::test]
async fn a_request_without_an_origin_gets_only_vary() {
    for app in [listing(PAGE).await, TestApp::start().await] {
        for (what, request, status) in requests() {
            let answer = app.send(request).await;
            assert_eq!(answer.status.as_u16(), status, "{what}");
            assert_eq!(cors_headers(&answer.headers), [""; 0], "{what}");
            assert_eq!(answer.header("vary"), "Origin", "{what}");
        }
        let mut asked = preflight("/mcp", PAGE);
        asked.headers_mut().remove("origin");
        let answer = app.send(asked).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(cors_headers(&answer.headers), [""; 0]);
    }
}

#[tokio::test]
async fn without_a_list_only_the_servers_own_origin_may_call() {
    let app = TestApp::start().await;
    let answer = app.send(preflight("/mcp", PAGE)).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(cors_headers(&answer.headers), [""; 0]);
    for (origin, host) in [
        ("http://localhost:3000", "127.0.0.1:8787"),
        ("https://functions.example.com", "functions.example.com"),
    ] {
        let mut asked = preflight("/api/registry_summary", origin);
        asked
            .headers_mut()
            .insert("host", HeaderValue::from_static(host));
        let answer = app.send(asked).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{origin}");
        assert_shared(&answer, origin, origin);
    }
}

#[tokio::test]
async fn a_private_network_preflight_gets_no_additional_permission() {
    let app = listing(PAGE).await;
    let mut asked = preflight("/mcp", PAGE);
    let private = HeaderValue::from_static("true");
    asked
        .headers_mut()
        .insert("access-control-request-private-network", private);
    let answer = app.send(asked).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-private-network")
    );
}

/// Looks somewhere.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Look {
    /// Where to look.
    #[serde(rename = "region")]
    #[schemars(extend("x-mcp-header" = "Region"))]
    _region: String,
}

async fn look(cx: Context, Look { .. }: Look) -> Result<Content> {
    cx.progress(1.0, None, "looking");
    Ok(Content::text("there"))
}

#[tokio::test]
async fn a_page_may_send_the_headers_that_functions_declare() {
    let inner = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "place": {"description": "It.", "type": "object", "properties": {"zone": {"type": "string", "x-mcp-header": "Zone"}}},
            "list": {"description": "It.", "type": "array", "items": {"properties": {"x": {"type": "string", "x-mcp-header": "Lost"}}}},
            "odd": {"description": "It.", "type": "object", "properties": {"it": {"type": "string", "x-mcp-header": "not one"}}},
        },
    });
    let server = Server::new("it", "1").tools(vec![
        Tool::new("a", look),
        Tool::new("b", look),
        Tool::new("c", look).input_schema(inner),
    ]);
    let app = TestApp::serving(server).await;
    let mut asked = preflight("/mcp", "http://localhost:3000");
    asked
        .headers_mut()
        .insert("host", HeaderValue::from_static("localhost:8787"));
    let answer = app.send(asked).await;
    let expected = format!("{MAY_SEND}, mcp-param-region, mcp-param-zone");
    assert_eq!(answer.header("access-control-allow-headers"), expected);
}

#[tokio::test]
async fn a_stream_of_progress_can_be_read_by_the_page() {
    let app = TestApp::serving(Server::new("it", "1").tools(vec![Tool::new("look", look)])).await;
    let params =
        json!({"name": "look", "arguments": {"region": "a"}, "_meta": {"progressToken": 1}});
    let mut request = from_page(
        modern("tools/call", params),
        "https://functions.example.com",
    );
    request
        .headers_mut()
        .insert("mcp-param-region", HeaderValue::from_static("a"));
    let answer = app.send(request).await;
    assert_eq!(
        answer.header("content-type"),
        "text/event-stream",
        "{}",
        answer.text()
    );
    assert_shared(&answer, "https://functions.example.com", "a stream");
    assert!(answer.text().contains("looking"), "{}", answer.text());
}

#[tokio::test]
async fn behind_a_function_url_the_same_cors_rules_apply() {
    let app = listing(PAGE).await;
    for (origin, status) in [(PAGE, 204), (FOREIGN, 405)] {
        let event = changed(
            "function_url_mcp",
            &[
                ("/requestContext/http/method", json!("OPTIONS")),
                ("/headers/origin", json!(origin)),
                ("/headers/access-control-request-method", json!("POST")),
            ],
        );
        let reply = lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
        let body = reply.unwrap().into_body();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let reply: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(reply["statusCode"], status, "{origin}");
        let expected = (origin == PAGE).then_some(PAGE);
        assert_eq!(
            reply["headers"]["access-control-allow-origin"].as_str(),
            expected,
            "{reply}"
        );
    }
}
