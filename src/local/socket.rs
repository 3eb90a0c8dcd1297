//! The socket of one connection: it limits the bytes that are read and the time that a write may stall, and it closes in
//! stages, so that the client gets its response even where the server did not read the whole request.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::http::buffers::Intake;

/// The time in which a client must read something of what is written to it.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// That time while the server stops.
const SHUTDOWN_STALL_TIMEOUT: Duration = Duration::from_secs(1);

/// The bytes of a request that are discarded after its response, and the time for it.
const MAX_DISCARDED_BYTES: u64 = 32 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest head that the HTTP library writes on its own, in bytes; every other head has an id and times as well.
const BARE_HEAD: usize = 160;

/// The response to a head that does not fit into the buffers. The request is not parsed yet, so it is a constant.
const BUSY_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    cache-control: no-store\r\n\
    x-content-type-options: nosniff\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    content-length: 154\r\n\r\n\
    {\"type\":\"urn:bifold:problem:busy\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"too many requests are being read: send this one again in a moment\"}";

/// A connection as HTTP and WebSocket use it.
pub(super) struct Socket {
    /// `None` once the socket is closed.
    stream: Option<TcpStream>,
    state: Arc<ConnectionState>,
    /// The timeout of a stalled write; `None` while writes make progress.
    stall: Option<BoxFuture<'static, ()>>,
    stopped: watch::Receiver<bool>,
    /// Its permit, unless it is beyond the limit of connections.
    permit: Option<OwnedSemaphorePermit>,
}

/// The state that a connection shares with its current request.
pub(super) struct ConnectionState {
    /// Counts the bytes that are read outside of a request body.
    pub(super) intake: Intake,
    /// Whether a part of the request is still unread.
    pub(super) is_unread: AtomicBool,
    /// Whether the connection has become a WebSocket.
    pub(super) is_upgraded: AtomicBool,
}

impl ConnectionState {
    pub(super) fn new(intake: Intake) -> ConnectionState {
        ConnectionState {
            intake,
            is_unread: AtomicBool::new(false),
            is_upgraded: AtomicBool::new(false),
        }
    }
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        state: Arc<ConnectionState>,
        stopped: watch::Receiver<bool>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Socket {
        Socket {
            stream: Some(stream),
            state,
            stall: None,
            stopped,
            permit,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut();
        stream.map(Pin::new).ok_or_else(not_connected)
    }

    /// Passes on the result of a write; a write that stays pending for too long fails.
    fn check_stall<T>(
        &mut self,
        poll: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stall = None;
            return poll;
        }
        let stopped = &self.stopped;
        let stall = self
            .stall
            .get_or_insert_with(|| stall_timeout(STALL_TIMEOUT, stopped.clone()).boxed());
        ready!(stall.poll_unpin(cx));
        debug!("a client reads nothing of what is written to it");
        // The reset also discards the bytes that the system has buffered for the client.
        if let Some(stream) = self.stream.take() {
            let _ = stream.set_zero_linger();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Refuses to read more. No response is being written: the head arrives before any response to it.
    fn refuse(&self) -> io::Error {
        debug!("a client sends more than the buffers can hold");
        self.state.is_unread.store(true, Ordering::Relaxed);
        if let Some(stream) = &self.stream
            && !self.state.is_upgraded.load(Ordering::Relaxed)
        {
            // Nothing else was written for this request, so the system's buffer has room for the response.
            let _ = stream.try_write(BUSY_RESPONSE);
        }
        io::ErrorKind::OutOfMemory.into()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream()?.poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        Poll::Ready(self.state.intake.read(bytes).map_err(|_| self.refuse()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = match signed(bytes) {
            // The connection ends with it, so what the system has no room for is not missed.
            Some(signed) => {
                let poll = self.stream()?.poll_write(cx, &signed);
                poll.map_ok(|_| bytes.len())
            }
            None => self.stream()?.poll_write(cx, bytes),
        };
        self.check_stall(poll, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices {
            return self.poll_write(cx, bytes);
        }
        let poll = self.stream()?.poll_write_vectored(cx, slices);
        self.check_stall(poll, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}

impl Drop for Socket {
    /// Reads what the client still sends before the connection is closed. Otherwise the system resets the connection, and
    /// the client loses the response (RFC 9112, section 9.6).
    fn drop(&mut self) {
        let state = &self.state;
        let is_sending = [&state.is_unread, &state.is_upgraded];
        let is_sending = is_sending.iter().any(|it| it.load(Ordering::Relaxed));
        let Some(stream) = self.stream.take() else {
            return;
        };
        if self.stall.is_some() {
            // It does not read what it was sent, and would not read this end either.
            let _ = stream.set_zero_linger();
            return;
        }
        if !is_sending {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let permit = self.permit.take();
            // This task is detached: a server that stops does not wait for it.
            runtime.spawn(async move {
                drop(timeout(DISCARD_TIMEOUT, discard(stream)).await);
                drop(permit);
            });
        }
    }
}

/// Closes the sending side, and reads until the client closes its own.
async fn discard(mut stream: TcpStream) {
    // An error means that the client is gone; then reading ends at once.
    let _ = stream.shutdown().await;
    let mut rest = stream.take(MAX_DISCARDED_BYTES);
    let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
}

/// The response to an invalid request that the HTTP library writes itself, with the header that all responses have. It
/// is recognised as a bare head, which is shorter than any other.
fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > BARE_HEAD || !bytes.starts_with(b"HTTP/1.") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let is_bare = |line: &[u8]| line == b"content-length: 0\r";
    bytes.split(|it| *it == b'\n').any(is_bare).then(|| {
        let head = &bytes[..bytes.len() - 2];
        [head, b"x-content-type-options: nosniff\r\n\r\n"].concat()
    })
}

/// Waits for `limit`, or for the shorter limit once the server stops.
async fn stall_timeout(limit: Duration, mut stopped: watch::Receiver<bool>) {
    let is_stopped = async {
        drop(stopped.wait_for(|it| *it).await);
        sleep(SHUTDOWN_STALL_TIMEOUT).await;
    };
    tokio::select! {
        () = sleep(limit) => {}
        () = is_stopped => {}
    }
}

fn not_connected() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_response_has_the_length_that_it_declares() {
        let text = std::str::from_utf8(BUSY_RESPONSE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
    }
}
