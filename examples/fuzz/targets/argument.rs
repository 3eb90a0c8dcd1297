//! Dates, parsed by the library and as arguments on both protocols.

use std::sync::Arc;

use axum::body::Body;
use bifold::{RequestInfo, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Target, message};
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::World;

pub fn dates() -> Target {
    Target {
        name: "date",
        width: 1,
        seeds: seeds::dates(),
        generate: |mutator, seeds| mutator.text(seeds).into_bytes(),
        run,
    }
}

fn run(world: Arc<World>, text: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let text = String::from_utf8_lossy(&text);
        if let Ok(moment) = Timestamp::parse(&text) {
            let again = Timestamp::parse(&moment.to_string());
            if again != Ok(moment) {
                return Err(format!("`{text}` is `{moment}`, which is {again:?}"));
            }
        }
        let escaped = utf8_percent_encode(&text, NON_ALPHANUMERIC);
        let request = Request::get(format!("/api/dated?since={escaped}"));
        // The target exceeds the maximum length of a URI.
        if let Ok(request) = request.body(Body::empty()) {
            let response = world.app.serve(request, RequestInfo::default()).await;
            verdict::response(response, &[]).await?;
        }
        let params = json!({"name": "dated", "arguments": {"since": text}});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = message::request(call.to_string().into_bytes());
        let response = world.app.serve(request, RequestInfo::default()).await;
        verdict::response(response, &[]).await
    }
    .boxed()
}
