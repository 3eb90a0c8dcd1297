//! The one line of a request, or of a task.

use std::time::Duration;

use serde::Serialize;
use tracing::{Level, error, info, warn};

use super::metrics::{Metrics, Unit};
use super::{Outcome, millis};
use crate::error::Kind;
use crate::telemetry::trace::Trace;

/// What the line is made of.
pub struct Line<'a> {
    /// `mcp`, `rest`, `ws`, `site` or `task`.
    pub protocol: &'static str,
    /// The protocol method, the page, or the HTTP method where that is what is asked for.
    pub method: Option<&'static str>,
    /// What happened.
    pub outcome: &'a Outcome,
    /// The HTTP status; none of a task, nor of a request that was given up before it had one.
    pub status: Option<u16>,
    /// From the request's request_info to its answer.
    pub duration: Duration,
    /// Upstream requests.
    pub upstream_calls: u32,
    /// The sum of their durations.
    pub upstream_time: Duration,
    /// What came from the cache instead.
    pub cache_hits: u32,
    /// The id that also stands in `x-request-id`.
    pub request_id: &'a str,
    /// The platform's own id of the request.
    pub invocation_id: Option<&'a str>,
    /// The trace that it belongs to.
    pub trace: &'a Trace,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
    /// Whether a part of the answer was lost.
    pub is_partial: bool,
}

/// The same under the names of the log.
#[derive(Serialize)]
struct Fields<'a> {
    message: &'static str,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    duration_ms: f64,
    upstream_calls: u32,
    upstream_ms: f64,
    cache_hits: u32,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_id: Option<&'a str>,
    trace_id: &'a Trace,
    cold_start: bool,
}

impl Line<'_> {
    /// Writes the line: an error of this server as an error, a lost call as a warning, all else as information. With a
    /// namespace of metrics it goes to standard output whatever the log levels are, because they are read out of it.
    pub fn write(&self, namespace: Option<&str>) {
        let (level, fields) = (self.level(), self.fields());
        if let Some(namespace) = namespace {
            return self.metrics(namespace).write(level, &fields);
        }
        macro_rules! line {
            ($level:ident) => {
                $level!(
                    message = fields.message,
                    protocol = fields.protocol,
                    method = fields.method,
                    function = fields.function,
                    outcome = fields.outcome,
                    error = fields.error,
                    status = fields.status,
                    duration_ms = fields.duration_ms,
                    upstream_calls = fields.upstream_calls,
                    upstream_ms = fields.upstream_ms,
                    cache_hits = fields.cache_hits,
                    request_id = fields.request_id,
                    invocation_id = fields.invocation_id,
                    trace_id = %fields.trace_id,
                    cold_start = fields.cold_start,
                )
            };
        }
        match level {
            Level::ERROR => line!(error),
            Level::WARN => line!(warn),
            _ => line!(info),
        }
    }

    /// Whether it tells of a task, which was answered long before, and not of a request.
    pub fn is_task(&self) -> bool {
        self.protocol == "task"
    }

    fn level(&self) -> Level {
        match self.outcome.error {
            Some(kind) if kind == Kind::Internal.as_str() => Level::ERROR,
            Some(_) if self.status.is_some_and(|status| status >= 500) => Level::WARN,
            _ => Level::INFO,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.outcome.error {
            Some(_) => "error",
            None if self.is_partial => "partial",
            None => "ok",
        }
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            message: if self.is_task() { "task" } else { "request" },
            protocol: self.protocol,
            method: self.method,
            function: self.outcome.function.as_deref(),
            outcome: self.verdict(),
            error: self.outcome.error,
            status: self.status,
            duration_ms: millis(self.duration),
            upstream_calls: self.upstream_calls,
            upstream_ms: millis(self.upstream_time),
            cache_hits: self.cache_hits,
            request_id: self.request_id,
            invocation_id: self.invocation_id,
            trace_id: self.trace,
            cold_start: self.cold_start,
        }
    }

    /// What is measured, for each protocol and function. The names of functions are those of the registry: one that a
    /// caller makes up has no metric.
    fn metrics<'a>(&self, namespace: &'a str) -> Metrics<'a> {
        let mut place = vec!["protocol"];
        place.extend(self.outcome.function.as_ref().map(|_| "function"));
        let mut metrics = Metrics::new(namespace);
        let all = metrics.about(place.clone());
        all.one("calls").field("duration_ms", Unit::Milliseconds);
        if self.upstream_calls + self.cache_hits > 0 {
            all.field("upstream_calls", Unit::Count)
                .field("upstream_ms", Unit::Milliseconds)
                .field("cache_hits", Unit::Count);
        }
        if self.cold_start {
            all.one("cold_starts");
        }
        if self.outcome.error.is_some() {
            place.push("error");
            metrics.about(place).one("errors");
        }
        metrics
    }
}
