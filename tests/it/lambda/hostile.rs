//! Events with content that HTTP does not allow: a bad request or a failed invocation, never a panic.

use bifold::RequestInfo;
use serde_json::{Value, json};

use super::{Reply, answer, arrived, changed, event};
use crate::support::TestApp;

/// The problem document of a response that must be a bad request.
#[track_caller]
fn bad_request(reply: &Reply, shown: &str) -> Value {
    assert_eq!(reply.status(), 400, "{shown}: {}", reply.0);
    assert_eq!(
        reply.header("content-type"),
        "application/problem+json",
        "{shown}"
    );
    let problem = reply.json();
    assert!(
        problem["type"]
            .as_str()
            .unwrap()
            .starts_with("urn:bifold:problem:"),
        "{shown}"
    );
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{shown}");
    problem
}

#[tokio::test]
async fn a_query_with_bytes_that_no_url_has_is_a_bad_request() {
    let app = TestApp::start().await;
    let huge = format!("a={}", "x".repeat(1 << 16));
    for query in [
        "a=b c",
        "a=\"b\"",
        "a=<b>",
        "a=b\r\nx: y",
        "a=\u{1}",
        "a=\u{0}",
        "a=\u{7f}",
        "a=größe",
        "a={b}|c^[d]'",
        "a=%zz",
        "a=\\",
        " ",
        &huge,
    ] {
        let mut event = event("function_url_rest");
        event["rawPath"] = json!("/api/registry_summary");
        event["rawQueryString"] = json!(query);
        bad_request(&answer(&app, &event).await, query);
    }
}

#[tokio::test]
async fn a_load_balancer_passes_the_raw_query_on_so_a_bad_one_is_refused_too() {
    let app = TestApp::start().await;
    for text in ["b c", "<b>", "\r\nx: y", "\u{0}", "größe", "%zz"] {
        let fields = [
            ("/path", json!("/api/registry_summary")),
            ("/queryStringParameters", json!({"a": text})),
        ];
        let reply = answer(&app, &changed("load_balancer", &fields)).await;
        bad_request(&reply, text);
    }
}

#[tokio::test]
async fn decoded_parameters_may_contain_anything_and_are_only_unknown() {
    let app = TestApp::start().await;
    for text in [
        "b c",
        "\"<>\"",
        "\r\nx: y",
        "\u{0}\u{1}\u{7f}",
        "größe",
        "%zz&a=b#c",
    ] {
        for pair in [json!({"a": [text]}), json!({text: ["a"]})] {
            let mut event = event("rest_api_rest");
            event["path"] = json!("/api/registry_summary");
            event["multiValueQueryStringParameters"] = pair.clone();
            let problem = bad_request(&answer(&app, &event).await, text);
            let key = pair.as_object().unwrap().keys().next().unwrap();
            assert_eq!(problem["field"], *key);
        }
    }
}

