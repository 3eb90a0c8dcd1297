//! Clients that read nothing of their responses.

use std::time::Duration;

use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool, local};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::sending;

/// Returns more than the system buffers for one connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Much {
    /// Megabytes.
    megabytes: usize,
}

async fn much(_: Context, Much { megabytes }: Much) -> Result<Content> {
    Ok(Content::text("x".repeat(megabytes << 20)))
}

/// A server with this function, and the sender that stops it.
async fn start() -> (
    std::net::SocketAddr,
    oneshot::Sender<()>,
    tokio::task::JoinHandle<std::io::Result<()>>,
) {
    let server = Server::new("much", "1.0.0").tools(vec![Tool::new("much", much).get("/much")]);
    let app = App::new(Config::default(), server).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(local::serve(app, listener, async { drop(stopped.await) }));
    (address, stop, serving)
}

/// Requests for more than 4 MB each, one after the other, whose responses are not read.
fn requests(is_stream: bool) -> String {
    let one = match is_stream {
        false => "GET /api/much?megabytes=4 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        true => {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
                {"name": "much", "arguments": {"megabytes": 4}, "_meta": {"progressToken": 1}}})
            .to_string();
            format!(
                "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    };
    one.repeat(8)
}

/// Waits until the server has closed the connection, of which nothing was read before.
async fn closed(mut socket: TcpStream) {
    let mut bytes = vec![0; 1 << 16];
    while matches!(socket.read(&mut bytes).await, Ok(count) if count > 0) {}
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_disconnected_after_thirty_seconds() {
    let (address, _stop, serving) = start().await;
    for is_stream in [false, true] {
        let socket = sending(address, requests(is_stream)).await;
        // Time passes only when the server can write no more.
        tokio::time::sleep(Duration::from_secs(31)).await;
        let since = Instant::now();
        let mut text = Vec::new();
        let mut socket = socket;
        let ended = socket.read_to_end(&mut text).await;
        assert!(ended.is_err() || text.len() < 32 << 20, "all was written");
        assert!(since.elapsed() < Duration::from_secs(1));
    }
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_waits_one_second_for_a_stalled_client() {
    let (address, stop, serving) = start().await;
    let socket = sending(address, requests(false)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let since = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let waited = since.elapsed();
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    closed(socket).await;
}

/// A frame of a client: a ping of 125 bytes, masked with zeros.
fn ping() -> Vec<u8> {
    [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'p'; 125]].concat()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_and_reads_no_pong_is_disconnected() {
    let (address, _stop, serving) = start().await;
    let mut socket = sending(
        address,
        "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    let answer = super::head(&mut socket).await;
    assert!(answer.contains(" 101 "), "{answer}");
    let pings = ping().repeat(1000);
    let mut sent = 0;
    // Only the system buffers in both directions can be filled, because the server buffers nothing.
    let refused = loop {
        match socket.write(&pings).await {
            Ok(bytes) => sent += bytes,
            Err(error) => break error,
        }
        assert!(sent < 64 << 20, "the server reads on");
    };
    assert!(sent > 0, "{refused}");
    serving.abort();
}
