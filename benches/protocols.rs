//! The cost of a request: `Registry::call` of a local function, an MCP request, a REST GET, a cached answer, and a
//! cold start.

use std::hint::black_box;

use axum::body::Body;
use bifold::provenance::replay::Replay;
use bifold::upstream::{CachePolicy, Upstream};
use bifold::{App, Config, RequestInfo, Server, provenance};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Request};
use serde::de::IgnoredAny;
use tokio::runtime::{Builder, Runtime};

const LOCAL: &str = "get_registry_summary";

/// One thread, as on Lambda.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn app() -> App {
    App::new(Config::default(), provenance::server()).unwrap()
}

fn registry_call(c: &mut Criterion) {
    let (runtime, app) = (runtime(), app());
    let registry = app.registry();
    let tool = registry.get(LOCAL).unwrap();
    c.bench_function("registry_call_local", |b| {
        b.to_async(&runtime)
            .iter(async || registry.call(tool, app.context(), "{}").await)
    });
}

/// A modern request with its headers.
fn modern(method: &'static str, params: &str) -> (HeaderMap, Vec<u8>) {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}"#;
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{meta}}}}}"#);
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", method),
        ("mcp-name", LOCAL),
    ];
    let headers =
        headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    (headers.into_iter().collect(), body.into_bytes())
}

fn mcp(c: &mut Criterion) {
    let (runtime, app) = (runtime(), app());
    let call = r#""name":"get_registry_summary","arguments":{},"#;
    for (name, method, params) in [
        ("mcp_tools_call", "tools/call", call),
        ("mcp_tools_list", "tools/list", ""),
    ] {
        let (headers, body) = modern(method, params);
        c.bench_function(name, |b| {
            b.to_async(&runtime)
                .iter(async || app.mcp().answer(&headers, &body, &app.context()).await)
        });
    }
}

fn rest(c: &mut Criterion) {
    let (runtime, app) = (runtime(), app());
    c.bench_function("rest_get_local", |b| {
        b.to_async(&runtime).iter(async || {
            let request = Request::get("/api/registry_summary")
                .body(Body::empty())
                .unwrap();
            let response = app.serve(request, RequestInfo::default()).await;
            axum::body::to_bytes(response.into_body(), usize::MAX).await
        })
    });
}

/// An application over recorded data, with the answers of these requests in its cache.
fn warm(runtime: &Runtime) -> (App, Replay) {
    runtime.block_on(async {
        let replay = Replay::start().await.unwrap();
        let mut config = Config::default();
        replay.configure(&mut config);
        (App::new(config, provenance::server()).unwrap(), replay)
    })
}

fn cache_hit(c: &mut Criterion) {
    const KEPT: Upstream = Upstream::new("explorer", "").cache(|_| CachePolicy::seconds(3_600, 0));
    const STATS: &str = "/api/v3/utility_token/stats";
    let runtime = runtime();
    let (_, replay) = warm(&runtime);
    let mut config = Config::default();
    config
        .upstream_urls
        .insert("explorer".to_owned(), replay.url("explorer"));
    let app = App::new(config, Server::new("bench", "1").upstreams(&[KEPT])).unwrap();
    c.bench_function("upstream_cache_hit", |b| {
        b.to_async(&runtime).iter(async || {
            app.context()
                .get_json::<IgnoredAny>(&KEPT, STATS)
                .await
                .unwrap()
        })
    });
}

fn rest_cache_hit(c: &mut Criterion) {
    let runtime = runtime();
    let (app, _replay) = warm(&runtime);
    c.bench_function("rest_get_cache_hit", |b| {
        b.to_async(&runtime).iter(async || {
            let request = Request::get("/api/current_hash_statistics")
                .body(Body::empty())
                .unwrap();
            let response = app.serve(request, RequestInfo::default()).await;
            assert!(response.status().is_success());
            axum::body::to_bytes(response.into_body(), usize::MAX).await
        })
    });
}

fn cold_start(c: &mut Criterion) {
    c.bench_function("app_new", |b| b.iter(|| black_box(app())));
    let on_lambda = || {
        let mut config = Config::default();
        config.function = Some("function".to_owned());
        App::new(config, provenance::server()).unwrap()
    };
    c.bench_function("app_new_on_lambda", |b| b.iter(|| black_box(on_lambda())));
}

criterion_group!(
    benches,
    registry_call,
    mcp,
    rest,
    cache_hit,
    rest_cache_hit,
    cold_start
);
criterion_main!(benches);
