//! A request's entry in the log: one line, written when its answer is whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::stream::{Stream, StreamExt};
use tokio::time::Instant;

use crate::context::Call;
use crate::telemetry::{Line, Outcome, Pending};

/// What the line of one request is made of.
pub struct Entry {
    /// `mcp`, `rest`, `ws` or `site`.
    pub face: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// When the request came.
    pub since: Instant,
    /// What it cost, and its id.
    pub call: Arc<Call>,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
}

/// A body that is written while its call runs. Its line is written when it is dropped: at its end, or when the client
/// is gone.
struct Followed {
    body: BodyDataStream,
    entry: Entry,
    given_up: Outcome,
    pending: Pending,
}

impl Entry {
    /// The line as it would be now.
    pub fn line<'a>(&'a self, outcome: &'a Outcome) -> Line<'a> {
        Line {
            face: self.face,
            outcome,
            status: self.status,
            duration: self.since.elapsed(),
            upstream_calls: self.call.meter.calls(),
            upstream_time: self.call.meter.time(),
            request_id: &self.call.id,
            cold_start: self.cold_start,
            is_partial: self.call.meter.is_partial(),
        }
    }

    /// The same body, which writes the line when it is whole, or else that it was given up.
    pub fn follow(self, body: Body, given_up: Outcome, pending: Pending) -> Body {
        Body::from_stream(Followed {
            body: body.into_data_stream(),
            entry: self,
            given_up,
            pending,
        })
    }
}

impl Stream for Followed {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.body.poll_next_unpin(cx)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        // What still runs ends first, so that the line has all of its cost.
        self.body = Body::empty().into_data_stream();
        let outcome = self.pending.outcome().unwrap_or(&self.given_up);
        self.entry.line(outcome).write();
    }
}
