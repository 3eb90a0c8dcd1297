//! The socket of one connection: it bounds what is read of a head or a message, how long a write may stand still, and
//! ends in stages, so that an answer is read even where the request was not.

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

/// How long a client may take nothing of what is written to it.
const STALL: Duration = Duration::from_secs(30);

/// How long it may do so once the server is to stop.
const MOMENT: Duration = Duration::from_secs(1);

/// How much of a request is read on and thrown away after its answer, and for how long.
const DISCARDED_BYTES: u64 = 32 << 20;
const DISCARDING: Duration = Duration::from_secs(30);

/// The bytes of the longest head that the HTTP library writes on its own; every other has an id and a time more.
const BARE_HEAD: usize = 160;

/// The answer to a head for which there is no room; the request is not known yet.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
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
    /// None once it is dropped.
    stream: Option<TcpStream>,
    state: Arc<State>,
    /// Ready when the client has taken nothing for too long; none while it takes what is written.
    stall: Option<BoxFuture<'static, ()>>,
    stopped: watch::Receiver<bool>,
    /// Its place among the connections, where it has one.
    seat: Option<OwnedSemaphorePermit>,
}

/// What a connection knows of its request, and its request of the connection.
pub(super) struct State {
    /// What is read while no body is.
    pub(super) intake: Intake,
    /// Whether the client may still be sending when the answer is complete.
    pub(super) is_unread: AtomicBool,
    /// Whether it has become a WebSocket.
    pub(super) is_upgraded: AtomicBool,
}

impl State {
    pub(super) fn new(intake: Intake) -> State {
        State {
            intake,
            is_unread: AtomicBool::new(false),
            is_upgraded: AtomicBool::new(false),
        }
    }
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        state: Arc<State>,
        stopped: watch::Receiver<bool>,
        seat: Option<OwnedSemaphorePermit>,
    ) -> Socket {
        Socket {
            stream: Some(stream),
            state,
            stall: None,
            stopped,
            seat,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut();
        stream.map(Pin::new).ok_or_else(gone)
    }

    /// What came of a write; where nothing was taken, the client has so long to take something.
    fn written<T>(
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
            .get_or_insert_with(|| patience(STALL, stopped.clone()).boxed());
        ready!(stall.poll_unpin(cx));
        debug!("a client reads nothing of what is written to it");
        // What the system still has for it is thrown away with the connection.
        if let Some(stream) = self.stream.take() {
            let _ = stream.set_zero_linger();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Refuses to read on. Nothing else is being written: a head comes before any answer to it.
    fn refuse(&self) -> io::Error {
        debug!("there is no room for what a client sends");
        self.state.is_unread.store(true, Ordering::Relaxed);
        if let Some(stream) = &self.stream
            && !self.state.is_upgraded.load(Ordering::Relaxed)
        {
            // A head that is refused was not answered, so the system has room for this.
            let _ = stream.try_write(BUSY);
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
        self.written(poll, cx)
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
        self.written(poll, cx)
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
    /// A connection that is closed while its client sends is reset, and the answer is lost with it (RFC 9112, section
    /// 9.6): what still comes is read first.
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
            let seat = self.seat.take();
            // A server that stops does not wait for it.
            runtime.spawn(async move {
                drop(timeout(DISCARDING, discard(stream)).await);
                drop(seat);
            });
        }
    }
}

/// Says that nothing more is written, and reads until the client says the same.
async fn discard(mut stream: TcpStream) {
    // The client may be gone, which ends it too.
    let _ = stream.shutdown().await;
    let mut rest = stream.take(DISCARDED_BYTES);
    let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
}

/// The answer with the header that all answers have, where it is one of the HTTP library to what is no request: a bare
/// head, shorter than any other.
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

/// Ready after that time, or a moment after the server is to stop.
async fn patience(limit: Duration, mut stopped: watch::Receiver<bool>) {
    let is_stopped = async {
        drop(stopped.wait_for(|it| *it).await);
        sleep(MOMENT).await;
    };
    tokio::select! {
        () = sleep(limit) => {}
        () = is_stopped => {}
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_without_a_request_is_as_long_as_it_says() {
        let text = std::str::from_utf8(BUSY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
    }
}
