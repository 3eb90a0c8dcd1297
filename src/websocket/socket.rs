//! A WebSocket on a local socket: several requests run at a time, until either side closes.

use std::io;
use std::ops::ControlFlow;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite;

use super::heartbeat::{BEAT, Heartbeat};
use super::session::Session;
use crate::http::buffers::Intake;

/// Messages up to this multiple of the maximum are read, so that they can be refused with a protocol error; larger ones
/// close the connection.
const TOLERANCE: usize = 4;

/// An open connection. Dropping it cancels all its calls.
pub(super) struct Socket {
    socket: WebSocket,
    session: Session,
    heartbeat: Heartbeat,
    /// The bytes of the next message that were read so far.
    intake: Intake,
}

/// The bytes before the data of a client's ping or pong (RFC 6455, section 5.2).
const CONTROL_HEAD: usize = 6;

/// Whether the connection stays open.
type Flow = ControlFlow<()>;

/// The bytes of the largest message that is read, for a maximum of `most` bytes.
pub(super) fn readable(most: usize) -> usize {
    most.saturating_mul(TOLERANCE)
}

impl Socket {
    pub(super) fn new(socket: WebSocket, session: Session, intake: Intake) -> Socket {
        Socket {
            socket,
            session,
            heartbeat: Heartbeat::default(),
            intake,
        }
    }

    /// Serves until the client closes or disconnects, or until `closing` has begun and all calls have ended.
    pub(super) async fn serve(mut self, mut closing: watch::Receiver<Option<Instant>>) {
        let mut beats = interval_at(Instant::now() + BEAT, BEAT);
        loop {
            let is_open = self.session.is_open();
            let is_closing = self.session.is_closing();
            let flow = tokio::select! {
                Some(text) = self.session.next() => self.tell(text).await,
                message = self.socket.recv(), if is_open => self.hear(message).await,
                _ = beats.tick() => self.beat().await,
                () = asked_to_close(&mut closing), if !is_closing => {
                    self.session.close();
                    Flow::Continue(())
                }
            };
            if flow.is_break() {
                return;
            }
            if self.session.has_ended() {
                self.close(close_code::AWAY, "the server is stopping").await;
                return;
            }
        }
    }

    async fn tell(&mut self, text: String) -> Flow {
        let flow = self.send(Message::text(text)).await;
        // Without a pause, one connection with many messages could block the thread.
        yield_now().await;
        flow
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Flow {
        self.heartbeat.heard();
        if let Some(Ok(message)) = &message {
            self.count(message);
        }
        match message {
            Some(Ok(Message::Text(text))) => self.read(text.as_str()).await,
            Some(Ok(Message::Binary(_))) => {
                let refusal = self.session.refusal("a frame is text; this one was binary");
                self.send(Message::text(refusal)).await
            }
            // Reading stops until the pong is sent, so that a client that does not read cannot make pongs accumulate.
            Some(Ok(Message::Ping(_))) => patiently(self.socket.flush()).await,
            Some(Ok(Message::Pong(_))) => Flow::Continue(()),
            Some(Ok(Message::Close(_))) => {
                // After the close frame is acknowledged, the next read is the end of the stream.
                self.session.cancel_all();
                let _ = timeout(BEAT, self.socket.recv()).await;
                Flow::Break(())
            }
            Some(Err(error)) => {
                let (code, reason) = reproach(error);
                self.close(code, reason).await;
                Flow::Break(())
            }
            None => Flow::Break(()),
        }
    }

    /// The message is held elsewhere now. A ping or pong may arrive between two parts of a message.
    fn count(&self, message: &Message) {
        match message {
            Message::Ping(data) | Message::Pong(data) => {
                self.intake.skip(CONTROL_HEAD + data.len());
            }
            Message::Text(_) | Message::Binary(_) | Message::Close(_) => self.intake.settle(),
        }
    }

    async fn read(&mut self, text: &str) -> Flow {
        match self.session.read(text) {
            Some(refusal) => self.send(Message::text(refusal)).await,
            None => Flow::Continue(()),
        }
    }

    async fn beat(&mut self) -> Flow {
        match self.heartbeat.beat() {
            true => self.send(Message::Ping(Bytes::new())).await,
            false => Flow::Break(()),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let reason = reason.into();
        let _ = self
            .send(Message::Close(Some(CloseFrame { code, reason })))
            .await;
    }

    /// Sends one message. A client that does not read it in time counts as disconnected.
    async fn send(&mut self, message: Message) -> Flow {
        patiently(self.socket.send(message)).await
    }
}

/// Completes when the message is written, within the time limit for a client.
async fn patiently(written: impl Future<Output = Result<(), axum::Error>>) -> Flow {
    match timeout(BEAT, written).await {
        Ok(Ok(())) => Flow::Continue(()),
        Ok(Err(_)) | Err(_) => Flow::Break(()),
    }
}

/// Completes when the connection is to be closed, or its application is dropped.
async fn asked_to_close(closing: &mut watch::Receiver<Option<Instant>>) {
    drop(closing.wait_for(Option::is_some).await);
}

/// The close frame for a connection that sent something other than WebSocket messages, or a far too large one.
fn reproach(error: axum::Error) -> (u16, &'static str) {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => (close_code::SIZE, "the message is too large"),
        Some(tungstenite::Error::Utf8(_)) => (close_code::INVALID, "a text is not UTF-8"),
        Some(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::OutOfMemory => {
            (close_code::AGAIN, "the server is busy: connect again")
        }
        _ => (close_code::PROTOCOL, "this is no WebSocket message"),
    }
}
