//! What all clients of one server share: where it is, how long they stay, and how they speak to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::Failure;

/// Clients of one address. Each kind of client has an address of its own, as strangers have.
#[derive(Clone)]
pub struct Scene {
    pub server: SocketAddr,
    pub until: Instant,
    own: Ipv4Addr,
}

/// A connection on which one request after another is sent.
pub struct Line(SendRequest<Full<Bytes>>);

/// The status, whether the answer says when to come again, and the body.
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

    /// The same for clients of another address, the `place`th.
    pub fn from(&self, place: u8) -> Scene {
        Scene {
            own: Ipv4Addr::new(127, 0, 1, place),
            ..self.clone()
        }
    }

    /// Whether the time is not over.
    pub fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    pub async fn connect(&self) -> Result<TcpStream, Failure> {
        self.connect_with(TcpSocket::new_v4()?).await
    }

    /// A connection on which the system keeps next to nothing for its client: what is not read stays with the server.
    pub async fn connect_narrow(&self) -> Result<TcpStream, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 << 10)?;
        self.connect_with(socket).await
    }

    async fn connect_with(&self, socket: TcpSocket) -> Result<TcpStream, Failure> {
        socket.bind((self.own, 0).into())?;
        Ok(socket.connect(self.server).await?)
    }

    pub async fn line(&self) -> Result<Line, Failure> {
        let (sender, connection) = handshake(TokioIo::new(self.connect().await?)).await?;
        tokio::spawn(connection);
        Ok(Line(sender))
    }

    /// `POST /mcp` on a connection of its own; the answer is read whole.
    pub async fn post(&self, body: &Value) -> Result<Answer, Failure> {
        self.line().await?.post(body).await
    }
}

impl Line {
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
