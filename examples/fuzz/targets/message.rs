//! JSON-RPC messages over `POST /mcp`, of legacy and modern revisions, alone and in batches.

use std::sync::Arc;

use axum::body::Body;
use bifold::RequestInfo;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request};
use serde_json::Value;

use super::Target;
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::World;

const VERSION: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";

pub fn targets() -> [Target; 2] {
    let of = |name, seeds| Target {
        name,
        width: 1,
        seeds,
        generate: Mutator::json,
        run,
    };
    [
        of("rpc", seeds::rpc()),
        of("rpc_batch", seeds::rpc_batches()),
    ]
}

fn run(world: Arc<World>, body: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let response = world.app.serve(request(body), RequestInfo::default()).await;
        verdict::response(response, &[]).await
    }
    .boxed()
}

/// A request with this body and the headers that its revision requires, so that it is not refused because of those.
pub fn request(body: Vec<u8>) -> Request<Body> {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/mcp");
    let about = message.pointer("/params/name");
    let about = about.or(message.pointer("/params/uri"));
    let is_modern = message.pointer(VERSION).is_some();
    let headers = request.headers_mut();
    let fixed = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let told = [
        ("mcp-protocol-version", message.pointer(VERSION)),
        ("mcp-method", message.get("method")),
        ("mcp-name", about),
    ];
    for (name, value) in told.into_iter().filter(|_| is_modern) {
        let value = value.and_then(Value::as_str);
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    }
    request
}
