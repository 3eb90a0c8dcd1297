//! A WebSocket on a local socket: several requests run at a time, until either side closes.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::future::AbortHandle;
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt, abortable};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite;

use super::entry;
use super::exchange::{Exchange, Frame, Limits};
use super::heartbeat::{BEAT, Heartbeat};
use crate::context::Context;
use crate::error::Error;
use crate::http::buffers::{Full, Intake};
use crate::mcp::{self, CurrentEndpoint, Outgoing, same};

/// The number of requests that run at the same time.
const MOST_RUNNING: usize = 16;

/// The number of messages of any kind that are answered at the same time; further ones are not read until one is done.
const MOST_OPEN: usize = 64;

/// Messages up to this multiple of the maximum are read, so that they can be refused with a protocol error; larger ones
/// close the connection.
const TOLERANCE: usize = 4;

/// An open connection. Dropping it cancels all its calls.
pub(super) struct Socket {
    socket: WebSocket,
    endpoint: CurrentEndpoint,
    cx: Context,
    /// The running calls, by the id of their request.
    running: HashMap<String, AbortHandle>,
    exchanges: SelectAll<BoxStream<'static, (Option<String>, Frame)>>,
    heartbeat: Heartbeat,
    /// The bytes of the next message that were read so far.
    intake: Intake,
    is_closing: bool,
}

/// The bytes before the data of a client's ping or pong (RFC 6455, section 5.2).
const CONTROL_HEAD: usize = 6;

/// The error for a message that does not fit into the buffers.
const NO_ROOM: &str = "too many requests are being read: send this one again in a moment";

/// Whether the connection stays open.
type Flow = ControlFlow<()>;

/// The bytes of the largest message that is read, for a maximum of `most` bytes.
pub(super) fn readable(most: usize) -> usize {
    most.saturating_mul(TOLERANCE)
}

impl Socket {
    pub(super) fn new(
        socket: WebSocket,
        endpoint: CurrentEndpoint,
        cx: Context,
        intake: Intake,
    ) -> Socket {
        Socket {
            socket,
            endpoint,
            cx,
            running: HashMap::new(),
            exchanges: SelectAll::new(),
            heartbeat: Heartbeat::default(),
            intake,
            is_closing: false,
        }
    }

    /// Serves until the client closes or disconnects, or until `closing` has begun and all calls have ended.
    pub(super) async fn serve(mut self, mut closing: watch::Receiver<Option<Instant>>) {
        let mut beats = interval_at(Instant::now() + BEAT, BEAT);
        loop {
            let is_open = self.exchanges.len() < MOST_OPEN;
            let flow = tokio::select! {
                Some((id, frame)) = self.exchanges.next() => self.tell(id, frame).await,
                message = self.socket.recv(), if is_open => self.hear(message).await,
                _ = beats.tick() => self.beat().await,
                () = asked_to_close(&mut closing), if !self.is_closing => {
                    self.is_closing = true;
                    Flow::Continue(())
                }
            };
            if flow.is_break() {
                return;
            }
            if self.is_closing && self.running.is_empty() {
                self.close(close_code::AWAY, "the server is stopping").await;
                return;
            }
        }
    }

    async fn tell(&mut self, id: Option<String>, frame: Frame) -> Flow {
        if let Some(id) = id.filter(|_| frame.is_last()) {
            self.running.remove(&id);
        }
        let flow = self.send(Message::text(frame.text)).await;
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
                let problem = "a frame is text; this one was binary";
                self.refuse(&mcp::unreadable(problem)).await
            }
            // Reading stops until the pong is sent, so that a client that does not read cannot make pongs accumulate.
            Some(Ok(Message::Ping(_))) => patiently(self.socket.flush()).await,
            Some(Ok(Message::Pong(_))) => Flow::Continue(()),
            Some(Ok(Message::Close(_))) => {
                // After the close frame is acknowledged, the next read is the end of the stream.
                self.exchanges.clear();
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
        let (bytes, most) = (text.len(), self.cx.config().max_request_bytes);
        if bytes > most {
            let problem = format!("the frame has {bytes} bytes, and may have {most}");
            return self.refuse(&mcp::unreadable(problem)).await;
        }
        let text = mcp::without_mark(text);
        match mcp::Frame::read(text) {
            mcp::Frame::Cancellation(id) => {
                if let Some(call) = self.running.remove(&same(&id)) {
                    call.abort();
                }
                Flow::Continue(())
            }
            frame => match frame.id().map(ToOwned::to_owned) {
                Some(id) => self.request(&id, frame, bytes).await,
                None => match self.start(frame, bytes) {
                    Ok(()) => Flow::Continue(()),
                    Err(Full) => self.refuse(&mcp::unreadable(NO_ROOM)).await,
                },
            },
        }
    }

    async fn request(&mut self, id: &RawValue, frame: mcp::Frame, bytes: usize) -> Flow {
        if self.running.contains_key(&same(id)) {
            // An error with this id would be taken for the response of the running request.
            let problem = format!("the request {id} still runs: give each an id of its own");
            return self.refuse(&mcp::unreadable(problem)).await;
        }
        let busy = if self.is_closing {
            "the server is stopping: connect again".to_owned()
        } else if self.running.len() == MOST_RUNNING {
            format!("{MOST_RUNNING} requests run on this connection, as many as may: wait for one")
        } else {
            match self.start(frame, bytes) {
                Ok(()) => return Flow::Continue(()),
                Err(Full) => NO_ROOM.to_owned(),
            }
        };
        let refusal = mcp::refusal(id, &Error::busy(busy));
        self.refuse(&refusal).await
    }

    /// Starts to answer a message.
    ///
    /// # Errors
    /// The message does not fit into the buffers.
    fn start(&mut self, frame: mcp::Frame, bytes: usize) -> Result<(), Full> {
        let mut held = self.cx.buffers().hold();
        held.grow(bytes)?;
        let key = frame.id().map(same);
        let limits = Limits {
            bytes: usize::MAX,
            end: None,
        };
        let (endpoint, entry) = (
            (self.endpoint)(),
            entry(&self.cx.for_new_request(), frame.function_method()),
        );
        let exchange = Exchange::new(endpoint, frame, entry, limits);
        // The message counts against the buffers until it is answered.
        let frames = stream::unfold((exchange, held), async |(mut exchange, held)| {
            let frame = exchange.next().await?;
            Some((frame, (exchange, held)))
        });
        let (frames, handle) = abortable(frames);
        let name = key.clone();
        self.exchanges
            .push(frames.map(move |frame| (name.clone(), frame)).boxed());
        self.running.extend(key.map(|key| (key, handle)));
        Ok(())
    }

    /// Answers without a call.
    async fn refuse(&mut self, message: &Outgoing) -> Flow {
        let frame = Frame::refusal(message, 1);
        self.send(Message::text(frame.text)).await
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
