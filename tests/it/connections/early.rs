//! Responses that are sent before the body was read: clients can read them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{head, sending};
use crate::support::{TestApp, on_socket};

/// Requests that are refused before their body is read, and the status.
const REFUSED: [(&str, &str, &str); 4] = [
    ("/mcp", "application/json", "413"),
    ("/api/nothing", "application/json", "404"),
    ("/health", "application/json", "405"),
    ("/api/get_registry_summary", "application/json", "413"),
];

#[tokio::test]
async fn a_client_that_sends_its_whole_body_first_still_reads_the_response() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (path, kind, status) in REFUSED {
        for megabytes in [1, 3, 6, 10] {
            for chunked in [false, true] {
                let bytes = (megabytes << 20) + 1;
                let framing = match chunked {
                    false => format!("content-length: {bytes}"),
                    true => "transfer-encoding: chunked".to_owned(),
                };
                let request = format!(
                    "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n"
                );
                let mut socket = sending(address, request).await;
                if chunked {
                    let size = format!("{bytes:x}\r\n");
                    socket.write_all(size.as_bytes()).await.unwrap();
                }
                // A reset would end this, or lose what is read then.
                socket.write_all(&vec![b' '; bytes]).await.unwrap();
                if chunked {
                    socket.write_all(b"\r\n0\r\n\r\n").await.unwrap();
                }
                let answer = head(&mut socket).await;
                assert!(answer.contains(&format!(" {status} ")), "{path}: {answer}");
                assert!(answer.contains("connection: close"), "{path}: {answer}");
                let mut body = Vec::new();
                socket.read_to_end(&mut body).await.unwrap();
                assert!(!body.is_empty());
            }
        }
    }
    serving.abort();
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_the_response_without_it() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (path, kind, status) in REFUSED {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n\
             expect: 100-continue\r\ncontent-length: 10000000\r\n\r\n"
        );
        let mut socket = sending(address, request).await;
        let answer = head(&mut socket).await;
        assert!(answer.contains(&format!(" {status} ")), "{path}: {answer}");
        let mut body = Vec::new();
        socket.read_to_end(&mut body).await.unwrap();
        assert!(!body.is_empty());
    }
    serving.abort();
}

#[tokio::test]
async fn a_small_body_that_is_not_read_keeps_the_connection() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    let request = "POST /health HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    let mut socket = sending(address, request).await;
    for _ in 0..3 {
        let answer = head(&mut socket).await;
        assert!(answer.contains(" 405 "), "{answer}");
        let length = answer.split_once("content-length: ").unwrap().1;
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        socket.read_exact(&mut vec![0; length]).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
    }
    serving.abort();
}
