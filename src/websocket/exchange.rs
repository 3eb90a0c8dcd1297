//! One message of a client, and the frames that answer it: in order, numbered, with exactly one final frame.

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

/// The frames that answer one message, produced on demand. Dropping it cancels the call and writes its access line.
pub(super) struct Exchange {
    /// The id of the request; `None` if the message is not a request.
    id: Option<Box<RawValue>>,
    state: ExchangeState,
    sent: u64,
    limits: Limits,
    entry: RequestLog,
    outcome: Outcome,
    pending: PendingOutcome,
}

/// The limits of an exchange.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The maximum bytes of one frame.
    pub(super) bytes: usize,
    /// When the final frame is due, even if the call still runs.
    pub(super) end: Option<Deadline>,
    /// Whether each frame carries its sequence number.
    pub(super) is_numbered: bool,
}

/// One frame to the client.
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
    /// Starts the call when the first frame is requested.
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

    /// The next frame. Every request gets a final frame, even if its call is late, panics or exceeds a limit.
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

    /// Ends with an error instead of the response; a message that is not a request gets none.
    pub(super) fn fail(&mut self, error: &Error) -> Option<Frame> {
        self.state = ExchangeState::Ended;
        self.outcome.error = Some(error.kind().as_str());
        self.pending = PendingOutcome::default();
        let refusal = mcp::refusal(self.id.as_deref()?, error);
        self.sent += 1;
        let text = self.encode(&refusal, self.sent);
        Some(Frame {
            text,
            part: Part::Response,
        })
    }

    /// Reuses the number of the last frame, which was not delivered, for the next one.
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
        // The outcome of a stream has less detail.
        self.entry.method = self.outcome.method.or(self.entry.method);
        self.state = match response.body {
            // Batches are refused, so no response is a batch.
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

    fn encode(&self, message: &Outgoing, number: u64) -> String {
        match self.limits.is_numbered {
            true => numbered(message, number, self.id.as_deref()),
            false => message.text(),
        }
    }

    fn frame(&mut self, message: &Outgoing) -> Option<Frame> {
        let part = message.part();
        let text = self.encode(message, self.sent + 1);
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
    /// An error response, the final frame of a request.
    pub(super) fn refusal(message: &Outgoing, number: u64) -> Frame {
        Frame {
            text: numbered(message, number, None),
            part: Part::Response,
        }
    }

    /// Whether this is the response, the final frame.
    pub(super) fn is_last(&self) -> bool {
        self.part == Part::Response
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // The call is dropped first, so that the access line includes all of its cost.
        self.state = ExchangeState::Ended;
        let outcome = self.pending.outcome().unwrap_or(&self.outcome);
        self.entry.write(outcome);
    }
}
