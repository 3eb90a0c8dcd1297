//! One message of a client and all frames that answer it: in order, numbered, with exactly one end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::StatusCode;
use serde_json::value::RawValue;
use tracing::debug;

use super::sequence_number::numbered;
use crate::clock::Deadline;
use crate::context::request_log::RequestLog;
use crate::error::Error;
use crate::mcp::{self, Body, Endpoint, Event, McpResponse, Outgoing, Part};
use crate::telemetry::{Outcome, PendingOutcome};

/// The frames that answer one message. They are made while they are asked for: dropping this ends the call behind them,
/// and writes its line in the log.
pub(super) struct Exchange {
    /// The id of the request; `None` where the message is not one.
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
    Response(McpResponse),
    Event(Event),
    End,
}

impl Exchange {
    /// Begins when its first frame is asked for.
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        frame: mcp::Frame,
        entry: RequestLog,
        limits: Limits,
    ) -> Exchange {
        let cx = entry.cx.clone();
        let id = frame.id().map(ToOwned::to_owned);
        let response = async move { endpoint.answer_read_frame(frame, &cx).await };
        Exchange {
            id,
            state: ExchangeState::Asked(response.boxed()),
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
                Some(Ok(Step::Response(response))) => self.begin(response),
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

    /// Ends with an error in the place of the response; a message that is not a request gets none.
    pub(super) fn fail(&mut self, error: &Error) -> Option<Frame> {
        self.state = ExchangeState::Ended;
        self.outcome.error = Some(error.kind().as_str());
        self.pending = PendingOutcome::default();
        let refusal = mcp::refusal(self.id.as_deref()?, error);
        self.sent += 1;
        Some(Frame::refusal(&refusal, self.sent))
    }

    /// Gives the number of the last frame, which did not arrive, to the next one.
    pub(super) fn unsay(&mut self) {
        self.sent -= 1;
    }

    /// Ends because the response cannot be delivered.
    pub(super) fn undelivered(&mut self) {
        self.state = ExchangeState::Ended;
        self.outcome = Outcome {
            error: Some("undelivered"),
            ..self.pending.outcome().unwrap_or(&self.outcome).clone()
        };
        self.pending = PendingOutcome::default();
        self.entry.status = Some(StatusCode::BAD_GATEWAY.as_u16());
    }

    fn begin(&mut self, response: McpResponse) -> Option<Frame> {
        self.entry.status = Some(response.status.as_u16());
        self.outcome = response.outcome;
        // What a stream ends with says less.
        self.entry.method = self.outcome.method.or(self.entry.method);
        self.state = match response.body {
            // A batch is refused, so there is no answer to one.
            Body::Empty | Body::Batch(_) => ExchangeState::Ended,
            Body::Message(message) => {
                ExchangeState::Running(stream::iter([Event::Message(message)]).boxed())
            }
            Body::Events(events, pending) => {
                self.pending = pending;
                ExchangeState::Running(events)
            }
        };
        None
    }

    fn frame(&mut self, message: &Outgoing) -> Option<Frame> {
        let part = message.part();
        let text = numbered(message, self.sent + 1, self.id.as_deref());
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
            ExchangeState::Asked(response) => Step::Response(response.await),
            ExchangeState::Running(events) => events.next().await.map_or(Step::End, Step::Event),
            ExchangeState::Ended => Step::End,
        }
    }
}

impl Frame {
    /// An error that ends a request.
    pub(super) fn refusal(message: &Outgoing, number: u64) -> Frame {
        Frame {
            text: numbered(message, number, None),
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
