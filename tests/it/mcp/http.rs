//! The HTTP around the messages: methods, types, origins, and the headers of sessions that do not exist.

use http::StatusCode;
use serde_json::json;

use super::{bare, fault, message, result, with, without};
use crate::rest::request;
use crate::support::{Answer, TestApp, modern};

const OWN: &str = "https://functions.example.com";

/// A ping from a page of `origin` to a server called `host`.
async fn from_page(app: &TestApp, origin: &str, host: &str) -> Answer {
    let request = with(bare(message("ping", &json!({}))), "host", host);
    app.send(with(request, "origin", origin)).await
}

#[tokio::test]
async fn every_method_but_post_is_refused_with_the_one_that_is_allowed() {
    let app = TestApp::start().await;
    for method in ["GET", "DELETE", "PUT", "HEAD", "PATCH", "OPTIONS"] {
        let answer = app.send(request(method, "/mcp")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header("allow"), "POST", "{method}");
    }
}

#[tokio::test]
async fn the_answer_is_json_whatever_the_client_accepts() {
    let app = TestApp::start().await;
    let list = || modern("tools/list", json!({}));
    for request in [
        list(),
        with(list(), "accept", "*/*"),
        with(list(), "accept", "application/json"),
        with(list(), "accept", "text/event-stream"),
        without(list(), "accept"),
    ] {
        let tools = result(&app.send(request).await)["tools"].take();
        assert_eq!(tools.as_array().unwrap().len(), 38);
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_something_else_is_refused() {
    let app = TestApp::start().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let request = with(bare(message("ping", &json!({}))), "content-type", kind);
        fault(&app.send(request).await, 415, -32600);
    }
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        " application/json ",
    ] {
        let request = with(bare(message("ping", &json!({}))), "content-type", kind);
        result(&app.send(request).await);
    }
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_forbidden() {
    let app =
        TestApp::with(|config| config.allowed_origins = vec!["https://claude.ai".into()]).await;
    for (origin, host) in [
        ("https://evil.example", "functions.example.com"),
        ("http://functions.example.com", "functions.example.com"),
        (
            "https://functions.example.com:8443",
            "functions.example.com",
        ),
        (
            "https://functions.example.com.evil.example",
            "functions.example.com",
        ),
        ("null", "functions.example.com"),
        ("null", "localhost:8787"),
        ("localhost", "localhost:8787"),
        ("ftp://localhost", "localhost:8787"),
        ("chrome-extension://localhost", "localhost:8787"),
        ("", "functions.example.com"),
        ("https://evil.example", "127.0.0.1:8787"),
        ("http://localhost.evil.example", "localhost:8787"),
        ("http://localhost:3000", "functions.example.com"),
        ("https://claude.ai.evil.example", "functions.example.com"),
        ("http://claude.ai", "functions.example.com"),
        ("https://claude.ai:444", "functions.example.com"),
    ] {
        let message = fault(&from_page(&app, origin, host).await, 403, -32600);
        assert!(message.get("id").is_none(), "{origin} to {host}");
    }
    let mut two = with(bare(message("ping", &json!({}))), "host", "localhost:8787");
    for origin in ["http://localhost", "https://evil.example"] {
        two.headers_mut().append("origin", origin.parse().unwrap());
    }
    fault(&app.send(two).await, 403, -32600);
    let binary = with(bare(message("ping", &json!({}))), "origin", b"https://\xe9");
    fault(&app.send(binary).await, 403, -32600);
}

#[tokio::test]
async fn own_loopback_and_listed_origins_may_call() {
    let app =
        TestApp::with(|config| config.allowed_origins = vec!["https://claude.ai".into()]).await;
    for (origin, host) in [
        (OWN, "functions.example.com"),
        (OWN, "Functions.Example.com"),
        (
            "https://functions.example.com:8443",
            "functions.example.com:8443",
        ),
        ("http://localhost:3000", "127.0.0.1:8787"),
        ("http://127.0.0.1:8787", "localhost:8787"),
        ("http://[::1]:6274", "[::1]:8787"),
        ("https://claude.ai", "functions.example.com"),
    ] {
        result(&from_page(&app, origin, host).await);
    }
}

#[tokio::test]
async fn an_origin_without_a_host_to_compare_it_with_is_forbidden() {
    let app = TestApp::start().await;
    let request = with(bare(message("ping", &json!({}))), "origin", OWN);
    fault(&app.send(request).await, 403, -32600);
}

#[tokio::test]
async fn headers_of_sessions_are_passed_over_and_never_sent() {
    let app = TestApp::start().await;
    let plain = app.mcp("tools/list", json!({})).await;
    let mut request = modern("tools/list", json!({}));
    for (name, value) in [("mcp-session-id", "abc"), ("last-event-id", "17")] {
        request = with(request, name, value);
    }
    let answer = app.send(request).await;
    assert_eq!(answer.body, plain.body);
    for name in ["mcp-session-id", "last-event-id", "set-cookie"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
}
