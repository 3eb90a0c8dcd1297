//! Function URLs, HTTP APIs and REST APIs: the content of an event reaches the application unchanged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bifold::RequestInfo;
use bifold::provenance::replay::VESTING;
use serde_json::{Value, json};

use super::{answer, arrived, changed, event};
use crate::rest::echoing;
use crate::support::{MODERN, TestApp};

/// One event of each payload format, and the field with its path.
const INTEGRATIONS: [(&str, &str); 2] = [
    ("function_url_rest", "/rawPath"),
    ("rest_api_rest", "/path"),
];

/// A GET of that path through either integration, without a query.
fn get(integration: &str, place: &str, path: &str) -> Value {
    let nothing = [
        ("/rawQueryString", json!("")),
        ("/queryStringParameters", Value::Null),
        ("/multiValueQueryStringParameters", Value::Null),
        (place, json!(path)),
    ];
    changed(integration, &nothing)
}

#[tokio::test]
async fn a_recorded_event_is_answered_like_its_http_request() {
    let app = TestApp::start().await;
    let call = json!({"name": "get_registry_summary", "arguments": {}});
    let call = app.mcp("tools/call", call).await.text();
    let price = "/api/crypto_token_price?token_pair=HASH-USD&last_number_of_trades=2";
    let price = app.get(price).await.text();
    let account = app
        .get(&format!("/api/account_info/{VESTING}"))
        .await
        .text();
    for (name, expected) in [
        ("function_url_mcp", &call),
        ("function_url_rest", &price),
        ("http_api_v2", &account),
        ("http_api_v1", &account),
        ("rest_api_mcp", &call),
        ("rest_api_rest", &price),
    ] {
        let reply = answer(&app, &event(name)).await;
        assert_eq!(reply.status(), 200, "{name}: {}", reply.0);
        assert_eq!(reply.text(), expected, "{name}");
        assert_eq!(reply.header("content-type"), "application/json", "{name}");
    }
}

#[tokio::test]
async fn the_response_has_the_fields_of_its_integration_and_no_content_length() {
    let app = TestApp::start().await;
    for (name, own, other) in [
        ("function_url_mcp", "headers", "multiValueHeaders"),
        ("http_api_v2", "headers", "multiValueHeaders"),
        ("http_api_v1", "multiValueHeaders", "headers"),
        ("rest_api_rest", "multiValueHeaders", "headers"),
    ] {
        let reply = answer(&app, &event(name)).await;
        assert!(reply.0["statusCode"].is_u64(), "{name}");
        assert_eq!(reply.0["isBase64Encoded"], false, "{name}");
        assert_eq!(reply.0[other], json!({}), "{name}");
        // Only payload 2.0 knows this field, and a REST API refuses fields it does not know.
        let cookies = (own == "headers").then_some(json!([]));
        assert_eq!(reply.0.get("cookies"), cookies.as_ref(), "{name}");
        let lines = reply.0[own].as_object().unwrap();
        for header in ["content-type", "server-timing", "x-request-id"] {
            assert!(lines.contains_key(header), "{name}: {header}");
        }
        assert!(!lines.contains_key("content-length"), "{name}");
    }
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    let app = TestApp::start().await;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    for name in ["function_url_mcp", "rest_api_mcp"] {
        let reply = answer(&app, &changed(name, &[("/body", json!(note))])).await;
        assert_eq!((reply.status(), reply.text()), (202, ""), "{name}");
    }
}

#[tokio::test]
async fn a_body_in_base64_is_the_same_body() {
    let app = TestApp::start().await;
    for name in ["function_url_mcp", "rest_api_mcp"] {
        let plain = event(name);
        let coded = STANDARD.encode(plain["body"].as_str().unwrap());
        let fields = [("/body", json!(coded)), ("/isBase64Encoded", json!(true))];
        let reply = answer(&app, &changed(name, &fields)).await;
        assert_eq!(reply.text(), answer(&app, &plain).await.text(), "{name}");
        // Binary data reaches the MCP endpoint unchanged, which then refuses it.
        let fields = [("/body", json!("//79")), ("/isBase64Encoded", json!(true))];
        let reply = answer(&app, &changed(name, &fields)).await;
        assert_eq!(reply.json()["error"]["code"], -32700, "{name}");
    }
}

