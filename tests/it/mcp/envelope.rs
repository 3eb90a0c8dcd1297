//! What is a message, which id goes back, and what is refused before any method is looked at.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{bare, fault, message, with};
use crate::support::{MODERN, TestApp};

#[tokio::test]
async fn the_id_goes_back_exactly_as_it_came() {
    let app = TestApp::start().await;
    for id in [
        "1",
        "0",
        "-7",
        "9007199254740993",
        "123456789012345678901234567890",
        "2.0",
        "1e0",
        "-2.50E1",
        r#""one""#,
        r#""""#,
        r#""\u00e9\n\"""#,
    ] {
        let good = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let bad = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no/such"}}"#);
        for body in [good, bad] {
            let answer = app.send(bare(body)).await;
            let start = format!(r#"{{"jsonrpc":"2.0","id":{id},"#);
            assert!(answer.text().starts_with(&start), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_parse_error_without_an_id() {
    let app = TestApp::start().await;
    let deep = "[".repeat(100_000);
    for body in [
        b"".as_slice(),
        b"   ",
        b"{",
        b"ping",
        br#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#,
        br#"{"jsonrpc":"2.0","id":1,"method":"ping"}{}"#,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
        deep.as_bytes(),
    ] {
        let answer = app.send(bare(body.to_vec())).await;
        let message = fault(&answer, 400, -32700);
        assert!(message.get("id").is_none(), "{message}");
    }
}

#[tokio::test]
async fn json_that_is_no_message_is_an_invalid_request_without_an_id() {
    let app = TestApp::start().await;
    for body in [
        "1",
        "null",
        "true",
        r#""ping""#,
        "{}",
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1e-3,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"\ud800","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"\udc00\ud800","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        // A response, whose id could be that of a request of the client's own.
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":"seven","result":{},"error":{}}"#,
    ] {
        let message = fault(&app.send(bare(body)).await, 400, -32600);
        assert!(message.get("id").is_none(), "{body}: {message}");
    }
}

#[tokio::test]
async fn a_wrong_message_with_a_readable_id_is_refused_under_that_id() {
    let app = TestApp::start().await;
    for body in [
        r#"{"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
        r#"{"jsonrpc":null,"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}"#,
    ] {
        let message = fault(&app.send(bare(body)).await, 400, -32600);
        assert_eq!(message["id"], 7, "{body}: {message}");
    }
}

#[tokio::test]
async fn parameters_that_are_null_are_left_out() {
    let app = TestApp::start().await;
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":null}"#;
    assert_eq!(app.send(bare(body)).await.json()["result"], json!({}));
    let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":null}"#;
    assert_eq!(app.send(bare(body)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_array_of_the_fields_is_no_message() {
    let app = TestApp::start().await;
    let batch = r#"[["2.0",1,"tools/call",{"name":"get_registry_summary"}]]"#;
    let answer = app.send(bare(batch)).await.json();
    assert_eq!(answer[0]["error"]["code"], -32600, "{answer}");
    let said = answer[0]["error"]["message"].as_str().unwrap();
    assert!(
        said.contains("object") && !said.contains("struct"),
        "{said}"
    );
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let app = TestApp::start().await;
    for (method, params, place) in [
        ("tools/call", json!({"name": 5}), "`params.name`"),
        ("resources/read", json!({"uri": []}), "`params.uri`"),
        ("tools/call", json!({}), "`name`"),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let message = fault(&app.send(bare(body.to_string())).await, 200, -32602);
        let said = message["error"]["message"].as_str().unwrap();
        assert!(said.contains(place) && !said.contains("line"), "{said}");
    }
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused_by_the_methods_that_read_it() {
    let app = TestApp::start().await;
    let post = async |method: &str, params: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        app.send(bare(body)).await.json()
    };
    let name = r#"{"name":"get_registry_summary","name":"get_registry_summary"}"#;
    for (method, params, key) in [
        ("tools/call", name, "name"),
        ("tools/list", r#"{"cursor":null,"cursor":null}"#, "cursor"),
        (
            "logging/setLevel",
            r#"{"level":"info","level":"info"}"#,
            "level",
        ),
        (
            "tools/call",
            r#"{"name":"get_registry_summary","arguments":{},"arguments":{}}"#,
            "arguments",
        ),
    ] {
        let error = &post(method, params).await["error"];
        assert_eq!(error["code"], -32602, "{method} {error}");
        let said = error["message"].as_str().unwrap();
        assert!(
            said.ends_with(&format!("duplicate field `{key}`")),
            "{said}"
        );
    }
    for (method, params) in [
        ("tools/list", name),
        (
            "tools/call",
            r#"{"name":"get_registry_summary","cursor":1,"cursor":2}"#,
        ),
        ("ping", r#"{"level":1,"level":2,"_meta":{},"_meta":{}}"#),
    ] {
        let answer = post(method, params).await;
        assert!(answer["error"].is_null(), "{method} {answer}");
    }
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body_whatever_its_headers_say() {
    let app = TestApp::start().await;
    let note = |params: Option<Value>| {
        let mut note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        if let Some(params) = params {
            note["params"] = params;
        }
        bare(note.to_string())
    };
    for request in [
        note(None),
        note(Some(json!({}))),
        with(note(None), "mcp-protocol-version", MODERN),
        with(note(None), "mcp-protocol-version", "2025-06-18"),
        with(note(None), "mcp-protocol-version", "1999-01-01"),
        with(note(None), "mcp-method", "tools/list"),
        with(note(None), "mcp-session-id", "of-another-server"),
    ] {
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert!(answer.body.is_empty(), "{}", answer.text());
        assert_eq!(answer.header("content-type"), "");
    }
}

#[tokio::test]
async fn a_notification_that_is_no_message_is_refused_without_an_id() {
    let app = TestApp::start().await;
    for body in [
        r#"{"method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":[]}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
    ] {
        let message = fault(&app.send(bare(body)).await, 400, -32600);
        assert!(message.get("id").is_none(), "{message}");
    }
}

#[tokio::test]
async fn fields_that_the_protocol_does_not_know_are_passed_over() {
    let app = TestApp::start().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","trace":{"deep":[1]},"extra":null}"#;
    assert_eq!(app.send(bare(body)).await.json()["result"], json!({}));
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_not() {
    let ping = message("ping", &json!({}));
    let app = TestApp::with(|config| config.max_request_bytes = ping.len()).await;
    assert_eq!(app.send(bare(ping.clone())).await.status, StatusCode::OK);
    let answer = app.send(bare(format!("{ping} "))).await;
    let message = fault(&answer, 413, -32600);
    assert!(message.get("id").is_none(), "{message}");
    let said = message["error"]["message"].as_str().unwrap();
    assert!(said.contains(&ping.len().to_string()), "{said}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_refused_in_words_of_the_protocol() {
    let app = TestApp::start().await;
    let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]);
    for (body, status) in [
        (Body::from_stream(never), 408),
        (Body::from_stream(broken), 400),
    ] {
        let request = Request::post("/mcp").header("content-type", "application/json");
        let answer = app.send(request.body(body).unwrap()).await;
        let message = fault(&answer, status, -32600);
        assert!(message.get("id").is_none(), "{message}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_taken_is_refused_in_words_of_the_protocol() {
    let app = TestApp::start().await;
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/mcp");
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        let message = fault(&answer, 405, -32600);
        assert!(message.get("id").is_none(), "{message}");
        assert_eq!(answer.header("allow"), "POST");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_body_without_a_type_is_read_as_json() {
    let app = TestApp::start().await;
    let request = Request::post("/mcp").body(Body::from(message("ping", &json!({}))));
    assert_eq!(app.send(request.unwrap()).await.json()["result"], json!({}));
}
