//! Spans for an OpenTelemetry collector (OTLP over HTTP, JSON), buffered from their end until they are exported.
//!
//! The names follow the semantic conventions for HTTP and MCP. No span contains a path: a path may name a wallet.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, TraceId};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use tracing::warn;

use crate::config::Config;
use crate::error::Error;
use crate::telemetry::AccessLine;
use crate::telemetry::spans::Exchange;
use crate::telemetry::trace::Trace;

/// The maximum number of buffered spans; further ones are dropped.
const MAX_BUFFERED: usize = 2048;

/// The maximum time of an export: on Lambda the next invocation waits for it.
const MAX_EXPORT_TIME: Duration = Duration::from_secs(2);

/// The interval of exports in a long-running process.
const EXPORT_INTERVAL: Duration = Duration::from_secs(5);

const STATUS_CODE: &str = "http.response.status_code";
const ERROR_TYPE: &str = "error.type";

/// The spans of one process.
pub struct Spans {
    exporter: Option<SpanExporter>,
    ended: Mutex<Vec<SpanData>>,
}

/// An ended span, without its ids and times.
struct EndedSpan {
    name: String,
    kind: SpanKind,
    duration: Duration,
    status: Status,
    attributes: Vec<KeyValue>,
}

impl Spans {
    /// Spans for the configured collector, reached through a new client; without a collector, spans are disabled.
    ///
    /// # Errors
    /// A variable that begins with `OTEL_EXPORTER_OTLP_` has an invalid value.
    pub fn new<C: HttpClient + 'static>(
        config: &Config,
        client: impl FnOnce() -> Result<C, Error>,
    ) -> Result<Spans, String> {
        let build = |endpoint: &String| {
            let client = client().map_err(|error| error.to_string())?;
            let builder = SpanExporter::builder()
                .with_http()
                .with_http_client(client)
                .with_protocol(Protocol::HttpJson)
                .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
            let mut exporter = builder.build().map_err(|error| {
                format!("`OTEL_EXPORTER_OTLP_ENDPOINT`: `{endpoint}` cannot be used: {error}")
            })?;
            exporter.set_resource(&resource(config));
            Ok::<_, String>(exporter)
        };
        Ok(Spans {
            exporter: config.collector.as_ref().map(build).transpose()?,
            ended: Mutex::default(),
        })
    }

    /// Records the end of a request to this server, or of a task.
    pub fn request(&self, line: &AccessLine<'_>) {
        if !self.exports(line.trace) {
            return;
        }
        let error = line.outcome.error;
        let names = [line.method, line.outcome.function.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        // By the conventions a client error (HTTP 4xx) is not an error of a server span, but every MCP error is.
        let is_failure = line.protocol != "rest" || line.status.is_none_or(|status| status >= 500);
        let end = |kind| EndedSpan {
            name: if names.is_empty() {
                line.protocol.to_owned()
            } else {
                names.join(" ")
            },
            kind,
            duration: line.duration,
            status: status(error.filter(|_| is_failure)),
            attributes: attributes(line),
        };
        match line.is_task() {
            true => self.buffer(&line.trace.child(), end(SpanKind::Internal)),
            false => self.buffer(line.trace, end(SpanKind::Server)),
        }
    }

    /// Records the end of a request to an upstream.
    pub fn exchange(&self, exchange: Exchange<'_>) {
        if !self.exports(exchange.span) {
            return;
        }
        let (method, upstream) = (exchange.method, exchange.upstream);
        let status_code = exchange.status.map(i64::from);
        let attributes = [
            Some(KeyValue::new("http.request.method", method.to_owned())),
            Some(KeyValue::new("service.peer.name", upstream.to_owned())),
            status_code.map(|it| KeyValue::new(STATUS_CODE, it)),
            exchange.error.map(|it| KeyValue::new(ERROR_TYPE, it)),
        ];
        let end = EndedSpan {
            name: format!("{method} {upstream}"),
            kind: SpanKind::Client,
            duration: exchange.duration,
            status: status(exchange.error),
            attributes: attributes.into_iter().flatten().collect(),
        };
        self.buffer(exchange.span, end);
    }

    /// Exports the ended spans. A failed export is logged and not repeated.
    pub async fn flush(&self, limit: Duration) {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(exporter) = self.exporter.as_ref().filter(|_| !ended.is_empty()) else {
            return;
        };
        let spans = ended.len();
        match tokio::time::timeout(limit.min(MAX_EXPORT_TIME), exporter.export(ended)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(spans, %error, "spans could not be exported"),
            Err(_) => warn!(
                spans,
                "spans could not be exported: the collector did not answer in time"
            ),
        }
    }

    /// Exports the ended spans at intervals; never completes.
    pub async fn keep_flushing(&self) {
        loop {
            tokio::time::sleep(EXPORT_INTERVAL).await;
            self.flush(MAX_EXPORT_TIME).await;
        }
    }

    /// Whether spans of this trace are exported.
    fn exports(&self, trace: &Trace) -> bool {
        self.exporter.is_some() && trace.is_sampled()
    }

    fn buffer(&self, trace: &Trace, end: EndedSpan) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() < MAX_BUFFERED {
            ended.push(span_data(trace, end));
        }
    }
}

fn attributes(line: &AccessLine<'_>) -> Vec<KeyValue> {
    let method = match line.protocol {
        "mcp" => "mcp.method.name",
        "rest" => "http.request.method",
        _ => "bifold.page",
    };
    let function = match line.method {
        Some("tools/call") => "gen_ai.tool.name",
        Some("prompts/get") => "gen_ai.prompt.name",
        _ => "bifold.function",
    };
    let status_code = line.status.map(i64::from);
    let invocation = line.invocation_id.map(str::to_owned);
    let attributes = [
        Some(KeyValue::new("bifold.protocol", line.protocol)),
        Some(KeyValue::new("faas.coldstart", line.cold_start)),
        invocation.map(|it| KeyValue::new("faas.invocation_id", it)),
        line.method.map(|it| KeyValue::new(method, it)),
        line.outcome
            .function
            .as_ref()
            .map(|it| KeyValue::new(function, it.clone())),
        status_code.map(|it| KeyValue::new(STATUS_CODE, it)),
        line.outcome.error.map(|it| KeyValue::new(ERROR_TYPE, it)),
    ];
    attributes.into_iter().flatten().collect()
}

fn span_data(trace: &Trace, end: EndedSpan) -> SpanData {
    let state = trace.state.as_ref().and_then(|it| it.to_str().ok());
    let state = state.and_then(|it| it.parse::<TraceState>().ok());
    let context = SpanContext::new(
        TraceId::from(trace.id),
        SpanId::from(trace.span),
        TraceFlags::new(trace.flags),
        false,
        state.unwrap_or_default(),
    );
    let now = SystemTime::now();
    SpanData {
        span_context: context,
        parent_span_id: trace.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: end.kind == SpanKind::Server,
        span_kind: end.kind,
        name: end.name.into(),
        start_time: now.checked_sub(end.duration).unwrap_or(now),
        end_time: now,
        attributes: end.attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: end.status,
        instrumentation_scope: InstrumentationScope::builder("bifold")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn status(error: Option<&'static str>) -> Status {
    error.map_or(Status::Unset, Status::error)
}

/// The resource that `OTEL_SERVICE_NAME` describes, or else the Lambda function.
fn resource(config: &Config) -> Resource {
    let builder = Resource::builder();
    let is_named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    let name = config
        .function
        .clone()
        .unwrap_or_else(|| "bifold".to_owned());
    match is_named {
        true => builder.build(),
        false => builder.with_service_name(name).build(),
    }
}
