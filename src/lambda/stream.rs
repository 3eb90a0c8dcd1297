//! A body as it leaves: piece by piece, ended in time and in good order whatever its producer does.
//!
//! Whoever reads the pieces runs the producer, so dropping them ends it. A producer that blocks its thread cannot be
//! ended by anything.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, Bytes, HttpBody};
use futures_util::FutureExt;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;

use super::failure::Failure;
use crate::deadline::Deadline;

/// How far the reader is.
enum Pieces {
    Running(Body),
    /// The client was told, and the platform is to be.
    Failed(Failure),
    Ended,
}

/// The pieces of `body`. What is not whole by `deadline`, breaks off or panics ends with a failure; a stream of events
/// tells it to the client too, as its last event.
pub(super) fn pieces(
    body: Body,
    deadline: Deadline,
    is_events: bool,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    stream::unfold(Pieces::Running(body), move |pieces| {
        pieces.next(deadline, is_events)
    })
}

impl Pieces {
    async fn next(
        self,
        deadline: Deadline,
        is_events: bool,
    ) -> Option<(Result<Bytes, Failure>, Pieces)> {
        let mut body = match self {
            Pieces::Running(body) => body,
            Pieces::Failed(failure) => return Some((Err(failure), Pieces::Ended)),
            Pieces::Ended => return None,
        };
        match piece(&mut body, deadline).await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Pieces::Running(body))),
            Err(failure) if is_events => Some((Ok(event(&failure)), Pieces::Failed(failure))),
            Err(failure) => Some((Err(failure), Pieces::Ended)),
        }
    }
}

/// The next piece, if there is one.
async fn piece(body: &mut Body, deadline: Deadline) -> Result<Option<Bytes>, Failure> {
    // A producer that always has something ready would never let a timer come to its turn.
    let is_whole = body.size_hint().exact().is_some();
    if deadline.remaining().is_zero() && !is_whole {
        return Err(Failure::deadline_exceeded());
    }
    let frame = AssertUnwindSafe(body.frame()).catch_unwind();
    match deadline.timeout(frame).await {
        None => Err(Failure::deadline_exceeded()),
        Some(Err(_)) => Err(Failure::panicked()),
        Some(Ok(None)) => Ok(None),
        Some(Ok(Some(Err(_)))) => Err(Failure::broken()),
        // The platform has no use for a body's own trailers.
        Some(Ok(Some(Ok(frame)))) => Ok(Some(frame.into_data().unwrap_or_default())),
    }
}

/// The last event of a stream that cannot go on.
fn event(failure: &Failure) -> Bytes {
    let json = serde_json::to_string(failure).unwrap_or_default();
    format!("event: error\ndata: {json}\n\n").into()
}
