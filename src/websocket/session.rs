//! The requests of one connection, on whatever carries its messages: several run at a time, each with one response.

use std::collections::HashMap;

use futures_util::future::AbortHandle;
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt, abortable};
use serde_json::value::RawValue;

use super::entry_of;
use super::exchange::{Exchange, Frame, Limits};
use crate::context::Context;
use crate::error::Error;
use crate::http::buffers::Full;
use crate::mcp::{self, CurrentEndpoint, Outgoing, same};

/// The number of messages of any kind that are answered at the same time; further ones are not read until one is done.
const MOST_OPEN: usize = 64;

/// The error for a message that does not fit into the buffers.
const NO_ROOM: &str = "too many requests are being read: send this one again in a moment";

/// What carries the messages of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Frames of a WebSocket, which are numbered.
    WebSocket,
    /// Lines of standard input and output.
    Stdio,
}

/// The open requests of a connection. Dropping it cancels all its calls.
pub(crate) struct Session {
    carrier: Carrier,
    endpoint: CurrentEndpoint,
    cx: Context,
    /// The running calls, by the id of their request.
    running: HashMap<String, AbortHandle>,
    exchanges: SelectAll<BoxStream<'static, (Option<String>, Frame)>>,
    is_closing: bool,
}

impl Carrier {
    /// The protocol in the log.
    fn protocol(self) -> &'static str {
        match self {
            Carrier::WebSocket => "ws",
            Carrier::Stdio => "stdio",
        }
    }

    /// The number of requests that run at the same time. What comes by lines waits instead of being refused.
    fn most_running(self) -> usize {
        match self {
            Carrier::WebSocket => 16,
            Carrier::Stdio => MOST_OPEN,
        }
    }

    /// What one message is called.
    fn unit(self) -> &'static str {
        match self {
            Carrier::WebSocket => "frame",
            Carrier::Stdio => "line",
        }
    }
}

impl Session {
    /// A session without requests.
    pub(super) fn new(carrier: Carrier, endpoint: CurrentEndpoint, cx: Context) -> Session {
        Session {
            carrier,
            endpoint,
            cx,
            running: HashMap::new(),
            exchanges: SelectAll::new(),
            is_closing: false,
        }
    }

    /// Whether another message may be read.
    pub(crate) fn is_open(&self) -> bool {
        self.exchanges.len() < MOST_OPEN
    }

    /// Refuses further requests.
    pub(crate) fn close(&mut self) {
        self.is_closing = true;
    }

    /// Whether it is closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Whether it is closed and all its calls have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.is_closing && self.running.is_empty()
    }

    /// Cancels all calls.
    pub(super) fn cancel_all(&mut self) {
        self.exchanges.clear();
    }

    /// The next message to the client; `None` while nothing is open.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let (id, frame) = self.exchanges.next().await?;
        if let Some(id) = id.filter(|_| frame.is_last()) {
            self.running.remove(&id);
        }
        Some(frame.text)
    }

    /// Takes a message of the client. What is returned must be sent: a refusal.
    pub(crate) fn read(&mut self, text: &str) -> Option<String> {
        let (bytes, most) = (text.len(), self.cx.config().max_request_bytes);
        if bytes > most {
            let unit = self.carrier.unit();
            return Some(
                self.refusal(format!("the {unit} has {bytes} bytes, and may have {most}")),
            );
        }
        match mcp::Frame::read(mcp::without_mark(text)) {
            mcp::Frame::Cancellation(id) => {
                if let Some(call) = self.running.remove(&same(&id)) {
                    call.abort();
                }
                None
            }
            frame => match frame.id().map(ToOwned::to_owned) {
                Some(id) => self.request(&id, frame, bytes),
                None => match self.start(frame, bytes) {
                    Ok(()) => None,
                    Err(Full) => Some(self.refusal(NO_ROOM)),
                },
            },
        }
    }

    /// The error for something that is not a message.
    pub(crate) fn refusal(&self, problem: impl Into<String>) -> String {
        self.encode(&mcp::unreadable(problem))
    }

    fn request(&mut self, id: &RawValue, frame: mcp::Frame, bytes: usize) -> Option<String> {
        if self.running.contains_key(&same(id)) {
            // An error with this id would be taken for the response of the running request.
            let problem = format!("the request {id} still runs: give each an id of its own");
            return Some(self.refusal(problem));
        }
        let most = self.carrier.most_running();
        let busy = if self.is_closing {
            "the server is stopping: connect again".to_owned()
        } else if self.running.len() == most {
            format!("{most} requests run on this connection, as many as may: wait for one")
        } else {
            match self.start(frame, bytes) {
                Ok(()) => return None,
                Err(Full) => NO_ROOM.to_owned(),
            }
        };
        Some(self.encode(&mcp::refusal(id, &Error::busy(busy))))
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
            is_numbered: self.carrier == Carrier::WebSocket,
        };
        let cx = self.cx.for_new_request();
        let entry = entry_of(self.carrier.protocol(), &cx, frame.function_method());
        let exchange = Exchange::new((self.endpoint)(), frame, entry, limits);
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

    fn encode(&self, message: &Outgoing) -> String {
        match self.carrier {
            Carrier::WebSocket => Frame::refusal(message, 1).text,
            Carrier::Stdio => message.text(),
        }
    }
}
