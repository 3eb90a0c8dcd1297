//! The limits of connections and buffers, and the requests that are still served beyond them.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{ask, head, last, rest, sending};
use crate::support::{TestApp, on_socket};

#[tokio::test]
async fn beyond_the_connection_limit_requests_are_refused_except_health() {
    let app = TestApp::with(|config| config.max_connections = 4).await;
    let (address, serving) = on_socket(&app.app).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let keep = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let mut socket = sending(address, keep).await;
        assert!(head(&mut socket).await.contains(" 200 "));
        held.push(socket);
    }
    for path in ["/", "/api/registry_summary", "/ws"] {
        let answer = ask(address, &last("GET", path)).await;
        assert!(answer.contains(" 503 "), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
        assert!(answer.contains("urn:bifold:problem:busy"), "{answer}");
    }
    let mcp = ask(address, &last("POST", "/mcp")).await;
    assert!(mcp.contains(" 503 ") && mcp.contains("retry-after: 1\r\n"));
    let (_, body) = mcp.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], -32600, "{body}");
    // Idle connections are replaced by new ones.
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(sending(address, "").await);
    }
    for method in ["GET", "HEAD"] {
        let answer = ask(address, &last(method, "/health")).await;
        assert!(answer.contains(" 200 "), "{answer}");
    }
    drop(held);
    // The server needs a moment to notice that they are closed.
    loop {
        let answer = ask(address, &last("GET", "/")).await;
        if answer.contains(" 200 ") {
            break;
        }
        tokio::task::yield_now().await;
    }
    serving.abort();
}

/// The head of a request with a body of this length.
fn announcing(path: &str, bytes: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {bytes}\r\n\r\n"
    )
}

#[tokio::test]
async fn bodies_beyond_the_buffer_limit_are_refused_and_others_are_accepted() {
    const BODY: usize = 100 << 10;
    let app = TestApp::with(|config| config.max_buffered_bytes = 2 * BODY).await;
    let (address, serving) = on_socket(&app.app).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = sending(address, announcing("/mcp", BODY)).await;
        socket.write_all(&vec![b' '; BODY - 1]).await.unwrap();
        held.push(socket);
    }
    while app.app.held_bytes() < 2 * (BODY - 1) {
        tokio::task::yield_now().await;
    }
    for (path, class) in [
        ("/api/get_registry_summary", "urn:bifold:problem:busy"),
        ("/mcp", "-32600"),
    ] {
        let request = announcing(path, BODY) + &" ".repeat(BODY);
        let answer = ask(address, &request).await;
        assert!(answer.contains(" 503 "), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
        assert!(answer.contains(class), "{answer}");
    }
    let small = announcing("/api/get_registry_summary", 2) + "{}";
    assert!(ask(address, &small).await.contains(" 200 "));
    assert!(
        ask(address, &last("GET", "/health"))
            .await
            .contains(" 200 ")
    );
    // A head counts like a body, and is refused before it is complete.
    let mut socket = sending(address, "GET /health HTTP/1.1\r\nhost: localhost\r\nx: ").await;
    socket.write_all(&vec![b'x'; 60 << 10]).await.unwrap();
    let answer = rest(socket).await;
    assert!(answer.contains(" 503 ") && answer.contains("retry-after: 1"));
    for mut socket in held {
        socket.write_all(b" ").await.unwrap();
        assert!(rest(socket).await.contains(" 400 "));
    }
    let request = announcing("/api/get_registry_summary", BODY) + "{}" + &" ".repeat(BODY - 2);
    assert!(ask(address, &request).await.contains(" 200 "));
    assert_eq!(app.app.held_bytes(), 0);
    serving.abort();
}

#[tokio::test]
async fn websocket_messages_count_while_they_are_received() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let app = TestApp::with(|config| config.max_buffered_bytes = 100 << 10).await;
    let (address, serving) = on_socket(&app.app).await;
    let url = format!("ws://{address}/ws");
    let (mut client, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for bytes in [100, 40 << 10, 100, 40 << 10] {
        let padded = ping.clone() + &" ".repeat(bytes);
        client.send(Message::text(padded)).await.unwrap();
        let answer = client.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(answer.contains("result"), "{answer}");
    }
    let large = Message::text(ping + &" ".repeat(200 << 10));
    client.send(large).await.unwrap();
    match client.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1013),
        other => panic!("not closed: {other:?}"),
    }
    serving.abort();
}
