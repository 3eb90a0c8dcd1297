//! The access line: one line in the log for each request and each task.

use std::time::Duration;

use serde::Serialize;
use tracing::{Level, error, info, warn};

use super::metrics::{Metrics, Unit};
use super::{Outcome, millis};
use crate::error::Kind;
use crate::telemetry::trace::Trace;

/// The content of an access line.
pub struct AccessLine<'a> {
    /// `mcp`, `rest`, `ws`, `site` or `task`.
    pub protocol: &'static str,
    /// The protocol method, the page, or the HTTP method of a route.
    pub method: Option<&'static str>,
    /// The result.
    pub outcome: &'a Outcome,
    /// The HTTP status; `None` for a task, and for a request that was cancelled before its response began.
    pub status: Option<u16>,
    /// From the beginning of the request to the end of its response.
    pub duration: Duration,
    /// The number of upstream requests.
    pub upstream_calls: u32,
    /// The sum of the times that the request waited for upstreams.
    pub upstream_time: Duration,
    /// The number of upstream requests that the cache answered.
    pub cache_hits: u32,
    /// The mounted server that was called.
    pub mount: Option<&'a str>,
    /// The id that the client gets in `x-request-id`.
    pub request_id: &'a str,
    /// The platform's id of the request.
    pub invocation_id: Option<&'a str>,
    /// The trace of the request.
    pub trace: &'a Trace,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
    /// Whether a part of the answer is missing.
    pub is_partial: bool,
    /// The name of the API key that the request was made with.
    pub api_key: Option<&'a str>,
}

/// The same content under its names in the log.
#[derive(Serialize)]
struct LogFields<'a> {
    message: &'static str,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount: Option<&'a str>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    cold_start: bool,
}

impl AccessLine<'_> {
    /// Writes the line: an internal error at level error, another failure with a status of 500 or above at level
    /// warn, everything else at level info. If `namespace` is set, it writes CloudWatch metrics to standard output
    /// instead, whatever the log levels are.
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
                    mount = fields.mount,
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
                    api_key = fields.api_key,
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

    /// Whether the line is about a task, which runs after its request was answered.
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

    fn outcome_name(&self) -> &'static str {
        match self.outcome.error {
            Some(_) => "error",
            None if self.is_partial => "partial",
            None => "ok",
        }
    }

    fn fields(&self) -> LogFields<'_> {
        LogFields {
            message: if self.is_task() { "task" } else { "request" },
            protocol: self.protocol,
            method: self.method,
            function: self.outcome.function.as_deref(),
            mount: self.mount,
            outcome: self.outcome_name(),
            error: self.outcome.error,
            status: self.status,
            duration_ms: millis(self.duration),
            upstream_calls: self.upstream_calls,
            upstream_ms: millis(self.upstream_time),
            cache_hits: self.cache_hits,
            request_id: self.request_id,
            invocation_id: self.invocation_id,
            trace_id: self.trace,
            api_key: self.api_key,
            cold_start: self.cold_start,
        }
    }

    /// The metrics by protocol and function. Only a function of the registry has metrics, so that a client cannot
    /// create new ones.
    fn metrics<'a>(&self, namespace: &'a str) -> Metrics<'a> {
        let mut dimensions = vec!["protocol"];
        dimensions.extend(self.outcome.function.as_ref().map(|_| "function"));
        dimensions.extend(self.mount.map(|_| "mount"));
        let mut metrics = Metrics::new(namespace);
        let all = metrics.with_dimensions(dimensions.clone());
        all.count_line("calls")
            .field("duration_ms", Unit::Milliseconds);
        if self.upstream_calls + self.cache_hits > 0 {
            all.field("upstream_calls", Unit::Count)
                .field("upstream_ms", Unit::Milliseconds)
                .field("cache_hits", Unit::Count);
        }
        if self.cold_start {
            all.count_line("cold_starts");
        }
        if self.outcome.error.is_some() {
            dimensions.push("error");
            metrics.with_dimensions(dimensions).count_line("errors");
        }
        metrics
    }
}
