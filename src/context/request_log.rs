//! The access log: one line for each request, written when its response is complete.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use axum::Error;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::stream::{Stream, StreamExt};
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use tokio::time::Instant;

use crate::auth::Principal;
use crate::context::Context;
use crate::context::answered::Answered;
use crate::telemetry::{AccessLine, Outcome, PendingOutcome, decimal};

/// The header that carries the id of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the durations of the request and of its requests to upstreams.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The data for the log line of one request.
pub struct RequestLog {
    /// `mcp`, `rest`, `ws`, `site` or `task`.
    pub protocol: &'static str,
    /// The method, where the outcome does not have it.
    pub method: Option<&'static str>,
    /// The HTTP status, once there is a response.
    pub status: Option<u16>,
    /// When the request arrived.
    pub since: Instant,
    /// The context, which has the ids and the costs.
    pub cx: Context,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
}

/// A request without a response yet. If it is dropped before it has one, its log line says that it was cancelled.
pub struct RequestGuard {
    log: Option<RequestLog>,
    abandoned: Outcome,
}

/// A response body that is produced while its call runs. The log line is written when the body is dropped: at its end, or
/// when the client is gone.
struct LoggedBody {
    body: BodyDataStream,
    log: RequestLog,
    abandoned: Outcome,
    pending: PendingOutcome,
}

impl RequestLog {
    /// Sets the HTTP method, which only the REST protocol logs. Methods that callers invent are left out.
    pub fn with_method(mut self, method: &Method) -> RequestLog {
        let mut known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter();
        self.method = known.find(|it| self.protocol == "rest" && *it == method.as_str());
        self
    }

    /// Adds the headers for request id and timing, and writes the log line: now, or at the end of a streamed body.
    pub fn finish(mut self, answered: Answered) -> Response<Body> {
        let Answered {
            mut response,
            outcome,
            pending,
        } = answered;
        self.status = Some(response.status().as_u16());
        add_headers(response.headers_mut(), &self.line(&outcome));
        match pending {
            None => {
                self.write(&outcome);
                response
            }
            Some(pending) => response.map(|body| self.log_at_end(body, outcome, pending)),
        }
    }

    /// Writes the line, and ends the span.
    pub fn write(&self, outcome: &Outcome) {
        let line = self.line(outcome);
        line.write(self.cx.config().metrics_namespace.as_deref());
        self.cx.spans().request(&line);
    }

    /// The log line with the current values.
    fn line<'a>(&'a self, outcome: &'a Outcome) -> AccessLine<'a> {
        let meter = self.cx.meter();
        AccessLine {
            protocol: self.protocol,
            method: outcome.method.or(self.method),
            outcome,
            status: self.status,
            duration: self.since.elapsed(),
            upstream_calls: meter.calls(),
            upstream_time: meter.time(),
            cache_hits: meter.hits(),
            mount: meter.mount(),
            request_id: self.cx.request_id(),
            invocation_id: self.cx.invocation_id(),
            trace: self.cx.trace(),
            cold_start: self.cold_start,
            is_partial: meter.is_partial(),
            api_key: self.cx.principal().and_then(Principal::key_name),
        }
    }

    /// Wraps the body, so that the log line is written at its end or when it is dropped before.
    fn log_at_end(mut self, body: Body, abandoned: Outcome, pending: PendingOutcome) -> Body {
        self.method = abandoned.method.or(self.method);
        Body::from_stream(LoggedBody {
            body: body.into_data_stream(),
            log: self,
            abandoned,
            pending,
        })
    }
}

/// Adds the request id, the timing (W3C Server Timing), and `nosniff`.
fn add_headers(headers: &mut HeaderMap, line: &AccessLine<'_>) {
    let id = HeaderValue::from_str(line.request_id);
    headers.insert(
        REQUEST_ID,
        id.unwrap_or(HeaderValue::from_static("unprintable")),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let timing = [
        "total;dur=",
        &decimal(line.duration),
        ", upstream;dur=",
        &decimal(line.upstream_time),
        ";desc=\"",
        &line.upstream_calls.to_string(),
        " calls\"",
    ];
    headers.insert(
        SERVER_TIMING,
        HeaderValue::try_from(timing.concat()).expect("numbers are visible ASCII"),
    );
}

impl RequestGuard {
    /// A guard for a request that has no response yet.
    pub fn new(log: RequestLog) -> RequestGuard {
        RequestGuard {
            log: Some(log),
            abandoned: Outcome::aborted(),
        }
    }

    /// A guard for a call of this function.
    pub fn for_call(log: RequestLog, function: Arc<str>) -> RequestGuard {
        RequestGuard {
            log: Some(log),
            abandoned: Outcome::cancelled(function),
        }
    }

    /// The data for the log line, now that there is a response; the caller must write the line.
    pub fn into_log(mut self) -> RequestLog {
        let log = self.log.take();
        log.expect("the log is taken only here, and this consumes the guard")
    }

    /// Finishes the response as [`RequestLog::finish`] does.
    pub fn finish(self, answered: Answered) -> Response<Body> {
        self.into_log().finish(answered)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            log.write(&self.abandoned);
        }
    }
}

impl Stream for LoggedBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.body.poll_next_unpin(cx)
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        // Dropping the body first ends the call, so that the log line has all of its costs.
        self.body = Body::empty().into_data_stream();
        let outcome = self.pending.outcome().unwrap_or(&self.abandoned);
        self.log.write(outcome);
    }
}
