//! Every response has `X-Content-Type-Options: nosniff`.

use bifold::{Content, Context, JsonSchema, Result, Server, Tool};
use http::Request;
use serde::Deserialize;
use serde_json::json;

use super::{INTEGRATIONS, asking, header, invoked, raw, with_header};
use crate::support::{TestApp, modern, on_socket};

/// Returns a fixed text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Work {}

async fn work(cx: Context, _: Work) -> Result<Content> {
    cx.progress(1.0, None, "working");
    Ok(Content::text("done"))
}

#[tokio::test]
async fn every_response_of_a_socket_has_it() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (head, status) in [
        ("GET /health HTTP/1.1\r\nhost: localhost\r\n", 200),
        ("HEAD /docs HTTP/1.1\r\nhost: localhost\r\n", 200),
        ("GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n", 200),
        (
            "GET /api/registry_summary HTTP/1.1\r\nhost: localhost\r\n",
            200,
        ),
        (
            "GET /api/account_info/x HTTP/1.1\r\nhost: localhost\r\n",
            400,
        ),
        ("GET /no/such HTTP/1.1\r\nhost: localhost\r\n", 404),
        ("DELETE /mcp HTTP/1.1\r\nhost: localhost\r\n", 405),
        ("GET /ws HTTP/1.1\r\nhost: localhost\r\n", 426),
        ("POST /mcp HTTP/1.1\r\nhost: localhost\r\n", 400),
        ("GET /health HTTP/1.1\r\nhost: evil.example\r\n", 403),
        ("GET /health HTTP/1.1\r\n", 400),
        (
            "OPTIONS /mcp HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:1\r\naccess-control-request-method: POST\r\n",
            204,
        ),
    ] {
        let answer = raw(address, head, "").await;
        assert_eq!(answer.status, status, "{head}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{head}"
        );
    }
    serving.abort();
}

#[tokio::test]
async fn events_cached_responses_and_notifications_have_it() {
    let app = TestApp::serving(Server::new("it", "1").tools(vec![Tool::new("work", work)])).await;
    let params = json!({"name": "work", "arguments": {}, "_meta": {"progressToken": 1}});
    let events = app.send(modern("tools/call", params)).await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let tag = app.get("/openapi.json").await.header("etag").to_owned();
    let known = Request::get("/openapi.json").header("if-none-match", tag);
    let known = app.send(known.body("".into()).unwrap()).await;
    assert_eq!(known.status, 304);
    for answer in [events, app.post("/mcp", note).await, known] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn every_response_of_every_integration_has_it() {
    let app = TestApp::start().await;
    for integration in INTEGRATIONS {
        for (method, path, status) in [
            ("GET", "/health", 200),
            ("GET", "/no/such", 404),
            ("DELETE", "/mcp", 405),
            ("GET", "no path", 400),
        ] {
            let answer = invoked(&app, &asking(integration, method, path)).await;
            assert_eq!(answer["statusCode"], status, "{} {path}", integration.0);
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        }
        let mut event = asking(integration, "GET", "/health");
        with_header(&mut event, "x-note", "a\nb");
        let answer = invoked(&app, &event).await;
        assert_eq!(answer["statusCode"], 400);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    }
}
