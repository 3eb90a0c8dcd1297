//! What the clients of one server share: its address, the end of the test, and how to send requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::Failure;

/// Clients with one address. Each kind of client has its own address.
#[derive(Clone)]
pub struct Scene {
    pub server: SocketAddr,
    pub until: Instant,
    own: Ipv4Addr,
}

/// A connection for sequential requests.
pub struct Connection(SendRequest<Full<Bytes>>);

/// The status, whether the answer has `Retry-After`, and the body.
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub body: Bytes,
}

impl Scene {
    pub fn new(server: SocketAddr, time: Duration) -> Scene {
        Scene {
            server,
            until: Instant::now() + time,
            own: Ipv4Addr::LOCALHOST,
        }
    }

    /// The same scene for clients with the `place`th address.
    pub fn from(&self, place: u8) -> Scene {
        Scene {
            own: Ipv4Addr::new(127, 0, 1, place),
            ..self.clone()
        }
    }

    /// Whether the time is not over.
    pub fn is_running(&self) -> bool {
        Instant::now() < self.until
    }

    pub async fn connect(&self) -> Result<TcpStream, Failure> {
        self.connect_with(TcpSocket::new_v4()?).await
    }

    /// A connection with minimal socket buffers, so that unread data stays in the server.
    pub async fn connect_narrow(&self) -> Result<TcpStream, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 << 10)?;
        self.connect_with(socket).await
    }

    async fn connect_with(&self, socket: TcpSocket) -> Result<TcpStream, Failure> {
        socket.bind((self.own, 0).into())?;
        Ok(socket.connect(self.server).await?)
    }

    pub async fn connection(&self) -> Result<Connection, Failure> {
        let (sender, connection) = handshake(TokioIo::new(self.connect().await?)).await?;
        tokio::spawn(connection);
        Ok(Connection(sender))
    }

    /// `POST /mcp` on a new connection; reads the whole answer.
    pub async fn post(&self, body: &Value) -> Result<Answer, Failure> {
        self.connection().await?.post(body).await
    }
}

impl Connection {
    pub async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        let request = hyper::Request::get(path).header("host", "localhost");
        self.send(request.body(Full::default())?).await
    }

    /// `POST /mcp`.
    pub async fn post(&mut self, body: &Value) -> Result<Answer, Failure> {
        let request = hyper::Request::post("/mcp").header("host", "localhost");
        let request = request.header("content-type", "application/json");
        let body = Full::new(body.to_string().into());
        self.send(request.body(body)?).await
    }

    async fn send(&mut self, request: hyper::Request<Full<Bytes>>) -> Result<Answer, Failure> {
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|it| it.to_str().ok()?.parse().ok());
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }
}
