//! Recorded events of every integration, and the exact responses to them.

use axum::body::to_bytes;
use bifold::{Config, RequestInfo, Transfer, lambda};
use http::Request;
use serde_json::{Map, Value, json};

use super::{changed, event};
use crate::support::TestApp;
use crate::surface::snapshot::assert_snapshot;

/// An integration, one of its events, and the fields with method and path.
const INTEGRATIONS: [(&str, &str, &str); 6] = [
    (
        "function_url_rest",
        "/requestContext/http/method",
        "/rawPath",
    ),
    ("http_api_v2", "/requestContext/http/method", "/rawPath"),
    ("http_api_v1", "/httpMethod", "/path"),
    ("rest_api_rest", "/httpMethod", "/path"),
    ("load_balancer", "/httpMethod", "/path"),
    ("load_balancer_lists", "/httpMethod", "/path"),
];

/// The bundled functions behind integrations that stream where they can.
async fn streaming() -> TestApp {
    TestApp::with(|config| {
        config.invoke_mode = Transfer::Streamed;
        config.response_transfer_mode = Transfer::Streamed;
    })
    .await
}

/// The response that is posted to the platform, without times, which differ in each run.
async fn answer(app: &TestApp, event: &Value) -> Value {
    let request_info = {
        let mut info = RequestInfo::default();
        info.id = Some("6f1c2d3e-4b5a-4c6d-8e7f-9a0b1c2d3e4f".to_owned());
        info
    };
    let reply = lambda::answer(&app.app, &event.to_string(), request_info).await;
    let reply = reply.unwrap();
    let is_streamed = reply.is_streamed();
    let bytes = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.into()).unwrap();
    let mut answer = match text.split_once(&"\0".repeat(8)) {
        Some((head, body)) if is_streamed => {
            json!({"head": serde_json::from_str::<Value>(head).unwrap(), "body": body})
        }
        _ => {
            assert!(!is_streamed, "{text}");
            serde_json::from_str(&text).unwrap()
        }
    };
    untime(&mut answer);
    answer
}

/// Replaces every duration by a constant.
fn untime(answer: &mut Value) {
    let head = match answer.get("head") {
        Some(_) => &mut answer["head"],
        None => answer,
    };
    for lists in ["headers", "multiValueHeaders"] {
        for (name, value) in head[lists].as_object_mut().unwrap() {
            let constant = match name.as_str() {
                "server-timing" => json!("total;dur=0"),
                // The rest of the time for which the response may be cached.
                "cache-control" if value.to_string().contains("max-age") => {
                    json!("public, max-age=0")
                }
                _ => continue,
            };
            *value = match value {
                Value::Array(_) => json!([constant]),
                _ => constant,
            };
        }
    }
}

/// The event with this method and path, without a query and a body.
fn asking(integration: (&str, &str, &str), method: &str, path: &str) -> Value {
    let (name, method_at, path_at) = integration;
    changed(
        name,
        &[
            (method_at, json!(method)),
            (path_at, json!(path)),
            ("/rawQueryString", json!("")),
            ("/queryStringParameters", Value::Null),
            ("/multiValueQueryStringParameters", Value::Null),
            ("/body", Value::Null),
        ],
    )
}

