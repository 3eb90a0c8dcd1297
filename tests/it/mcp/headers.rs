//! The headers that repeat parts of the body: missing, mismatching, doubled, wrapped in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{doubled, fault, result, with, without};
use crate::support::{MODERN, TestApp, modern};

const NAME: &str = "get_registry_summary";

/// The three headers and what each of them must repeat in [`call`].
const HEADERS: [(&str, &str); 3] = [
    ("mcp-protocol-version", MODERN),
    ("mcp-method", "tools/call"),
    ("mcp-name", NAME),
];

fn call() -> http::Request<axum::body::Body> {
    modern("tools/call", json!({"name": NAME, "arguments": {}}))
}

fn wrapped(text: impl AsRef<[u8]>) -> String {
    format!("=?base64?{}?=", STANDARD.encode(text))
}

#[tokio::test]
async fn each_header_must_be_there_once_and_repeat_the_body() {
    let app = TestApp::start().await;
    for (header, value) in HEADERS {
        for request in [
            without(call(), header),
            with(call(), header, ""),
            with(call(), header, "other"),
            with(call(), header, format!("{value}x")),
            with(call(), header, format!("\"{value}\"")),
            with(call(), header, format!("{value}, {value}")),
            with(call(), header, format!("{value}\u{e9}")),
            with(call(), header, b"\xff\xfe"),
            doubled(call(), header),
        ] {
            let shown = format!("{header}: {:?}", request.headers().get(header));
            let message = fault(&app.send(request).await, 400, -32020);
            assert_eq!(message["id"], 1, "{shown}");
            let said = message["error"]["message"].as_str().unwrap();
            assert!(said.contains(header), "{shown}: {said}");
        }
    }
}

#[tokio::test]
async fn values_are_compared_with_their_case() {
    let app = TestApp::start().await;
    for (header, value) in [
        ("mcp-method", "Tools/Call"),
        ("mcp-name", "GET_REGISTRY_SUMMARY"),
    ] {
        fault(&app.send(with(call(), header, value)).await, 400, -32020);
    }
}

#[tokio::test]
async fn space_around_a_value_does_not_count() {
    let app = TestApp::start().await;
    for (header, value) in HEADERS {
        let request = with(call(), header, format!(" \t{value}  "));
        result(&app.send(request).await);
    }
}

#[tokio::test]
async fn a_value_may_come_in_base64() {
    let app = TestApp::start().await;
    for (header, value) in [("mcp-method", "tools/call"), ("mcp-name", NAME)] {
        result(&app.send(with(call(), header, wrapped(value))).await);
    }
}

#[tokio::test]
async fn base64_that_is_not_exact_is_a_mismatch() {
    let app = TestApp::start().await;
    let coded = STANDARD.encode(NAME);
    let unpadded = STANDARD.encode("ab").trim_end_matches('=').to_owned();
    for value in [
        wrapped("other"),
        wrapped(b"\xff\xfe"),
        wrapped(format!("{NAME} ")),
        "=?base64?SGVsbG8?=".to_owned(),
        format!("=?base64?{unpadded}?="),
        format!("=?base64?{coded}!?="),
        "=?base64?-_-_?=".to_owned(),
        "=?base64??=".to_owned(),
        format!("=?BASE64?{coded}?="),
        format!("=?base64?{coded}"),
        format!("{coded}?="),
        "=?base64?=".to_owned(),
    ] {
        let answer = app.send(with(call(), "mcp-name", &value)).await;
        assert_eq!(fault(&answer, 400, -32020)["id"], 1, "{value}");
    }
}

#[tokio::test]
async fn a_name_beyond_ascii_can_only_come_in_base64() {
    let app = TestApp::start().await;
    let params = json!({"name": "größe", "_meta": crate::support::meta(MODERN)});
    let request = |name: String| {
        let body = super::message("tools/call", &params);
        let mut request = super::bare(body);
        for (header, value) in HEADERS {
            request = with(request, header, value);
        }
        with(request, "mcp-name", name)
    };
    fault(&app.send(request("größe".to_owned())).await, 400, -32020);
    // The header is right then, and the function still does not exist.
    fault(&app.send(request(wrapped("größe"))).await, 200, -32602);
}

#[tokio::test]
async fn a_header_that_a_method_does_not_use_is_passed_over() {
    let app = TestApp::start().await;
    let list = with(modern("tools/list", json!({})), "mcp-name", "anything");
    result(&app.send(list).await);
    let request = with(call(), "mcp-param-region", "anything");
    result(&app.send(request).await);
}

#[tokio::test]
async fn a_legacy_request_needs_none_of_them_and_may_carry_any() {
    let app = TestApp::start().await;
    let request = super::bare(super::message("tools/list", &json!({})));
    let request = with(with(request, "mcp-method", "other"), "mcp-name", "other");
    result(
        &app.send(with(request, "mcp-protocol-version", "2025-06-18"))
            .await,
    );
}
