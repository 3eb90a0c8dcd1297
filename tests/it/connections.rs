//! Connections of the local server: their number, their buffers, and how they end.

mod early;
mod encoding;
mod framing;
mod room;
mod stall;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection on which these bytes were sent.
async fn sending(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes.as_ref()).await.unwrap();
    socket
}

/// The bytes of a connection until the server closes it.
async fn rest(mut socket: TcpStream) -> String {
    let mut text = Vec::new();
    socket.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// The response to a request, after which the connection ends.
async fn ask(address: SocketAddr, request: &str) -> String {
    rest(sending(address, request).await).await
}

/// The head of the first response on a connection.
async fn head(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

/// A request without a body on a connection that ends with it.
fn last(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}
