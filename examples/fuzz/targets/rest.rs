//! REST arguments in the path, in the query, and in the body.

use std::sync::Arc;

use axum::body::Body;
use bifold::RequestInfo;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Method, Request};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::Target;
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::{self, World};

/// Characters that a URI must encode; escapes of the input are kept.
const ILLEGAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const SHAPES: &str =
    r#"{"count":1,"ratio":0.5,"names":["a"],"color":"red","inner":{"value":"x","moments":[]}}"#;

/// An input is a request target, and after a newline an optional body.
pub fn arguments(world: &World) -> Target {
    let mut seeds = world::paths(&world.app);
    seeds.push("/api/crypto_token_price?token_pair=HASH-USD&last_number_of_trades=2".to_owned());
    seeds
        .push("/api/dated?since=2025-11-18T12:00:00%2B01:00&until=2025-11-18T12:00:00Z".to_owned());
    seeds.extend(["/openapi.json", "/docs", "/health", "/"].map(str::to_owned));
    // As often as all other seeds together, because bodies use most of the code.
    let bodies = vec![format!("/api/shapes\n{SHAPES}"); seeds.len()];
    seeds.extend(bodies);
    Target {
        name: "rest_argument",
        width: 1,
        seeds: seeds.into_iter().map(String::into_bytes).collect(),
        generate,
        run,
    }
}

pub fn batches() -> Target {
    let of_batch = |body: Vec<u8>| [b"/api/batch\n".to_vec(), body].concat();
    Target {
        name: "rest_batch",
        width: 1,
        seeds: seeds::batches().into_iter().map(of_batch).collect(),
        generate: body,
        run,
    }
}

fn generate(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = mutator.pick(seeds).clone();
    match seed.contains(&b'\n') && !mutator.once_in(4) {
        true => body(mutator, &[seed]),
        false => mutator.bytes(&[seed]),
    }
}

fn body(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = mutator.pick(seeds).clone();
    let start = seed
        .iter()
        .position(|it| *it == b'\n')
        .map_or(0, |it| it + 1);
    let (target, body) = seed.split_at(start);
    [target.to_vec(), mutator.json(&[body.to_vec()])].concat()
}

fn run(world: Arc<World>, input: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let mut parts = input.splitn(2, |it| *it == b'\n');
        let target = percent_encode(parts.next().unwrap_or_default(), ILLEGAL).to_string();
        let (method, body) = match parts.next() {
            Some(body) => (Method::POST, Body::from(body.to_vec())),
            None => (Method::GET, Body::empty()),
        };
        let request = Request::builder().method(method).uri(target);
        let request = request.header("content-type", "application/json");
        // HTTP libraries would not accept this target.
        let Ok(request) = request.body(body) else {
            return Ok(());
        };
        let response = world.app.serve(request, RequestInfo::default()).await;
        verdict::response(response, &[]).await
    }
    .boxed()
}
