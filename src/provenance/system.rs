//! The server about itself: its functions, its state, and the context that an agent needs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::registry::count::Count;
use crate::registry::object::Object;
use crate::registry::{Content, Registry, Tool};
use crate::telemetry::millis;

/// The context for agents, in a file of its own because it is Markdown.
const CONTEXT: &str = include_str!("system_context.md");
/// The function that calls others and must not call itself.
const TEST_SERVER: &str = "mcp_test_server";

/// The essential context for an agent: units, what vesting, delegation, commitment and market terms mean,
/// and how the amounts of a wallet add up. Markdown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemContext {}

/// Every function of this server with its protocols, path and description, in the order of registration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Introspection {}

/// How many functions this server has, by protocol.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrySummary {}

/// Answers at once, without a request to an upstream: whether this process is cold or warm, its uptime and version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WarmupPing {}

/// Calls another function of this server a number of times and reports how often it succeeded and how long it took.
/// It can call only the functions of this server.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestServer {
    /// Name of the function to call; not this one.
    function_name: String,
    /// Its arguments, a JSON object.
    #[serde(default)]
    arguments: Object,
    /// How often to call it.
    #[serde(default = "once")]
    repeat: Count<1, 20>,
    /// Whether to report times.
    #[serde(default = "yes")]
    measure_timing: bool,
}

/// Whether this process has answered a ping before.
#[derive(Clone, Default)]
pub(super) struct WasPinged(Arc<AtomicBool>);

