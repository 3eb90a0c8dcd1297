//! Progress over a socket, and through an integration that buffers the response.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bifold::{RequestInfo, lambda};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Gate, message, response, serving};
use crate::lambda::document;
use crate::support::on_socket;

#[tokio::test]
async fn over_a_socket_a_report_arrives_at_once_and_a_disconnect_ends_the_call() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let gate = Gate::default();
    let app = serving(&gate).await;
    let (address, serving) = on_socket(&app.app).await;
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "wait", "_meta": {"progressToken": 1}}})
    .to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("waiting") {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.unwrap();
        assert_ne!(count, 0, "{seen}");
        seen += std::str::from_utf8(&piece[..count]).unwrap();
    }
    assert_eq!(gate.running.load(Ordering::Relaxed), 1);
    drop(socket);
    let gone = async {
        while gate.running.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn a_buffering_integration_gets_the_complete_stream() {
    let app = serving(&Gate::default()).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "steps", "_meta": {"progressToken": 1}}});
    let event = json!({
        "version": "2.0",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "accept": "application/json, text/event-stream"},
        "requestContext": {"http": {"method": "POST", "path": "/mcp"}},
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    let reply = lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
    let reply = document(reply.unwrap()).await;
    assert_eq!(reply["headers"]["content-type"], "text/event-stream");
    assert_eq!(reply["isBase64Encoded"], false);
    let body = reply["body"].as_str().unwrap();
    let mut messages: Vec<Value> = body.split_inclusive("\n\n").map(message).collect();
    assert_eq!(response(&mut messages)["result"]["isError"], false);
    assert_eq!(messages.len(), 5);
}
