//! Messages, headers and request lines are quoted in excerpts.

use http::Request;
use serde_json::{Value, json};

use super::{LONGEST, assert_brief, long_texts, serving};
use crate::support::{Answer, Log, MODERN, meta, modern};

#[tokio::test]
async fn names_in_a_message_are_quoted_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        let reference = json!({"type": "ref/prompt", "name": "about"});
        let argument = json!({"name": "topic", "value": "x"});
        for (method, params) in [
            (&*long, json!({})),
            ("tools/call", json!({"name": long})),
            ("tools/call", json!({"name": "repeat", "arguments": long})),
            ("tools/call", json!({"name": {long.clone(): 1}})),
            ("prompts/get", json!({"name": long})),
            (
                "prompts/get",
                json!({"name": "about", "arguments": {long.clone(): "x"}}),
            ),
            (
                "prompts/get",
                json!({"name": "about", "arguments": {"topic": {long.clone(): 1}}}),
            ),
            ("resources/read", json!({"uri": long})),
            ("resources/read", json!({"uri": format!("test://{long}")})),
            ("tools/list", json!({"cursor": long})),
            ("resources/list", json!({"cursor": {long.clone(): 1}})),
            (
                "completion/complete",
                json!({"ref": {"type": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": long, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/resource", "uri": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": reference, "argument": long}),
            ),
            ("tasks/get", json!({"taskId": long})),
        ] {
            let shown = params.to_string();
            let shown: String = format!("{method} {shown}").chars().take(60).collect();
            let answer = app.legacy("2025-11-25", method, params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let mut params = params;
            params["_meta"] = meta(MODERN);
            let message =
                json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
            let reply = app
                .app
                .mcp()
                .answer_frame(&message, &app.app.context())
                .await;
            let bifold::mcp::Body::Message(body) = reply.body else {
                panic!("{shown}: no document");
            };
            let answer = Answer {
                status: reply.status,
                headers: Default::default(),
                body: body.into_json(),
            };
            assert_brief(&answer, &log, &long, &shown);
        }
        for (method, params) in [
            ("initialize", json!({"protocolVersion": {long.clone(): 1}})),
            ("logging/setLevel", json!({"level": long})),
            ("resources/subscribe", json!({"uri": long})),
            ("resources/unsubscribe", json!({"uri": long})),
        ] {
            let answer = app.legacy("2025-11-25", method, params).await;
            assert_brief(&answer, &log, &long, method);
        }
    }
}

#[tokio::test]
async fn fields_of_the_modern_revision_are_quoted_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        let with_meta = |change: &dyn Fn(&mut Value)| {
            let mut params = json!({"name": "repeat", "_meta": meta(MODERN)});
            change(&mut params);
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        };
        for body in [
            with_meta(&|it| it["_meta"] = json!(long)),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(long)),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!([long])),
            with_meta(&|it| {
                it["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!(long)
            }),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/logLevel"] = json!(long)),
            with_meta(&|it| it["inputResponses"] = json!(long)),
            with_meta(&|it| it["inputResponses"] = json!([{long.clone(): long}])),
            with_meta(&|it| it["requestState"] = json!(long)),
            with_meta(&|it| it["requestState"] = json!({long.clone(): 1})),
            json!(long),
            json!({"jsonrpc": long, "id": 1, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": {long.clone(): 1}, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": 1, "method": {long.clone(): 1}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": long}),
        ] {
            let body = body.to_string();
            let shown: String = body.chars().take(200).collect();
            let (parts, _) = modern("tools/call", json!({"name": "repeat"})).into_parts();
            let answer = app.send(Request::from_parts(parts, body.into())).await;
            assert_brief(&answer, &log, &long, &shown);
        }
    }
}

#[tokio::test]
async fn request_line_and_headers_are_quoted_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    let long = "x".repeat(60_000);
    for path in [
        format!("/{long}"),
        format!("/api/{long}"),
        format!("/api/{LONGEST}{long}"),
        format!("/api/plain/{long}"),
        format!("/api/plain?{long}"),
        format!("/api/plain?{long}=1"),
        format!("/api/plain?number={long}"),
        format!("/api/plain?ratio={long}"),
        format!("/api/plain?flag={long}"),
        format!("/api/plain?number={}", "9".repeat(60_000)),
        format!("/api/plain?number=1.{}", "1".repeat(60_000)),
    ] {
        let answer = app.get(&path).await;
        assert_brief(&answer, &log, &long, &path[..40]);
    }
    let answer = app.post(&format!("/api/repeat?{long}=1"), "{}").await;
    assert_brief(&answer, &log, &long, "a query on a POST");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for body in [ping.to_string(), json!([ping]).to_string()] {
        let request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", &long);
        let answer = app.send(request.body(body.into()).unwrap()).await;
        assert_brief(&answer, &log, &long, "a version");
    }
    for name in [
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "x-request-id",
        "accept",
    ] {
        let mut request = modern("tools/call", json!({"name": "no_such_function"}));
        request.headers_mut().insert(name, long.parse().unwrap());
        assert_brief(&app.send(request).await, &log, &long, name);
    }
}
