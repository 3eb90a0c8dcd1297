//! Reads a response body chunk by chunk, and ends it in time and in good order whatever its producer does.
//!
//! Reading the chunks runs the producer, and dropping them ends it. A producer that blocks its thread cannot be ended.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, Bytes, HttpBody};
use futures_util::FutureExt;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use tokio::time::sleep_until;

use crate::clock::Deadline;
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::shutdown::{Phase, Shutdown};

/// When an incomplete body is given up: at the deadline, or when the process shuts down.
#[derive(Clone)]
pub(crate) struct Cutoff {
    deadline: Deadline,
    shutdown: Shutdown,
}

/// The state of the reader.
enum Chunks {
    Running(Body, Cutoff),
    /// The client has the failure; the platform must get it next.
    Failed(Failure),
    Ended,
}

/// The chunks of `body`. A body that is incomplete at the cutoff, breaks off or panics ends with a failure; an event
/// stream also sends the failure to the client, as its last event.
pub(crate) fn chunks(
    body: Body,
    end: Cutoff,
    is_events: bool,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    stream::unfold(Chunks::Running(body, end), move |chunks| {
        chunks.next(is_events)
    })
}

impl Cutoff {
    /// A cutoff at the deadline, or when the process shuts down.
    pub(crate) fn new(deadline: Deadline, shutdown: Shutdown) -> Cutoff {
        Cutoff { deadline, shutdown }
    }

    /// Runs `future` until the cutoff.
    ///
    /// # Errors
    /// The deadline or the shutdown, whichever came first.
    async fn timeout<F: Future>(&mut self, future: F) -> Result<F::Output, Failure> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = self.shutdown.reached(Phase::Terminating) => Err(Failure::stopped()),
            () = sleep_until(self.deadline.instant()) => Err(Failure::deadline_exceeded()),
        }
    }
}

impl Chunks {
    async fn next(self, is_events: bool) -> Option<(Result<Bytes, Failure>, Chunks)> {
        let (mut body, mut end) = match self {
            Chunks::Running(body, end) => (body, end),
            Chunks::Failed(failure) => return Some((Err(failure), Chunks::Ended)),
            Chunks::Ended => return None,
        };
        match chunk(&mut body, &mut end).await {
            Ok(chunk) => chunk.map(|chunk| (Ok(chunk), Chunks::Running(body, end))),
            Err(failure) if is_events => Some((Ok(event(&failure)), Chunks::Failed(failure))),
            Err(failure) => Some((Err(failure), Chunks::Ended)),
        }
    }
}

/// The next chunk; `None` at the end of the body.
async fn chunk(body: &mut Body, end: &mut Cutoff) -> Result<Option<Bytes>, Failure> {
    // The select below polls the producer first: one that is always ready would never be cut off, so this checks before.
    let is_whole = body.size_hint().exact().is_some();
    if end.deadline.remaining().is_zero() && !is_whole {
        return Err(Failure::deadline_exceeded());
    }
    if end.shutdown.has_reached(Phase::Terminating) && !is_whole {
        return Err(Failure::stopped());
    }
    let frame = AssertUnwindSafe(body.frame()).catch_unwind();
    match end.timeout(frame).await? {
        Err(_) => Err(Failure::panicked()),
        Ok(None) => Ok(None),
        Ok(Some(Err(_))) => Err(Failure::interrupted()),
        // The platform does not pass on a body's own trailers.
        Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
    }
}

/// The last event of a stream that failed.
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
    use crate::lambda::runtime::shutdown::ShutdownSender;

    /// All chunks as text; the last one is the kind of the failure.
    async fn read(body: Body, left: u64, is_events: bool) -> Vec<String> {
        let deadline = Deadline::after(Duration::from_millis(left));
        let end = Cutoff::new(deadline, Shutdown::never());
        let chunks = chunks(body, end, is_events).map(|chunk| match chunk {
            Ok(chunk) => String::from_utf8(chunk.into()).unwrap(),
            Err(failure) => failure.kind().to_owned(),
        });
        chunks.collect().await
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
    async fn a_producer_that_sends_nothing_is_cut_off_in_time() {
        let since = Instant::now();
        let silent = body(once().chain(stream::pending()));
        assert_eq!(read(silent, 1_000, false).await, ["a", "DeadlineExceeded"]);
        assert!((1_000..=1_001).contains(&since.elapsed().as_millis()));
        let mute = body(stream::pending::<Result<_, Infallible>>());
        assert_eq!(read(mute, 1_000, false).await, ["DeadlineExceeded"]);
    }

    #[tokio::test]
    async fn a_producer_that_never_waits_is_cut_off_in_time() {
        let busy = stream::repeat("a").map(Ok::<_, Infallible>);
        let chunks = read(body(busy), 5, false).await;
        assert_eq!(chunks.last().unwrap(), "DeadlineExceeded");
    }

    #[tokio::test]
    async fn a_producer_that_never_waits_is_cut_off_when_the_process_stops() {
        let shutdown_sender = ShutdownSender::new();
        let far = Deadline::after(Duration::from_secs(60));
        let busy = body(stream::repeat("a").map(Ok::<_, Infallible>));
        let mut chunks = pin!(chunks(
            busy,
            Cutoff::new(far, shutdown_sender.subscribe()),
            false
        ));
        assert!(chunks.next().await.unwrap().is_ok());
        shutdown_sender.enter(Phase::Terminating);
        assert_eq!(chunks.next().await.unwrap().unwrap_err().kind(), "Stopped");
        assert!(chunks.next().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_panics_ends_with_a_failure() {
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
    async fn an_event_stream_reports_the_failure_in_its_last_event() {
        let silent = body(once().chain(stream::pending()));
        let chunks = read(silent, 1_000, true).await;
        let event = chunks[1].strip_prefix("event: error\ndata: ").unwrap();
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["errorType"], "DeadlineExceeded");
        assert_eq!(chunks[2..], ["DeadlineExceeded"]);
    }

    #[tokio::test]
    async fn a_complete_body_is_never_late() {
        assert_eq!(read(Body::from("a"), 0, false).await, ["a"]);
        assert_eq!(read(Body::empty(), 0, false).await, [""; 0]);
    }
}
