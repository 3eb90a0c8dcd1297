//! A body as it leaves: piece by piece, ended in time and in good order whatever its producer does.
//!
//! Whoever reads the pieces runs the producer, so dropping them ends it. A producer that blocks its thread cannot be
//! ended by anything.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, Bytes, HttpBody};
use futures_util::FutureExt;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use tokio::time::sleep_until;

use crate::clock::Deadline;
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::stop::{Step, Stop};

/// When what is not whole is given up.
#[derive(Clone)]
pub(crate) struct End {
    deadline: Deadline,
    stop: Stop,
}

/// How far the reader is.
enum Pieces {
    Running(Body, End),
    /// The client was told, and the platform is to be.
    Failed(Failure),
    Ended,
}

/// The pieces of `body`. What is not whole at its `end`, breaks off or panics ends with a failure; a stream of events
/// tells it to the client too, as its last event.
pub(crate) fn pieces(
    body: Body,
    end: End,
    is_events: bool,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    stream::unfold(Pieces::Running(body, end), move |pieces| {
        pieces.next(is_events)
    })
}

impl End {
    /// At the deadline, or when the process stops.
    pub(crate) fn new(deadline: Deadline, stop: Stop) -> End {
        End { deadline, stop }
    }

    /// Runs `future` until then.
    ///
    /// # Errors
    /// Which of the two came first.
    async fn timeout<F: Future>(&mut self, future: F) -> Result<F::Output, Failure> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = self.stop.reached(Step::Ending) => Err(Failure::stopped()),
            () = sleep_until(self.deadline.instant()) => Err(Failure::deadline_exceeded()),
        }
    }
}

impl Pieces {
    async fn next(self, is_events: bool) -> Option<(Result<Bytes, Failure>, Pieces)> {
        let (mut body, mut end) = match self {
            Pieces::Running(body, end) => (body, end),
            Pieces::Failed(failure) => return Some((Err(failure), Pieces::Ended)),
            Pieces::Ended => return None,
        };
        match piece(&mut body, &mut end).await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Pieces::Running(body, end))),
            Err(failure) if is_events => Some((Ok(event(&failure)), Pieces::Failed(failure))),
            Err(failure) => Some((Err(failure), Pieces::Ended)),
        }
    }
}

/// The next piece, if there is one.
async fn piece(body: &mut Body, end: &mut End) -> Result<Option<Bytes>, Failure> {
    // A producer that always has something ready would never let a timer or the stop come to its turn.
    let is_whole = body.size_hint().exact().is_some();
    if end.deadline.remaining().is_zero() && !is_whole {
        return Err(Failure::deadline_exceeded());
    }
    if end.stop.is_at(Step::Ending) && !is_whole {
        return Err(Failure::stopped());
    }
    let frame = AssertUnwindSafe(body.frame()).catch_unwind();
    match end.timeout(frame).await? {
        Err(_) => Err(Failure::panicked()),
        Ok(None) => Ok(None),
        Ok(Some(Err(_))) => Err(Failure::broken()),
        // The platform has no use for a body's own trailers.
        Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
    }
}

/// The last event of a stream that cannot go on.
fn event(failure: &Failure) -> Bytes {
    let json = serde_json::to_string(failure).unwrap_or_default();
    format!("event: error\ndata: {json}\n\n").into()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::StreamExt;
    use tokio::time::Instant;

    use super::*;
    use crate::lambda::runtime::stop::Stopper;

    /// All pieces as text, the failure's kind as the last of them.
    async fn read(body: Body, left: u64, is_events: bool) -> Vec<String> {
        let deadline = Deadline::after(Duration::from_millis(left));
        let end = End::new(deadline, Stop::never());
        let pieces = pieces(body, end, is_events).map(|piece| match piece {
            Ok(piece) => String::from_utf8(piece.into()).unwrap(),
            Err(failure) => failure.kind().to_owned(),
        });
        pieces.collect().await
    }

    fn body<E: Into<axum::BoxError> + 'static>(
        stream: impl Stream<Item = Result<&'static str, E>> + Send + 'static,
    ) -> Body {
        Body::from_stream(stream)
    }

    fn once() -> impl Stream<Item = Result<&'static str, Infallible>> {
        stream::iter([Ok("a")])
    }

    #[tokio::test(start_paused = true)]
    async fn a_producer_that_says_nothing_more_is_cut_in_time() {
        let since = Instant::now();
        let silent = body(once().chain(stream::pending()));
        assert_eq!(read(silent, 1_000, false).await, ["a", "DeadlineExceeded"]);
        assert!((1_000..=1_001).contains(&since.elapsed().as_millis()));
        let mute = body(stream::pending::<Result<_, Infallible>>());
        assert_eq!(read(mute, 1_000, false).await, ["DeadlineExceeded"]);
    }

    #[tokio::test]
    async fn a_producer_that_never_waits_is_cut_in_time() {
        let busy = stream::repeat("a").map(Ok::<_, Infallible>);
        let pieces = read(body(busy), 5, false).await;
        assert_eq!(pieces.last().unwrap(), "DeadlineExceeded");
    }

    #[tokio::test]
    async fn a_producer_that_never_waits_is_cut_when_the_process_stops() {
        let stopper = Stopper::new();
        let far = Deadline::after(Duration::from_secs(60));
        let busy = body(stream::repeat("a").map(Ok::<_, Infallible>));
        let mut pieces = pin!(pieces(busy, End::new(far, stopper.stop()), false));
        assert!(pieces.next().await.unwrap().is_ok());
        stopper.reach(Step::Ending);
        assert_eq!(pieces.next().await.unwrap().unwrap_err().kind(), "Stopped");
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn what_breaks_off_or_panics_has_not_ended_well() {
        let broken = once().map(|it| it.map_err(|_| io::Error::other("secret")));
        let broken = broken.chain(stream::iter([Err(io::Error::other("secret"))]));
        assert_eq!(
            read(body(broken), 1_000, false).await,
            ["a", "BrokenAnswer"]
        );
        let panics = once().chain(stream::once(async { panic!("secret") }));
        assert_eq!(read(body(panics), 1_000, false).await, ["a", "Panic"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_of_events_says_so_in_its_last_event() {
        let silent = body(once().chain(stream::pending()));
        let pieces = read(silent, 1_000, true).await;
        let event = pieces[1].strip_prefix("event: error\ndata: ").unwrap();
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["errorType"], "DeadlineExceeded");
        assert_eq!(pieces[2..], ["DeadlineExceeded"]);
    }

    #[tokio::test]
    async fn what_is_whole_is_never_late() {
        assert_eq!(read(Body::from("a"), 0, false).await, ["a"]);
        assert_eq!(read(Body::empty(), 0, false).await, [""; 0]);
    }
}
