//! A request's entry in the log: one line, written when its answer is whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use axum::Error;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::stream::{Stream, StreamExt};
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderValue, Method, Response};
use tokio::time::Instant;

use crate::context::Context;
use crate::telemetry::{Line, Outcome, Pending, millis};

/// The header that carries the id of a request.
pub const REQUEST_ID: &str = "x-request-id";

/// What the line of one request is made of.
pub struct RequestLog {
    /// `mcp`, `rest`, `ws`, `site` or `task`.
    pub protocol: &'static str,
    /// What it asks for, where its outcome does not say.
    pub method: Option<&'static str>,
    /// The HTTP status, once there is an answer.
    pub status: Option<u16>,
    /// When the request came.
    pub since: Instant,
    /// What it cost, and its ids.
    pub cx: Context,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
}

/// A request without an answer. If it is dropped so, its line says that it was given up.
pub struct Unanswered {
    entry: Option<RequestLog>,
    given_up: Outcome,
}

/// A body that is written while its call runs. Its line is written when it is dropped: at its end, or when the client
/// is gone.
struct Followed {
    body: BodyDataStream,
    entry: RequestLog,
    given_up: Outcome,
    pending: Pending,
}

impl RequestLog {
    /// The same of a request by that method, which says on REST what is asked for. Those that callers make up are not
    /// told.
    pub fn of_method(mut self, method: &Method) -> RequestLog {
        let mut known = ["GET", "HEAD", "POST"].into_iter();
        self.method = known.find(|it| self.protocol == "rest" && *it == method.as_str());
        self
    }

    /// Puts the request's id and times on the answer, and writes its line: now, or when its body is whole.
    pub fn finish(mut self, mut response: Response<Body>) -> Response<Body> {
        self.status = Some(response.status().as_u16());
        let extensions = response.extensions_mut();
        let outcome = extensions.remove::<Outcome>().unwrap_or_default();
        let pending = extensions.remove::<Pending>();
        sign(response.headers_mut(), &self.line(&outcome));
        match pending {
            None => {
                self.write(&outcome);
                response
            }
            Some(pending) => response.map(|body| self.follow(body, outcome, pending)),
        }
    }

    /// Writes the line, and ends the span.
    pub fn write(&self, outcome: &Outcome) {
        let line = self.line(outcome);
        line.write(self.cx.config().metrics_namespace.as_deref());
        self.cx.spans().request(&line);
    }

    /// The line as it would be now.
    fn line<'a>(&'a self, outcome: &'a Outcome) -> Line<'a> {
        let meter = self.cx.meter();
        Line {
            protocol: self.protocol,
            method: outcome.method.or(self.method),
            outcome,
            status: self.status,
            duration: self.since.elapsed(),
            upstream_calls: meter.calls(),
            upstream_time: meter.time(),
            cache_hits: meter.hits(),
            request_id: self.cx.request_id(),
            invocation_id: self.cx.invocation_id(),
            trace: self.cx.trace(),
            cold_start: self.cold_start,
            is_partial: meter.is_partial(),
        }
    }

    /// The same body, which writes the line when it is whole, or else that it was given up.
    fn follow(mut self, body: Body, given_up: Outcome, pending: Pending) -> Body {
        self.method = given_up.method;
        Body::from_stream(Followed {
            body: body.into_data_stream(),
            entry: self,
            given_up,
            pending,
        })
    }
}

/// The request id, where the time went (W3C Server Timing), and that the body is nothing but what its type says.
fn sign(headers: &mut HeaderMap, line: &Line<'_>) {
    let id = HeaderValue::from_str(line.request_id);
    headers.insert(
        REQUEST_ID,
        id.unwrap_or(HeaderValue::from_static("unprintable")),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (all, upstream) = (millis(line.duration), millis(line.upstream_time));
    let timing = format!(
        "total;dur={all}, upstream;dur={upstream};desc=\"{} calls\"",
        line.upstream_calls
    );
    headers.insert(
        "server-timing",
        HeaderValue::from_str(&timing).expect("numbers are visible ASCII"),
    );
}

impl Unanswered {
    /// The request of this entry, which is still to be answered.
    pub fn new(entry: RequestLog) -> Unanswered {
        Unanswered {
            entry: Some(entry),
            given_up: Outcome::given_up(),
        }
    }

    /// The same of a call of that function.
    pub fn of_call(entry: RequestLog, function: Arc<str>) -> Unanswered {
        Unanswered {
            entry: Some(entry),
            given_up: Outcome::cancelled(function),
        }
    }

    /// Its entry, now that there is an answer; who takes it writes the line.
    pub fn answered(mut self) -> RequestLog {
        let entry = self.entry.take();
        entry.expect("only this takes it, and the whole with it")
    }

    /// The same answer, as [`RequestLog::finish`] makes it.
    pub fn finish(self, response: Response<Body>) -> Response<Body> {
        self.answered().finish(response)
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(entry) = &self.entry {
            entry.write(&self.given_up);
        }
    }
}

impl Stream for Followed {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.body.poll_next_unpin(cx)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        // What still runs ends first, so that the line has all of its cost.
        self.body = Body::empty().into_data_stream();
        let outcome = self.pending.outcome().unwrap_or(&self.given_up);
        self.entry.write(outcome);
    }
}
