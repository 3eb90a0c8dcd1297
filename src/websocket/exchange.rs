//! One message of a client and all that is said to it: in order, numbered, with exactly one end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::StatusCode;
use serde_json::value::RawValue;
use tracing::debug;

use super::sequence_number::{Part, add_sequence_number};
use crate::clock::Deadline;
use crate::context::request_log::RequestLog;
use crate::error::Error;
use crate::mcp::{self, Body, Endpoint, Event, McpResponse};
use crate::telemetry::{Outcome, PendingOutcome};

/// What is said to one message. It is made while it is asked for: whoever drops this ends the call behind it, and
/// writes its line in the log.
pub(super) struct Exchange {
    /// Of the request; none where the message is no request.
    id: Option<Box<RawValue>>,
    state: ExchangeState,
    sent: u64,
    limits: Limits,
    entry: RequestLog,
    outcome: Outcome,
    pending: PendingOutcome,
}

/// How much may be said.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one frame.
    pub(super) bytes: usize,
    /// When the end is said, whatever the call does.
    pub(super) end: Option<Deadline>,
}

/// One message to the client.
pub(super) struct Frame {
    pub(super) text: String,
    pub(super) part: Part,
}

enum ExchangeState {
    Asked(BoxFuture<'static, McpResponse>),
    Running(BoxStream<'static, Event>),
    Ended,
}

enum Step {
    McpResponse(McpResponse),
    Event(Event),
    End,
}

impl Exchange {
    /// Begins when its first frame is asked for.
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        id: Option<Box<RawValue>>,
        text: String,
        entry: RequestLog,
        limits: Limits,
    ) -> Exchange {
        let cx = entry.cx.clone();
        let reply = async move { endpoint.answer_frame(&text, &cx).await };
        Exchange {
            id,
            state: ExchangeState::Asked(reply.boxed()),
            sent: 0,
            limits,
            entry,
            outcome: Outcome::aborted(),
            pending: PendingOutcome::default(),
        }
    }

    /// The next frame. A request comes to its end even where its call is late, breaks off or says too much.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        while !matches!(self.state, ExchangeState::Ended) {
            let step = AssertUnwindSafe(self.state.step()).catch_unwind();
            let step = match self.limits.end {
                Some(end) => end.timeout(step).await,
                None => Some(step.await),
            };
            let frame = match step {
                Some(Ok(Step::McpResponse(reply))) => self.begin(reply),
                Some(Ok(Step::Event(Event::Message(message)))) => self.frame(&message),
                Some(Ok(Step::Event(Event::KeepAlive))) => None,
                Some(Ok(Step::End)) | Some(Err(_)) => {
                    self.fail(&Error::internal("the call broke off"))
                }
                None => self.fail(&Error::deadline_exceeded()),
            };
            if frame.is_some() {
                return frame;
            }
        }
        None
    }

    /// Ends with an error in the place of what was to be said; a message that is no request is not told.
    pub(super) fn fail(&mut self, error: &Error) -> Option<Frame> {
        self.state = ExchangeState::Ended;
        self.outcome.error = Some(error.kind().as_str());
        self.pending = PendingOutcome::default();
        let refusal = mcp::refusal(self.id.as_deref()?, error);
        self.sent += 1;
        Some(Frame::refusal(&refusal, self.sent))
    }

    /// Gives the number of the last frame, which nobody has got, to the next one.
    pub(super) fn unsay(&mut self) {
        self.sent -= 1;
    }

    /// Ends because the client cannot be told how the request ended.
    pub(super) fn undelivered(&mut self) {
        self.state = ExchangeState::Ended;
        self.outcome = Outcome {
            error: Some("undelivered"),
            ..self.pending.outcome().unwrap_or(&self.outcome).clone()
        };
        self.pending = PendingOutcome::default();
        self.entry.status = Some(StatusCode::BAD_GATEWAY.as_u16());
    }

    fn begin(&mut self, reply: McpResponse) -> Option<Frame> {
        self.entry.status = Some(reply.status.as_u16());
        self.outcome = reply.outcome;
        // What a stream ends with says less.
        self.entry.method = self.outcome.method.or(self.entry.method);
        self.state = match reply.body {
            Body::Empty => ExchangeState::Ended,
            Body::Json(message) => {
                ExchangeState::Running(stream::iter([Event::Message(message)]).boxed())
            }
            Body::Events(events, pending) => {
                self.pending = pending;
                ExchangeState::Running(events)
            }
        };
        None
    }

    fn frame(&mut self, message: &[u8]) -> Option<Frame> {
        let (text, part) = add_sequence_number(message, self.sent + 1, self.id.as_deref());
        let most = self.limits.bytes;
        if text.len() > most && part == Part::Notification {
            debug!(bytes = text.len(), most, "a notification was left out");
            return None;
        }
        if text.len() > most {
            return self.fail(&Error::answer_too_large(text.len(), most));
        }
        self.sent += 1;
        if part == Part::Response {
            self.state = ExchangeState::Ended;
        }
        Some(Frame { text, part })
    }
}

impl ExchangeState {
    async fn step(&mut self) -> Step {
        match self {
            ExchangeState::Asked(reply) => Step::McpResponse(reply.await),
            ExchangeState::Running(events) => events.next().await.map_or(Step::End, Step::Event),
            ExchangeState::Ended => Step::End,
        }
    }
}

impl Frame {
    /// An error that ends a request.
    pub(super) fn refusal(message: &[u8], number: u64) -> Frame {
        Frame {
            text: add_sequence_number(message, number, None).0,
            part: Part::Response,
        }
    }

    /// Whether it is the response, after which there is nothing.
    pub(super) fn is_last(&self) -> bool {
        self.part == Part::Response
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // What still runs ends first, so that the line has all of its cost.
        self.state = ExchangeState::Ended;
        let outcome = self.pending.outcome().unwrap_or(&self.outcome);
        self.entry.write(outcome);
    }
}