#[derive(Serialize, JsonSchema)]
pub(super) struct ContextText {
    /// Markdown.
    context: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Counts {
    total_functions: usize,
    mcp_enabled: usize,
    rest_enabled: usize,
    /// On both protocols.
    dual_protocol: usize,
    mcp_only: usize,
    rest_only: usize,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Listing {
    summary: Counts,
    functions: Vec<ToolEntry>,
}

#[derive(Serialize, JsonSchema)]
struct ToolEntry {
    name: String,
    /// `mcp`, `rest` or both.
    protocols: Vec<&'static str>,
    /// The HTTP method of the path; null for a function that is only on MCP.
    method: Option<&'static str>,
    /// The path with its parameters in braces; null for a function that is only on MCP.
    path: Option<String>,
    tags: Vec<Cow<'static, str>>,
    description: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Pong {
    /// `cold` on the first ping of this process, then `warm`.
    status: &'static str,
    /// Time since the process started.
    uptime_ms: u64,
    /// Requests that this process has received so far, including this one.
    invocations: u64,
    /// Version of the server.
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Report {
    function_name: String,
    total_calls: usize,
    successful_calls: usize,
    /// A fraction, 0 to 1.
    success_rate: f64,
    /// Null if times were not requested.
    min_ms: Option<f64>,
    avg_ms: Option<f64>,
    p95_ms: Option<f64>,
    max_ms: Option<f64>,
    /// Each distinct failure once.
    errors: Vec<Failure>,
}

#[derive(Serialize, JsonSchema)]
struct Failure {
    kind: &'static str,
    message: String,
    /// How many of the calls failed this way.
    count: usize,
}

pub(super) fn context(_: Context, SystemContext {}: SystemContext) -> Result<ContextText> {
    Ok(ContextText { context: CONTEXT })
}

/// The same text as a document.
pub(super) fn document(_: Context, SystemContext {}: SystemContext) -> Result<Content> {
    Ok(Content::text(CONTEXT))
}

pub(super) fn introspection(cx: Context, Introspection {}: Introspection) -> Result<Listing> {
    let registry = Registry::of(&cx)?;
    Ok(Listing {
        summary: Counts::of(&registry),
        functions: registry
            .tools()
            .iter()
            .map(|it| ToolEntry::of(it))
            .collect(),
    })
}

pub(super) fn registry_summary(cx: Context, RegistrySummary {}: RegistrySummary) -> Result<Counts> {
    let registry = Registry::of(&cx)?;
    Ok(Counts::of(&registry))
}

pub(super) fn warmup_ping(cx: Context, WarmupPing {}: WarmupPing) -> Result<Pong> {
    let was_warm = cx.state::<WasPinged>()?.0.swap(true, Ordering::Relaxed);
    Ok(Pong {
        status: if was_warm { "warm" } else { "cold" },
        uptime_ms: cx.process().uptime().as_millis() as u64,
        invocations: cx.process().requests(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

pub(super) async fn test_server(cx: Context, arguments: TestServer) -> Result<Report> {
    let registry = Registry::of(&cx)?;
    let tool = target(&registry, &cx, &arguments.function_name)?;
    let mut times = Vec::new();
    let mut failures: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for _ in 0..arguments.repeat.0 {
        let since = Instant::now();
        let result = registry
            .call(tool, cx.clone(), arguments.arguments.get())
            .await;
        times.push(since.elapsed());
        if let Err(error) = result {
            *failures
                .entry((error.kind().as_str(), error.message().to_owned()))
                .or_default() += 1;
        }
    }
    let failed: usize = failures.values().sum();
    let errors = failures
        .into_iter()
        .map(|((kind, message), count)| Failure {
            kind,
            message,
            count,
        })
        .collect();
    let timings = arguments.measure_timing.then(|| Timings::of(times.clone()));
    let successful_calls = times.len() - failed;
    Ok(Report {
        function_name: arguments.function_name,
        total_calls: times.len(),
        successful_calls,
        success_rate: successful_calls as f64 / times.len() as f64,
        min_ms: timings.as_ref().map(|it| it.min),
        avg_ms: timings.as_ref().map(|it| it.avg),
        p95_ms: timings.as_ref().map(|it| it.p95),
        max_ms: timings.as_ref().map(|it| it.max),
        errors,
    })
}

fn target<'a>(registry: &'a Registry, cx: &Context, name: &str) -> Result<&'a Arc<Tool>> {
    let field = "function_name";
    if name == TEST_SERVER {
        let problem = "this function cannot call itself";
        return Err(Error::invalid_argument(field, problem));
    }
    let found = registry.named(name, cx);
    found.map_err(|unknown| Error::invalid_argument(field, unknown.message()))
}

/// Milliseconds.
struct Timings {
    min: f64,
    avg: f64,
    p95: f64,
    max: f64,
}

impl Timings {
    /// Requires at least one time; the 95th percentile is the nearest rank.
    fn of(mut times: Vec<Duration>) -> Timings {
        times.sort();
        let rank = (times.len() * 95).div_ceil(100) - 1;
        let sum: Duration = times.iter().sum();
        Timings {
            min: millis(times[0]),
            avg: millis(sum / times.len() as u32),
            p95: millis(times[rank]),
            max: millis(times[times.len() - 1]),
        }
    }
}

impl Counts {
    fn of(registry: &Registry) -> Counts {
        let count = |mcp: bool, rest: bool| {
            registry
                .tools()
                .iter()
                .filter(|it| it.on_mcp() == mcp && it.on_rest() == rest)
                .count()
        };
        let (dual_protocol, mcp_only, rest_only) =
            (count(true, true), count(true, false), count(false, true));
        Counts {
            total_functions: dual_protocol + mcp_only + rest_only,
            mcp_enabled: dual_protocol + mcp_only,
            rest_enabled: dual_protocol + rest_only,
            dual_protocol,
            mcp_only,
            rest_only,
        }
    }
}

impl ToolEntry {
    fn of(tool: &Tool) -> ToolEntry {
        ToolEntry {
            name: tool.name().to_owned(),
            protocols: tool.protocols(),
            method: tool.place().map(|place| place.0),
            path: tool.place().map(|place| format!("/api{}", place.1)),
            tags: tool.groups().to_vec(),
            description: tool.description().to_owned(),
        }
    }
}

fn once() -> Count<1, 20> {
    Count(1)
}

fn yes() -> bool {
    true
}