#[tokio::test]
async fn each_recorded_event_has_exactly_its_recorded_response() {
    let whole = TestApp::start().await;
    let streaming = streaming().await;
    let mapped = TestApp::with(|config| config.base_path = "/tokens".to_owned()).await;
    let mut answers = Map::new();
    for (app, transfer, names) in [
        (
            &whole,
            "whole",
            [
                "function_url_rest",
                "http_api_v2",
                "http_api_v1",
                "rest_api_rest",
                "load_balancer",
            ]
            .as_slice(),
        ),
        (
            &streaming,
            "streamed",
            &["function_url_rest", "rest_api_rest"],
        ),
        (&mapped, "mapped", &["rest_api_domain", "http_api_domain"]),
    ] {
        for name in names {
            let answer = answer(app, &event(name)).await;
            answers.insert(format!("{name}, {transfer}"), answer);
        }
    }
    // The results of MCP calls change with the functions; a refusal and an acceptance do not.
    let ping = json!(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let note = json!(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    for name in ["function_url_mcp", "rest_api_mcp", "load_balancer_lists"] {
        for (message, body) in [("ping", &ping), ("note", &note)] {
            for (app, transfer) in [(&whole, "whole"), (&streaming, "streamed")] {
                let mut event = changed(name, &[("/body", body.clone())]);
                legacy(&mut event);
                let answer = answer(app, &event).await;
                answers.insert(format!("{name}, {message}, {transfer}"), answer);
            }
        }
    }
    assert_snapshot("lambda_answers", &Value::Object(answers));
}

/// Takes the headers of the modern protocol away.
fn legacy(event: &mut Value) {
    for lists in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[lists].as_object_mut() {
            headers.retain(|name, _| !name.to_lowercase().starts_with("mcp-"));
        }
    }
}

#[tokio::test]
async fn a_tool_call_has_the_same_result_through_every_integration() {
    let app = TestApp::start().await;
    let call = json!({"name": "get_registry_summary", "arguments": {}});
    let expected = app.mcp("tools/call", call).await.text();
    for name in ["function_url_mcp", "rest_api_mcp", "load_balancer_lists"] {
        let whole = answer(&app, &event(name)).await;
        assert_eq!(whole["body"], expected, "{name}");
    }
    let app = streaming().await;
    for name in ["function_url_mcp", "rest_api_mcp"] {
        let streamed = answer(&app, &event(name)).await;
        assert_eq!(streamed["body"], expected, "{name}");
        assert_eq!(streamed["head"]["statusCode"], 200, "{name}");
    }
}

#[tokio::test]
async fn integrations_without_streaming_get_whole_responses_whatever_the_settings_say() {
    let app = streaming().await;
    for name in [
        "http_api_v2",
        "http_api_v1",
        "load_balancer",
        "load_balancer_lists",
        "http_api_domain",
    ] {
        let reply =
            lambda::answer(&app.app, &event(name).to_string(), RequestInfo::default()).await;
        assert!(!reply.unwrap().is_streamed(), "{name}");
    }
}

#[tokio::test]
async fn the_domain_tells_a_function_url_from_an_http_api() {
    let app = streaming().await;
    for (domain, is_streamed) in [
        (json!("h7k2q4m9x1.lambda-url.us-west-2.on.aws"), true),
        (json!("h7k2q4m9x1.lambda-url.cn-north-1.on.aws"), true),
        // This is the domain that `cargo lambda watch` sends.
        (json!("localhost"), true),
        (
            json!("a1b2c3d4e5.execute-api.us-west-2.amazonaws.com"),
            false,
        ),
        (json!("lambda-url.example.com"), false),
        (Value::Null, false),
    ] {
        let event = changed(
            "function_url_rest",
            &[("/requestContext/domainName", domain.clone())],
        );
        let reply = lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
        assert_eq!(reply.unwrap().is_streamed(), is_streamed, "{domain}");
    }
}

#[tokio::test]
async fn every_integration_passes_the_method_on_unchanged() {
    let app = TestApp::start().await;
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        for path in ["/docs", "/mcp", "/api/current_hash_statistics"] {
            let request = Request::builder().method(method).uri(path);
            let expected = app.send(request.body("".into()).unwrap()).await;
            for integration in INTEGRATIONS {
                let shown = format!("{} {method} {path}", integration.0);
                let answer = answer(&app, &asking(integration, method, path)).await;
                assert_eq!(answer["statusCode"], expected.status.as_u16(), "{shown}");
                let mut body = answer["body"].as_str().unwrap().to_owned();
                if answer["statusCode"] != 200 {
                    // A problem names its request.
                    body = body.replace(
                        "6f1c2d3e-4b5a-4c6d-8e7f-9a0b1c2d3e4f",
                        expected.header("x-request-id"),
                    );
                }
                assert_eq!(body, expected.text(), "{shown}");
                let one = answer["headers"]["allow"].as_str();
                let first = answer["multiValueHeaders"]["allow"][0].as_str();
                let allow = one.or(first).unwrap_or_default();
                assert_eq!(allow, expected.header("allow"), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_base_path_is_removed_where_the_path_has_it() {
    let config = |config: &mut Config| config.base_path = "/tokens".to_owned();
    let app = TestApp::with(config).await;
    for (path, status) in [
        ("/tokens/health", 200),
        ("/tokens", 200),
        ("/tokens/", 200),
        ("/health", 200),
        ("/tokensale/health", 404),
        ("/tokens/tokens/health", 404),
    ] {
        for integration in INTEGRATIONS {
            let mut event = asking(integration, "GET", path);
            let answer = answer(&app, &event).await;
            assert_eq!(answer["statusCode"], status, "{} {path}", integration.0);
            // API Gateway adds this to the events of a REST API, which stays one.
            if integration.0 == "rest_api_rest" {
                event["rawPath"] = json!(path);
                let again = self::answer(&app, &event).await;
                assert_eq!(again["statusCode"], status, "{path}");
                assert_eq!(again["headers"], json!({}), "{path}");
            }
        }
    }
    // Behind a named stage, the path has a base path only where the event has one.
    let mut event = asking(INTEGRATIONS[1], "GET", "/prod/tokens/health");
    assert_eq!(answer(&app, &event).await["statusCode"], 200);
    event["rawPath"] = json!("/prod/health");
    assert_eq!(answer(&app, &event).await["statusCode"], 200);
}
