//! Lambda events: HTTP requests of every integration, and the events of a WebSocket API.

use std::sync::Arc;

use axum::body::to_bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bifold::{RequestInfo, lambda};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::Target;
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::{Failure, World};

/// The errors that an event may cause; others are failures of the server.
const OF_THE_EVENT: [&str; 3] = ["UnknownEvent", "Undelivered", "NotResumed"];

/// # Errors
/// The recorded events cannot be read.
pub fn targets() -> Result<[Target; 2], Failure> {
    let (mut http, mut socket) = (Vec::new(), Vec::new());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/events");
    let entries = std::fs::read_dir(folder)?;
    let mut paths: Vec<_> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    // Sorted, because the order of a directory differs between machines.
    paths.sort();
    for path in paths {
        let event = std::fs::read(&path)?;
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        match name.is_some_and(|it| it.starts_with("websocket_")) {
            true => socket.push(event),
            false => http.push(event),
        }
    }
    http.push(br#"{"bifold":{"task":"0123"}}"#.to_vec());
    http.push(b"{}".to_vec());
    Ok([
        of("lambda_event", http, Mutator::json),
        of("gateway_event", socket, frame),
    ])
}

fn of(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    generate: fn(&mut Mutator, &[Vec<u8>]) -> Vec<u8>,
) -> Target {
    Target {
        name,
        width: 1,
        seeds,
        generate,
        run,
    }
}

/// An event with a mutated message, or with everything else mutated.
fn frame(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    if mutator.once_in(3) {
        return mutator.json(seeds);
    }
    let message = mutator.json(&seeds::rpc());
    let event = mutator.pick(seeds);
    let mut event: Value = serde_json::from_slice(event).unwrap_or_default();
    event["body"] = json!(String::from_utf8_lossy(&message));
    event.to_string().into_bytes()
}

fn run(world: Arc<World>, event: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        // The platform sends only UTF-8.
        let event = String::from_utf8_lossy(&event);
        match lambda::answer(&world.app, &event, RequestInfo::default()).await {
            Err(failure) if OF_THE_EVENT.contains(&failure.kind()) => Ok(()),
            Err(failure) => Err(format!("{}: {failure}", failure.kind())),
            Ok(reply) => {
                let body = to_bytes(reply.into_body(), usize::MAX).await;
                let body = body.map_err(|error| format!("the reply broke off: {error}"))?;
                judge(&body, event.contains("\"HEAD\""))
            }
        }
    }
    .boxed()
}

/// Judges the response inside the platform's document; a response to HEAD has headers for a body that is absent.
fn judge(document: &[u8], may_be_bare: bool) -> Verdict {
    verdict::document(document)?;
    let reply: Value = serde_json::from_slice(document).unwrap_or_default();
    let Some(status) = reply["statusCode"].as_u64() else {
        return Ok(());
    };
    let media = reply.pointer("/headers/content-type");
    let media = media.or(reply.pointer("/multiValueHeaders/content-type/0"));
    let media = media.and_then(Value::as_str).unwrap_or("");
    let body = reply["body"].as_str().unwrap_or("");
    let body = match reply["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD
            .decode(body)
            .map_err(|error| format!("a body in base64: {error}"))?,
        _ => body.as_bytes().to_vec(),
    };
    let is_bare = body.is_empty() && may_be_bare && status < 500;
    if is_bare || media.starts_with("text/event-stream") {
        return Ok(());
    }
    verdict::answer(status as u16, media, &body, &[])
}
