//! A platform that fails: the binary retries, opens a new connection, or ends.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;

use super::binary;
use super::platform::{PATIENCE, Platform, after};
use crate::lambda::{changed, event};

#[tokio::test]
async fn a_request_that_the_platform_refuses_is_retried() {
    let mut platform = Platform::start(&[]).await;
    platform.invoke(&event("function_url_mcp")).await;
    platform.refuse(2);
    // The first of these requests was sent before.
    for _ in 0..2 {
        let outcome = platform.invoke(&event("function_url_mcp")).await;
        assert_eq!(outcome.body["statusCode"], 200);
    }
    assert!(platform.is_running());
}

/// The binary as a function of the platform at this address.
pub fn function(address: &str) -> Command {
    let mut function = binary();
    function
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "bifold")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    function
}

/// One request on a socket: its first line and its body, if it has a length.
pub async fn request(socket: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    socket
        .read_line(&mut first)
        .await
        .ok()
        .filter(|it| *it > 0)?;
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).await.ok()?;
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some((first, String::from_utf8(body).unwrap()))
}

/// Accepts connections until one has a request for this path; other requests get 404.
pub async fn asked(api: &TcpListener, path: &str) -> (BufReader<TcpStream>, String) {
    loop {
        let mut socket = BufReader::new(api.accept().await.unwrap().0);
        while let Some((first, body)) = request(&mut socket).await {
            if first.contains(path) {
                return (socket, body);
            }
            let nothing =
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            socket.write_all(nothing).await.unwrap();
        }
    }
}

/// Sends an event on a connection, and closes it.
pub async fn hand_out(socket: BufReader<TcpStream>, event: &Value) {
    hand_out_until(socket, event, after(60_000)).await;
}

/// Sends an event with a deadline in milliseconds since 1970, and closes the connection.
async fn hand_out_until(mut socket: BufReader<TcpStream>, event: &Value, deadline: u128) {
    let body = event.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nconnection: close\r\n\
         lambda-runtime-deadline-ms: {deadline}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_broken_connection_is_replaced_and_its_invocation_is_cancelled() {
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let address = api.local_addr().unwrap().to_string();
    let mut function = function(&address)
        .env("BIFOLD_INVOKE_MODE", "response_stream")
        .env("BIFOLD_EXPLORER_URL", url)
        .spawn()
        .unwrap();

    // The response uses a new connection, because that of its event is closed.
    let (socket, _) = asked(&api, "/invocation/next").await;
    let health = changed("http_api_v2", &[("/rawPath", json!("/health"))]);
    hand_out(socket, &health).await;
    let (mut socket, body) = asked(&api, "/invocation/1/response").await;
    assert!(body.contains("\"statusCode\":200"), "{body}");
    socket
        .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();

    // Responses and requests for invocations have connections of their own.
    let mut posts = socket;
    let (socket, _) = asked(&api, "/invocation/next").await;

    // The caller disconnects in the middle of a stream, which is on the connection of the first response.
    let mut watched = event("function_url_mcp");
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "fetch_current_hash_statistics", "_meta": {"progressToken": 1}}});
    watched["body"] = json!(call.to_string());
    watched["headers"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !name.starts_with("mcp-"));
    hand_out(socket, &watched).await;
    let (first, _) = request(&mut posts).await.unwrap();
    assert!(first.contains("/invocation/1/response"), "{first}");
    let (mut waiting, _) = upstream.accept().await.unwrap();
    drop(posts);
    let mut rest = Vec::new();
    waiting.read_to_end(&mut rest).await.unwrap();

    // The function keeps running until the platform is gone.
    let (socket, _) = asked(&api, "/invocation/next").await;
    drop((socket, api));
    assert_eq!(function.wait().await.unwrap().code(), Some(1));
}

#[tokio::test]
async fn a_response_that_the_platform_does_not_accept_blocks_only_until_its_deadline() {
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = api.local_addr().unwrap().to_string();
    let _function = function(&address)
        .env("BIFOLD_REPLAY", "true")
        .spawn()
        .unwrap();
    let (socket, _) = asked(&api, "/invocation/next").await;
    let health = changed("http_api_v2", &[("/rawPath", json!("/health"))]);
    hand_out_until(socket, &health, after(300)).await;
    let (_unanswered, _) = asked(&api, "/invocation/1/response").await;
    let next = timeout(PATIENCE, asked(&api, "/invocation/next")).await;
    next.expect("no further invocation is taken");
}