#[tokio::test]
async fn a_named_stage_is_removed_from_the_path() {
    let app = TestApp::start().await;
    for (stage, path, status) in [
        (json!("$default"), "/health", 200),
        (json!("prod"), "/prod/health", 200),
        (json!("prod"), "/prod", 200),
        (json!("prod"), "/prod/", 200),
        (json!("api"), "/api/api/registry_summary", 200),
        (json!("prod"), "/production/health", 404),
        (json!("prod"), "/health", 200),
        (json!("$default"), "/$default/health", 404),
        (Value::Null, "/health", 200),
    ] {
        for (name, place) in [("http_api_v2", "/rawPath"), ("http_api_v1", "/path")] {
            let fields = [
                ("/requestContext/stage", stage.clone()),
                (place, json!(path)),
            ];
            let reply = answer(&app, &changed(name, &fields)).await;
            assert_eq!(
                reply.status(),
                status,
                "{name}: {stage} {path}: {}",
                reply.0
            );
        }
    }
}

#[tokio::test]
async fn the_path_of_a_rest_api_keeps_a_segment_that_equals_the_stage() {
    let app = TestApp::start().await;
    for (stage, path) in [
        ("prod", "/health"),
        ("api", "/api/registry_summary"),
        ("health", "/health"),
    ] {
        let mut event = get("rest_api_rest", "/path", path);
        event["requestContext"]["stage"] = json!(stage);
        event["requestContext"]["path"] = json!(format!("/{stage}{path}"));
        let reply = answer(&app, &event).await;
        assert_eq!(reply.status(), 200, "{stage} {path}: {}", reply.0);
        let is_root = reply.text().contains("\"links\"");
        assert!(!is_root, "{stage} {path}");
    }
}

#[tokio::test]
async fn a_path_may_come_encoded_or_decoded() {
    let app = echoing().await;
    for (path, text) in [
        ("/api/say/a%20b", "a b"),
        ("/api/say/a b", "a b"),
        ("/api/say/gr%C3%B6%C3%9Fe", "größe"),
        ("/api/say/größe", "größe"),
        ("/api/say/a%2Fb", "a/b"),
        ("/api/say/a%3Fb%23c", "a?b#c"),
        ("/api/say/a?b#c", "a?b#c"),
        ("/api/say/<\"{}|\\^`>", "<\"{}|\\^`>"),
    ] {
        for (integration, place) in INTEGRATIONS {
            let reply = answer(&app, &get(integration, place, path)).await;
            assert_eq!(reply.json(), json!({"text": text}), "{integration} {path}");
        }
    }
}

#[tokio::test]
async fn a_query_keeps_its_meaning() {
    let app = echoing().await;
    for (raw, decoded) in [
        ("text=a%20b", "a b"),
        ("text=a+b", "a b"),
        ("text=a%26b%3Dc", "a&b=c"),
        ("text=100%25", "100%"),
        ("text=gr%C3%B6%C3%9Fe", "größe"),
        ("text=%23%22%0A", "#\"\n"),
        ("text=", ""),
    ] {
        let mut v2 = get("function_url_rest", "/rawPath", "/api/say");
        v2["rawQueryString"] = json!(raw);
        let mut many = get("rest_api_rest", "/path", "/api/say");
        many["multiValueQueryStringParameters"] = json!({"text": [decoded]});
        let mut single = get("rest_api_rest", "/path", "/api/say");
        single["queryStringParameters"] = json!({"text": decoded});
        for event in [v2, many, single] {
            let reply = answer(&app, &event).await;
            assert_eq!(reply.json(), json!({"text": decoded}), "{raw}: {event}");
        }
    }
}

#[tokio::test]
async fn a_repeated_parameter_keeps_both_values() {
    let app = echoing().await;
    let mut v1 = get("rest_api_rest", "/path", "/api/say");
    v1["queryStringParameters"] = json!({"text": "b"});
    v1["multiValueQueryStringParameters"] = json!({"text": ["a", "b"]});
    let mut v2 = get("function_url_rest", "/rawPath", "/api/say");
    v2["rawQueryString"] = json!("text=a&text=b");
    for event in [v1, v2] {
        let reply = answer(&app, &event).await;
        assert_eq!(reply.status(), 400);
        assert_eq!(reply.json()["field"], "text");
    }
}

