//! Numbers and other upstream data, through the functions that read them.

use std::sync::Arc;

use axum::body::Body;
use bifold::RequestInfo;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Request;
use serde_json::Value;

use super::Target;
use crate::mutate::Mutator;
use crate::seeds::NUMBERS;
use crate::verdict::{self, Verdict};
use crate::world::World;

/// An input has three lines: the path of a function, a target of its upstreams, and the body for that target.
pub fn target(world: &World) -> Target {
    let seeds = world.asked.iter().flat_map(|(path, targets)| {
        targets.iter().filter_map(move |target| {
            let body = String::from_utf8(world.canned.get(target)?).ok()?;
            let body: Value = serde_json::from_str(&body).ok()?;
            Some(format!("{path}\n{target}\n{body}").into_bytes())
        })
    });
    Target {
        name: "decimal",
        width: 1,
        seeds: seeds.collect(),
        generate,
        run,
    }
}

fn generate(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = mutator.pick(seeds);
    let Some((path, target, body)) = parts(seed) else {
        return seed.clone();
    };
    let mut body = body.to_vec();
    for _ in 0..mutator.0.usize(0..4) {
        renumber(mutator, &mut body);
    }
    let mut input = format!("{path}\n{target}\n").into_bytes();
    match mutator.0.bool() {
        true => input.extend_from_slice(&body),
        false => input.extend(mutator.json(&[body])),
    }
    input
}

/// Replaces a number, in whole or in part.
fn renumber(mutator: &mut Mutator, body: &mut Vec<u8>) {
    let from = mutator.0.usize(..=body.len());
    let is_part = |it: &u8| it.is_ascii_digit() || b".-+eE".contains(it);
    let Some(start) = body[from..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = from + start;
    let rest = &body[start..];
    let end = rest.iter().position(|it| !is_part(it));
    let end = start + end.unwrap_or(rest.len());
    let number = match mutator.once_in(3) {
        true => mutator.text(&[body[start..end].to_vec()]),
        false => (*mutator.pick(&NUMBERS)).to_owned(),
    };
    body.splice(start..end, number.bytes());
}

fn run(world: Arc<World>, input: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let Some((path, target, body)) = parts(&input) else {
            return Ok(());
        };
        let Ok(request) = Request::get(path).body(Body::empty()) else {
            return Ok(());
        };
        let before = world.canned.set(target, body.to_vec());
        let response = world.misled.serve(request, RequestInfo::default()).await;
        world.canned.set(target, before.unwrap_or_default());
        // Invalid upstream data is an upstream failure.
        verdict::response(response, &[502]).await
    }
    .boxed()
}

fn parts(input: &[u8]) -> Option<(&str, &str, &[u8])> {
    let mut lines = input.splitn(3, |it| *it == b'\n');
    let mut text = || std::str::from_utf8(lines.next()?).ok();
    let (path, target) = (text()?, text()?);
    Some((path, target, lines.next()?))
}
