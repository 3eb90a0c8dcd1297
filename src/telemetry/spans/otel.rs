//! Spans as an OpenTelemetry collector takes them (OTLP over HTTP, JSON), kept from their end until they are sent.
//!
//! The names are those of the semantic conventions for HTTP and MCP. No path is told: it may name a wallet.

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
use crate::telemetry::Line;
use crate::telemetry::spans::Exchange;
use crate::telemetry::trace::Trace;

/// The most spans that are kept; what ends when so many wait is not told.
const MOST: usize = 2048;

/// The longest that sending may take: on Lambda the next invocation waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a process that lasts sends them.
const OFTEN: Duration = Duration::from_secs(5);

const STATUS_CODE: &str = "http.response.status_code";
const ERROR_TYPE: &str = "error.type";

/// The spans of one process.
pub struct Spans {
    exporter: Option<SpanExporter>,
    ended: Mutex<Vec<SpanData>>,
}

/// What the two kinds of spans do not have in common.
struct End {
    name: String,
    kind: SpanKind,
    duration: Duration,
    status: Status,
    attributes: Vec<KeyValue>,
}

impl Spans {
    /// Spans for the collector of the settings, which a new client reaches; where there is no collector, none are made.
    ///
    /// # Errors
    /// One of the variables that begin with `OTEL_EXPORTER_OTLP_` cannot be used.
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

    /// A request to this server has ended, or a task.
    pub fn request(&self, line: &Line<'_>) {
        if !self.records(line.trace) {
            return;
        }
        let error = line.outcome.error;
        let names = [line.method, line.outcome.function.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        // Over HTTP what the caller did wrong is no error of the server's; over MCP it is an error of the tool's.
        let is_failure = line.protocol != "rest" || line.status.is_none_or(|status| status >= 500);
        let end = |kind| End {
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
            true => self.keep(&line.trace.child(), end(SpanKind::Internal)),
            false => self.keep(line.trace, end(SpanKind::Server)),
        }
    }

    /// A request to an upstream has ended.
    pub fn exchange(&self, exchange: Exchange<'_>) {
        if !self.records(exchange.place) {
            return;
        }
        let upstream = exchange.upstream;
        let status_code = exchange.status.map(i64::from);
        let attributes = [
            Some(KeyValue::new("http.request.method", "GET")),
            Some(KeyValue::new("service.peer.name", upstream)),
            status_code.map(|it| KeyValue::new(STATUS_CODE, it)),
            exchange.error.map(|it| KeyValue::new(ERROR_TYPE, it)),
        ];
        let end = End {
            name: format!("GET {upstream}"),
            kind: SpanKind::Client,
            duration: exchange.duration,
            status: status(exchange.error),
            attributes: attributes.into_iter().flatten().collect(),
        };
        self.keep(exchange.place, end);
    }

    /// Sends what has ended. What cannot be sent is lost: the log says so, and nobody waits for a second try.
    pub async fn flush(&self, limit: Duration) {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(exporter) = self.exporter.as_ref().filter(|_| !ended.is_empty()) else {
            return;
        };
        let spans = ended.len();
        match tokio::time::timeout(limit.min(PATIENCE), exporter.export(ended)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(spans, %error, "spans could not be exported"),
            Err(_) => warn!(
                spans,
                "spans could not be exported: the collector did not answer in time"
            ),
        }
    }

    /// Sends what has ended now and then; never ready.
    pub async fn keep_flushing(&self) {
        loop {
            tokio::time::sleep(OFTEN).await;
            self.flush(PATIENCE).await;
        }
    }

    /// Whether spans of that trace are sent to anybody.
    fn records(&self, place: &Trace) -> bool {
        self.exporter.is_some() && place.is_sampled()
    }

    fn keep(&self, place: &Trace, end: End) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() < MOST {
            ended.push(span(place, end));
        }
    }
}

fn attributes(line: &Line<'_>) -> Vec<KeyValue> {
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

fn span(place: &Trace, end: End) -> SpanData {
    let state = place.state.as_ref().and_then(|it| it.to_str().ok());
    let state = state.and_then(|it| it.parse::<TraceState>().ok());
    let context = SpanContext::new(
        TraceId::from(place.id),
        SpanId::from(place.span),
        TraceFlags::new(place.flags),
        false,
        state.unwrap_or_default(),
    );
    let now = SystemTime::now();
    SpanData {
        span_context: context,
        parent_span_id: place.parent.map_or(SpanId::INVALID, SpanId::from),
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

/// What the standard's own variables say of this process, and otherwise what Lambda says.
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