#[tokio::test]
async fn a_repeated_header_keeps_both_values() {
    let app = TestApp::start().await;
    let twice = json!([MODERN, MODERN]);
    let place = "/multiValueHeaders/Mcp-Protocol-Version";
    let reply = answer(&app, &changed("rest_api_mcp", &[(place, twice)])).await;
    assert_eq!(reply.status(), 400);
    let said = reply.json()["error"]["message"].to_string();
    assert!(said.contains("more than once"), "{said}");
}

#[tokio::test]
async fn single_headers_are_read_where_there_are_no_lists() {
    let app = TestApp::start().await;
    let reply = answer(
        &app,
        &changed("rest_api_mcp", &[("/multiValueHeaders", Value::Null)]),
    )
    .await;
    assert_eq!(reply.status(), 200, "{}", reply.0);
    // The console's test button sends no headers at all.
    let mut bare = get("rest_api_rest", "/path", "/health");
    bare["headers"] = Value::Null;
    bare["multiValueHeaders"] = Value::Null;
    assert_eq!(answer(&app, &bare).await.status(), 200);
}

#[tokio::test]
async fn cookies_do_no_harm_in_any_number() {
    let app = TestApp::start().await;
    for cookies in [
        Value::Null,
        json!([]),
        json!(["a=1"]),
        json!(["a=1", "b=\"2\"", "c"]),
    ] {
        let reply = answer(
            &app,
            &changed("function_url_rest", &[("/cookies", cookies)]),
        )
        .await;
        assert_eq!(reply.status(), 200, "{}", reply.0);
    }
}

#[tokio::test]
async fn the_request_id_is_the_callers_or_the_platforms() {
    let app = TestApp::start().await;
    let platform = || {
        let mut info = RequestInfo::default();
        info.id = Some("6f1c2d3e-4b5a-4c6d-8e7f-9a0b1c2d3e4f".to_owned());
        info
    };
    for (integration, place) in INTEGRATIONS {
        let reply = arrived(&app, &get(integration, place, "/nothing"), platform()).await;
        assert_eq!(reply.header("x-request-id"), platform().id.unwrap());
        assert_eq!(reply.json()["request_id"], platform().id.unwrap());
    }
    let own = [("/headers/x-request-id", json!("callers-own"))];
    let reply = arrived(&app, &changed("function_url_rest", &own), platform()).await;
    assert_eq!(reply.header("x-request-id"), "callers-own");
}

#[tokio::test]
async fn pages_and_refusals_work_through_every_integration() {
    let app = TestApp::start().await;
    for (integration, place) in INTEGRATIONS {
        let docs = answer(&app, &get(integration, place, "/docs")).await;
        assert!(docs.text().starts_with("<!doctype html>"));
        assert_ne!(docs.header("content-security-policy"), "");
        let refused = answer(&app, &get(integration, place, "/mcp")).await;
        assert_eq!(refused.status(), 405);
        assert_eq!(refused.header("allow"), "POST");
    }
}

/// Behind a custom domain the path has no stage, so a first segment with the same name is kept.
#[tokio::test]
async fn a_stage_is_removed_only_where_the_path_has_one() {
    let app = TestApp::start().await;
    for (name, place) in [("http_api_v2", "/rawPath"), ("http_api_v1", "/path")] {
        for (domain, path, status) in [
            ("api.example.com", "/api/registry_summary", 200),
            ("api.example.com", "/api/api/registry_summary", 404),
            (
                "a1.execute-api.us-west-2.amazonaws.com",
                "/api/registry_summary",
                404,
            ),
            (
                "a1.execute-api.us-west-2.amazonaws.com",
                "/api/api/registry_summary",
                200,
            ),
        ] {
            let fields = [
                (place, json!(path)),
                ("/requestContext/domainName", json!(domain)),
                ("/requestContext/stage", json!("api")),
            ];
            let reply = answer(&app, &changed(name, &fields)).await;
            assert_eq!(
                reply.status(),
                status,
                "{name}, {domain}, {path}: {}",
                reply.0
            );
        }
    }
}
