//! Which responses have a body, and the length that they declare.

use serde_json::{Value, json};

use super::{ask, last};
use crate::lambda::{answer, changed};
use crate::support::{TestApp, on_socket};

/// Resources that GET finds.
const PAGES: [&str; 6] = [
    "/",
    "/health",
    "/docs",
    "/openapi.json",
    "/api/registry_summary",
    "/nothing",
];

/// The value of a header line, of which there must be one at most.
fn line<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let values: Vec<&str> = lines.filter(|it| it.0 == name).map(|it| it.1).collect();
    assert!(values.len() < 2, "{answer}");
    values.first().copied()
}

#[tokio::test]
async fn a_head_response_has_the_length_of_the_body_and_no_body() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for path in PAGES {
        let get = ask(address, &last("GET", path)).await;
        let (_, body) = get.split_once("\r\n\r\n").unwrap();
        let head = ask(address, &last("HEAD", path)).await;
        let (_, nothing) = head.split_once("\r\n\r\n").unwrap();
        assert_eq!(nothing, "", "{path}: {head}");
        let status = |answer: &str| answer[..12].to_owned();
        assert_eq!(status(&head), status(&get), "{path}");
        assert_eq!(line(&get, "content-length"), Some(&*body.len().to_string()));
        // The numbers in these two documents change with time.
        if !["/health", "/nothing"].contains(&path) {
            assert_eq!(line(&head, "content-length"), line(&get, "content-length"));
        }
        assert!(line(&head, "content-length").is_some(), "{head}");
        assert_eq!(line(&head, "content-type"), line(&get, "content-type"));
    }
    for path in ["/mcp", "/ws"] {
        let head = ask(address, &last("HEAD", path)).await;
        assert!(head.ends_with("\r\n\r\n"), "{path}: {head}");
        assert_ne!(line(&head, "content-length"), Some("0"), "{head}");
    }
    serving.abort();
}

#[tokio::test]
async fn a_response_that_never_has_a_body_has_no_length() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    let path = "/api/registry_summary";
    let tag = app.get(path).await.header("etag").to_owned();
    for method in ["GET", "HEAD"] {
        let known = format!("connection: close\r\nif-none-match: {tag}");
        let request = last(method, path).replace("connection: close", &known);
        let answer = ask(address, &request).await;
        assert!(answer.contains(" 304 ") && answer.ends_with("\r\n\r\n"));
        assert_eq!(line(&answer, "content-length"), None, "{answer}");
        assert_eq!(line(&answer, "transfer-encoding"), None, "{answer}");
    }
    let page =
        "connection: close\r\norigin: http://localhost\r\naccess-control-request-method: POST";
    let preflight = last("OPTIONS", "/mcp").replace("connection: close", page);
    let answer = ask(address, &preflight).await;
    assert!(answer.contains(" 204 ") && answer.ends_with("\r\n\r\n"));
    assert_eq!(line(&answer, "content-length"), None, "{answer}");
    serving.abort();
}

#[tokio::test]
async fn a_client_of_http_1_0_is_answered_and_the_connection_closed() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for path in PAGES {
        let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
        let answer = ask(address, &request).await;
        assert!(answer.starts_with("HTTP/1.0 "), "{answer}");
        assert_eq!(line(&answer, "transfer-encoding"), None, "{answer}");
    }
    // The host policy decides about a request without a host; in any case it gets a response.
    let answer = ask(address, "GET /health HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 "), "{answer}");
    serving.abort();
}

#[tokio::test]
async fn on_lambda_a_head_response_has_headers_and_no_body() {
    let app = TestApp::start().await;
    for (name, method, place) in [
        (
            "function_url_rest",
            "/requestContext/http/method",
            "/rawPath",
        ),
        ("http_api_v2", "/requestContext/http/method", "/rawPath"),
        ("http_api_v1", "/httpMethod", "/path"),
        ("rest_api_rest", "/httpMethod", "/path"),
        ("load_balancer", "/httpMethod", "/path"),
    ] {
        for path in ["/health", "/docs", "/nothing", "/mcp"] {
            let fields = [
                (method, json!("HEAD")),
                (place, json!(path)),
                ("/requestContext/stage", Value::Null),
            ];
            let reply = answer(&app, &changed(name, &fields)).await;
            assert_eq!(reply.text(), "", "{name} {path}");
            assert_ne!(reply.header("content-type"), "", "{name} {path}");
            assert_ne!(reply.header("x-request-id"), "", "{name} {path}");
        }
    }
}
