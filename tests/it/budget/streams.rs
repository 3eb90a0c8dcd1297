//! In a stream each message has its own limit, on HTTP and on WebSockets.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{Done, serving};
use crate::lambda::changed;
use crate::support::{modern, on_socket};

/// Far more rows than memory could hold.
const ENDLESS: usize = 1 << 40;

fn params(name: &str, rows: usize) -> Value {
    let level = json!({"io.modelcontextprotocol/logLevel": "error", "progressToken": 1});
    json!({"name": name, "arguments": {"rows": rows}, "_meta": level})
}

#[tokio::test]
async fn a_notification_beyond_the_limit_is_dropped_and_a_response_is_an_error() {
    let done = Done::default();
    let app = serving(&done, 80_000).await;
    let answer = app
        .send(modern("tools/call", params("talk", ENDLESS)))
        .await;
    let text = answer.text();
    assert!(text.contains("short") && text.contains("told"), "{text}");
    assert_eq!(text.matches("notifications/message").count(), 1);
    assert!(done.rows() <= 80_000 / 8 + 1);
    let answer = app.send(modern("tools/call", params("talk", 100))).await;
    assert_eq!(answer.text().matches("notifications/message").count(), 2);
    let answer = app
        .send(modern("tools/call", params("much", ENDLESS)))
        .await;
    assert!(
        answer.text().contains("answer_too_large"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn each_message_of_a_websocket_has_its_own_budget() {
    let done = Done::default();
    let app = serving(&done, 80_000).await;
    let (address, serving) = on_socket(&app.app).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    for (id, rows) in [(1, 3000), (2, 5000), (3, 3000), (4, 3000)] {
        let params = json!({"name": "much", "arguments": {"rows": rows}});
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        socket.send(Message::text(call.to_string())).await.unwrap();
        let told = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(told.len() < 90_000);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["result"]["isError"], id == 2, "{told}");
    }
    serving.abort();
}

#[tokio::test]
async fn a_stream_that_lambda_buffers_fits_into_the_platform_limit() {
    let done = Done::default();
    let app = serving(&done, 100 << 20).await;
    let most = 6 << 20;
    // As a string and as a part of the result, both inside a string, a row has twenty-four bytes.
    let limit = (most - (64 << 10)) / 24;
    for (name, rows, expected) in [
        ("talk", most / 2 / 10, "told"),
        ("much", limit - 100, r#""isError":false"#),
        ("much", limit + 100, "answer_too_large"),
    ] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params(name, rows)});
        let headers = json!({"content-type": "application/json", "accept": "text/event-stream"});
        let fields = [("/headers", headers), ("/body", json!(call.to_string()))];
        let event = changed("function_url_mcp", &fields).to_string();
        let reply = bifold::lambda::answer(&app.app, &event, bifold::RequestInfo::default()).await;
        let document = axum::body::to_bytes(reply.unwrap().into_body(), usize::MAX)
            .await
            .unwrap();
        assert!(document.len() < most, "{name}: {}", document.len());
        let document: Value = serde_json::from_slice(&document).unwrap();
        let body = document["body"].as_str().unwrap();
        assert!(body.starts_with("event: message"), "{}", body.len());
        assert!(body.contains(expected), "{name} {rows}: {}", body.len());
        assert!(
            name != "talk" || !body.contains("aaaaa"),
            "half is left for the response"
        );
    }
}
