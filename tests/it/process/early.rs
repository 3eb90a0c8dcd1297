//! A platform whose answer to a response comes before the response has ended, and one that goes away.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::faults::{asked, function, hand_out, request};
use super::platform::PATIENCE;
use crate::lambda::event;

#[tokio::test]
async fn an_early_acceptance_does_not_end_a_stream() {
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let _function = function(&api.local_addr().unwrap().to_string())
        .env("BIFOLD_INVOKE_MODE", "response_stream")
        .env("BIFOLD_EXPLORER_URL", url)
        .env("BIFOLD_UPSTREAM_TRIES", "2")
        .spawn()
        .unwrap();
    let (socket, _) = asked(&api, "/invocation/next").await;
    let mut call = event("function_url_mcp");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        {"name": "fetch_current_hash_statistics", "_meta": {"progressToken": 1}}});
    call["body"] = json!(body.to_string());
    let headers = call["headers"].as_object_mut().unwrap();
    headers.retain(|name, _| !name.starts_with("mcp-"));
    hand_out(socket, &call).await;
    let (mut post, _) = asked(&api, "/invocation/1/response").await;
    // The function waits for its upstream when the platform accepts the response.
    let first = upstream.accept().await.unwrap().0;
    let accepted = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
    post.write_all(accepted).await.unwrap();
    // What happens next, in its order.
    let order = Arc::new(Mutex::new(Vec::new()));
    let requested = tokio::spawn({
        let order = order.clone();
        async move {
            let (socket, _) = asked(&api, "/invocation/next").await;
            order.lock().unwrap().push("next");
            socket
        }
    });
    // The second try of the upstream request comes long after the acceptance.
    refuse(first).await;
    let second = upstream.accept().await.unwrap().0;
    order.lock().unwrap().push("second try");
    refuse(second).await;
    let mut rest = String::new();
    while !rest.ends_with("\r\n0\r\n\r\n") {
        let mut line = String::new();
        let read = timeout(PATIENCE, post.read_line(&mut line)).await.unwrap();
        assert_ne!(read.unwrap(), 0, "the response broke off: {rest}");
        rest += &line;
    }
    order.lock().unwrap().push("end");
    assert!(rest.contains("event: message"), "{rest}");
    timeout(PATIENCE, requested).await.unwrap().unwrap();
    assert_eq!(*order.lock().unwrap(), ["second try", "end", "next"]);
}

/// Refuses a request of a function.
async fn refuse(mut socket: TcpStream) {
    let busy =
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    socket.write_all(busy).await.unwrap();
    let _ = socket.read_to_end(&mut Vec::new()).await;
}

/// Holds a connection on which an event is requested, and refuses all other requests.
async fn hold(socket: TcpStream, held: UnboundedSender<()>) {
    let mut socket = BufReader::new(socket);
    while let Some((first, _)) = request(&mut socket).await {
        if first.contains("/invocation/next") {
            held.send(()).unwrap();
            return std::future::pending().await;
        }
        let nothing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(nothing).await.unwrap();
    }
}

#[tokio::test]
async fn the_process_ends_when_the_platform_no_longer_responds() {
    for workers in [1, 4] {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let function = function(&api.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_MAX_CONCURRENCY", workers.to_string())
            .spawn()
            .unwrap();
        let (sender, mut held) = unbounded_channel();
        let mut connections = JoinSet::new();
        let mut waiting = 0;
        while waiting < workers {
            tokio::select! {
                accepted = api.accept() => {
                    connections.spawn(hold(accepted.unwrap().0, sender.clone()));
                }
                _ = held.recv() => waiting += 1,
            }
        }
        drop((api, connections));
        let ended = timeout(PATIENCE, function.wait_with_output()).await;
        let output = ended.expect("the process does not end").unwrap();
        assert_eq!(output.status.code(), Some(1), "{workers}");
        let log = String::from_utf8(output.stdout).unwrap();
        assert!(log.lines().count() < 40, "{log}");
        let last = log.lines().last().unwrap();
        assert!(last.contains("\"level\":\"ERROR\""), "{last}");
    }
}
