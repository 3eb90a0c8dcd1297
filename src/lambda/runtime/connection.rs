//! One HTTP/1.1 connection to the platform, driven by whoever waits for an answer on it.
//!
//! No task of its own drives it: the body of a streamed answer is read here, by the one who posts it, so nothing runs
//! on when an invocation has ended, and what is dropped is over.

use axum::body::{Body, Bytes};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Connection as Driver, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// One connection.
pub(crate) struct Connection {
    sender: SendRequest<Body>,
    driver: Option<Driver<TokioIo<TcpStream>, Body>>,
}

/// A request without an answer.
pub(crate) struct Unanswered {
    /// The request, if nothing of it was sent.
    pub(crate) request: Option<Request<Body>>,
    pub(crate) error: Error,
}

impl Connection {
    /// Connects to `authority`, a host and a port.
    ///
    /// # Errors
    /// The socket's.
    pub(crate) async fn open(authority: &str) -> Result<Connection, Error> {
        let socket = TcpStream::connect(authority).await?;
        // What is written is written whole; waiting for more of it costs 40 ms an answer.
        socket.set_nodelay(true)?;
        let (sender, driver) = handshake(TokioIo::new(socket)).await?;
        Ok(Connection {
            sender,
            driver: Some(driver),
        })
    }

    /// Whether another request can go this way.
    pub(crate) fn is_open(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends the request and reads its answer. A good answer is returned when the request has been sent whole too.
    ///
    /// # Errors
    /// The connection's, with the request if the connection was gone before.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Bytes>, Unanswered> {
        let sender = &mut self.sender;
        let answer = async {
            let response = sender.try_send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(Unanswered::late)?.to_bytes();
            if parts.status.is_success() {
                // A failure means that the platform closes the connection after this answer.
                let _ = sender.ready().await;
            }
            Ok(Response::from_parts(parts, body))
        };
        let mut answer = std::pin::pin!(answer);
        if let Some(driver) = &mut self.driver {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                _ = driver => {}
            }
        }
        // The connection has ended, and with it everything that the answer may still wait for.
        self.driver = None;
        answer.await
    }
}

impl Unanswered {
    fn late(error: hyper::Error) -> Unanswered {
        Unanswered {
            request: None,
            error: error.into(),
        }
    }
}

impl From<TrySendError<Request<Body>>> for Unanswered {
    fn from(mut error: TrySendError<Request<Body>>) -> Unanswered {
        Unanswered {
            request: error.take_message(),
            error: error.into_error().into(),
        }
    }
}
