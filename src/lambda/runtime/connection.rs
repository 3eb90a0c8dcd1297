//! One HTTP/1.1 connection to the platform, driven by the call that waits for a response on it.
//!
//! It has no task of its own: the call that posts a streamed response also reads its body, so nothing runs longer than
//! its invocation, and dropping the call ends all of it.

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

/// A request that got no response.
pub(crate) struct ExchangeError {
    /// The request, where nothing of it was sent.
    pub(crate) request: Option<Request<Body>>,
    pub(crate) error: Error,
}

impl Connection {
    /// Connects to `authority`, a host and a port.
    ///
    /// # Errors
    /// The socket fails.
    pub(crate) async fn open(authority: &str) -> Result<Connection, Error> {
        let socket = TcpStream::connect(authority).await?;
        // Each write is complete, so Nagle's algorithm would only add 40 ms to each response.
        socket.set_nodelay(true)?;
        let (sender, driver) = handshake(TokioIo::new(socket)).await?;
        Ok(Connection {
            sender,
            driver: Some(driver),
        })
    }

    /// Whether the connection can take another request.
    pub(crate) fn is_open(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends the request and reads the response. A success is returned only when the whole request has been sent.
    ///
    /// # Errors
    /// The connection fails; the error holds the request where nothing of it was sent.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Bytes>, ExchangeError> {
        let sender = &mut self.sender;
        let response = async {
            let response = sender.try_send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body
                .collect()
                .await
                .map_err(ExchangeError::after_sending)?
                .to_bytes();
            if parts.status.is_success() {
                // This fails where the platform closes the connection after its response, which is not an error.
                let _ = sender.ready().await;
            }
            Ok(Response::from_parts(parts, body))
        };
        let mut response = std::pin::pin!(response);
        if let Some(driver) = &mut self.driver {
            tokio::select! {
                biased;
                response = &mut response => return response,
                _ = driver => {}
            }
        }
        // The connection has ended, so the response resolves at once.
        self.driver = None;
        response.await
    }
}

impl ExchangeError {
    fn after_sending(error: hyper::Error) -> ExchangeError {
        ExchangeError {
            request: None,
            error: error.into(),
        }
    }
}

impl From<TrySendError<Request<Body>>> for ExchangeError {
    fn from(mut error: TrySendError<Request<Body>>) -> ExchangeError {
        ExchangeError {
            request: error.take_message(),
            error: error.into_error().into(),
        }
    }
}