#[tokio::test]
async fn a_path_with_control_characters_is_a_bad_request() {
    let app = TestApp::start().await;
    for path in ["/\0", "/api/\u{1}", "/api\r\nx: y", "/\u{7f}"] {
        for (name, place) in [
            ("function_url_rest", "/rawPath"),
            ("rest_api_rest", "/path"),
        ] {
            let reply = answer(&app, &changed(name, &[(place, json!(path))])).await;
            bad_request(&reply, &format!("{name} {path:?}"));
        }
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_named_in_an_excerpt() {
    let app = TestApp::start().await;
    let long = "x".repeat(60_000);
    let mut event = event("function_url_rest");
    event["headers"][&long] = json!("\r\n");
    let problem = bad_request(&answer(&app, &event).await, "a long name").to_string();
    assert!(problem.len() < 1024, "{problem}");
    assert!(
        problem.contains(&format!("`{}…`", &long[..200])),
        "{problem}"
    );
}

#[tokio::test]
async fn two_hosts_are_a_bad_request() {
    let app = TestApp::start().await;
    let hosts = json!(["a.example", "b.example"]);
    let twice = changed("rest_api_rest", &[("/multiValueHeaders/Host", hosts)]);
    bad_request(&answer(&app, &twice).await, "a list of two");
    let other = changed(
        "function_url_rest",
        &[("/headers/Host", json!("b.example"))],
    );
    bad_request(&answer(&app, &other).await, "in two cases");
}

#[tokio::test]
async fn an_invalid_host_is_a_bad_request() {
    let app = TestApp::start().await;
    for host in [
        "",
        " ",
        "a b",
        "user@host",
        "user:password@host",
        "host:port",
        "h/evil",
        "a\nb",
        "[::1",
        "größe",
    ] {
        for (name, place) in [
            ("function_url_rest", "/headers/host"),
            ("rest_api_rest", "/multiValueHeaders/Host"),
            ("load_balancer", "/headers/host"),
            ("load_balancer_lists", "/multiValueHeaders/host"),
        ] {
            let value = match name {
                "rest_api_rest" | "load_balancer_lists" => json!([host]),
                _ => json!(host),
            };
            let reply = answer(&app, &changed(name, &[(place, value)])).await;
            // This one is for the MCP endpoint, whose clients read protocol errors.
            if name == "load_balancer_lists" && !host.contains('\n') {
                assert_eq!(reply.status(), 400, "{name} {host:?}");
                assert_eq!(reply.json()["error"]["code"], -32600, "{name} {host:?}");
                continue;
            }
            bad_request(&reply, &format!("{name} {host:?}"));
        }
    }
}

#[tokio::test]
async fn a_header_that_http_does_not_allow_is_a_bad_request() {
    let app = TestApp::start().await;
    for (name, value) in [
        ("x-note", "a\nb"),
        ("x-note", "a\r\nx-evil: 1"),
        ("x-note", "\u{0}"),
        ("x-note", "\u{7f}"),
        ("", "x"),
        ("x note", "x"),
        ("x:note", "x"),
        ("x-größe", "x"),
        ("x\r\nevil", "x"),
    ] {
        for (event, place) in [
            ("function_url_rest", "/headers"),
            ("http_api_v1", "/multiValueHeaders"),
            ("load_balancer", "/headers"),
        ] {
            let value = match place {
                "/headers" => json!(value),
                _ => json!([value]),
            };
            let mut event = super::event(event);
            event.pointer_mut(place).unwrap()[name] = value;
            bad_request(&answer(&app, &event).await, name);
        }
    }
    let cookies = [("/cookies", json!(["a=1\r\nx-evil: 1"]))];
    let reply = answer(&app, &changed("function_url_rest", &cookies)).await;
    bad_request(&reply, "a cookie");
}

#[tokio::test]
async fn a_value_beyond_ascii_is_legal_and_harmless() {
    let app = TestApp::start().await;
    let field = [("/headers/x-note", json!("größe 🙂"))];
    assert_eq!(
        answer(&app, &changed("function_url_rest", &field))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_it_claims_to_be_is_a_bad_request() {
    let app = TestApp::start().await;
    for name in ["function_url_mcp", "rest_api_mcp", "load_balancer_lists"] {
        for body in ["{", "e30", "e30=\n", "-_-_", "größe"] {
            let fields = [("/body", json!(body)), ("/isBase64Encoded", json!(true))];
            let problem = bad_request(&answer(&app, &changed(name, &fields)).await, body);
            assert!(
                problem["detail"].as_str().unwrap().contains("base64"),
                "{problem}"
            );
        }
    }
}

#[tokio::test]
async fn a_method_or_a_path_that_http_does_not_know_is_a_bad_request() {
    let app = TestApp::start().await;
    for method in ["", "GET ", "GE T", "G\r\nX", "größe"] {
        for (name, place) in [
            ("function_url_rest", "/requestContext/http/method"),
            ("rest_api_rest", "/httpMethod"),
            ("load_balancer", "/httpMethod"),
        ] {
            let reply = answer(&app, &changed(name, &[(place, json!(method))])).await;
            bad_request(&reply, method);
        }
    }
    let huge = format!("/{}", "x".repeat(1 << 16));
    for path in ["", "health", "*", "http://evil.example/health", &huge] {
        for (name, place) in [
            ("function_url_rest", "/rawPath"),
            ("rest_api_rest", "/path"),
            ("load_balancer", "/path"),
        ] {
            let reply = answer(&app, &changed(name, &[(place, json!(path))])).await;
            bad_request(&reply, path);
        }
    }
}

#[tokio::test]
async fn a_method_that_is_legal_but_unknown_is_not_allowed() {
    let app = TestApp::start().await;
    let field = [("/requestContext/http/method", json!("BREW"))];
    assert_eq!(
        answer(&app, &changed("function_url_rest", &field))
            .await
            .status(),
        405
    );
}

#[tokio::test]
async fn a_bad_request_has_the_request_id_of_the_platform() {
    let app = TestApp::start().await;
    let request_info = {
        let mut info = RequestInfo::default();
        info.id = Some("6f1c2d3e".to_owned());
        info
    };
    let event = changed("function_url_rest", &[("/headers/host", json!("a b"))]);
    let reply = arrived(&app, &event, request_info).await;
    assert_eq!(reply.json()["request_id"], "6f1c2d3e");
    assert_eq!(reply.header("x-request-id"), "6f1c2d3e");
}

#[tokio::test]
async fn an_unknown_event_is_an_error_that_names_the_expected_ones() {
    let app = TestApp::start().await;
    let message = json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]});
    let websocket = |id: &str, kind: &str| {
        json!({
            "requestContext": {"routeKey": "$connect", "eventType": kind, "connectionId": id, "stage": "prod"},
            "isBase64Encoded": false,
        })
    };
    let mut without_method = event("function_url_rest");
    without_method["requestContext"]["http"] = json!({});
    let events = [
        message,
        websocket("x", "CONNECTED"),
        websocket("", "MESSAGE"),
        websocket("../x", "MESSAGE"),
        without_method,
    ];
    let texts = events.iter().map(Value::to_string);
    let others = ["", "{", "[]", "null", "5", "\"/health\""].map(str::to_owned);
    for event in texts.chain(others) {
        let reply = bifold::lambda::answer(&app.app, &event, RequestInfo::default()).await;
        let said = reply.err().unwrap().to_string();
        for expected in ["Function URL", "API Gateway", "2.0", "1.0", "WebSocket"] {
            assert!(said.contains(expected), "{event}: {said}");
        }
    }
}
