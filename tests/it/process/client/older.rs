//! Servers of older revisions: sessions, event streams, batches, and answers that are no MCP.

use axum::response::Response;
use serde_json::json;

use super::peer::{Asked, Peer, respond, result};
use super::run;

/// A server with sessions, as the SDKs of 2025 have them.
fn with_session(asked: &Asked) -> Response {
    if asked.what() == "initialize" {
        let mut response = result(
            asked,
            json!({
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "older", "version": "1"},
            }),
        );
        let session = "s-1".parse().unwrap();
        response.headers_mut().insert("mcp-session-id", session);
        return response;
    }
    if asked.header("mcp-session-id") != "s-1" {
        return respond(400, "text/plain", "no session");
    }
    let id = &asked.body["id"];
    match asked.what() {
        "notifications/initialized" => respond(202, "text/plain", ""),
        "DELETE" => respond(200, "text/plain", ""),
        "tools/list" if asked.body["params"]["cursor"] == "more" => {
            let tools = json!([{"name": "two", "inputSchema": {"type": "object"}}]);
            result(asked, json!({"tools": tools}))
        }
        "tools/list" => {
            let tools = json!([{"name": "one", "inputSchema": {"type": "object"}}]);
            result(asked, json!({"tools": tools, "nextCursor": "more"}))
        }
        "tools/call" => {
            let token = &asked.body["params"]["_meta"]["progressToken"];
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress",
                "params": {"progressToken": token, "progress": 1}});
            let question = json!({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage"});
            let done = json!({"jsonrpc": "2.0", "id": id, "result": {"content": [], "n": "x"}});
            let events = format!(
                "id: 1\ndata:\n\n: wait\r\n\r\ndata: {progress}\r\n\r\nevent: message\ndata: {question}\n\ndata: {done}\n\n"
            );
            respond(200, "text/event-stream; charset=utf-8", events)
        }
        // The refusal of the question.
        _ => respond(202, "text/plain", ""),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_kept_through_every_request_and_ended() {
    let peer = Peer::start(with_session).await;
    let done = run(peer.address, &["call", "two"], "").await;
    assert_eq!(
        (done.status, done.stderr.as_str()),
        (0, "progress 1\n"),
        "{done}"
    );
    assert_eq!(done.stdout, "{\"content\":[],\"n\":\"x\"}\n");
    let asked = peer.asked();
    let what: Vec<&str> = asked.iter().map(|it| it.what()).collect();
    let expected = [
        "server/discover",
        "initialize",
        "notifications/initialized",
        "tools/list",
        "tools/list",
        "tools/call",
        "POST",
        "DELETE",
    ];
    assert_eq!(what, expected);
    assert_eq!(asked[6].body["error"]["code"], -32601);
    assert_eq!(asked[6].body["id"], "q");
    for asked in &asked[2..] {
        let headers = (
            asked.header("mcp-session-id"),
            asked.header("mcp-protocol-version"),
        );
        assert_eq!(headers, ("s-1", "2025-06-18"), "{}", asked.what());
        assert_eq!(asked.header("mcp-method"), "", "{}", asked.what());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_mcp_is_a_failure_that_says_so() {
    let deep = "[".repeat(100_000);
    for (status, kind, body, problem) in [
        (
            200,
            "text/html",
            "<html>",
            "is this the URL of an MCP server?",
        ),
        (404, "text/plain", "nothing here", "HTTP 404: nothing here"),
        (500, "text/plain", "\u{1b}[31mred", "HTTP 500:  [31mred"),
        (401, "text/plain", "who?", "`--login`"),
        (200, "application/json", "{}", "a message without `method`"),
        (200, "application/json", &deep, "not JSON-RPC"),
        (
            200,
            "application/json",
            r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
            "the id 99",
        ),
        (
            200,
            "text/event-stream",
            "data: {}\n\n",
            "a message without `method`",
        ),
        (
            200,
            "text/event-stream",
            ": nothing\n\n",
            "without a result",
        ),
    ] {
        let body = body.to_owned();
        let peer = Peer::start(move |_| respond(status, kind, body.clone())).await;
        let done = run(peer.address, &["list"], "").await;
        assert_eq!(
            (done.status, done.stdout.as_str()),
            (1, ""),
            "{status} {kind} {done}"
        );
        assert!(done.stderr.contains(problem), "{status} {kind} {done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn own_headers_are_sent_with_every_request_and_never_shown() {
    let peer = Peer::start(with_session).await;
    let header = ["--header", "X-API-Key: top-secret"];
    let done = run(peer.address, &[&["call", "two"], &header[..]].concat(), "").await;
    assert_eq!(done.status, 0, "{done}");
    for asked in peer.asked() {
        assert_eq!(asked.header("x-api-key"), "top-secret", "{}", asked.what());
    }
    let refusing = Peer::start(|_| respond(401, "text/plain", "")).await;
    let mut client = super::client(refusing.address, &["list"]);
    client.args(header).env("BIFOLD_LOG", "trace");
    let output = client.output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.contains("top-secret"), "{said}");
}
