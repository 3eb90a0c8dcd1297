//! Opaque values that clients return: the cursor of a list, and the request state of a call.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bifold::RequestInfo;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{Target, message};
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::{Failure, World};

/// A JSON string with a mutated request state or cursor.
const FIELD: &str = "/params/requestState";

const LISTS: [&str; 4] = [
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
];

/// # Errors
/// A list has only one page, so there is no cursor.
pub async fn cursors(world: &World) -> Result<Target, Failure> {
    let mut cursors = Vec::new();
    for page in 1..4 {
        let cursor = format!("1 tools/list {}", page * 5);
        cursors.push(URL_SAFE_NO_PAD.encode(cursor).into_bytes());
    }
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let answer = ask(world, &request).await?;
    let given = answer.pointer("/result/nextCursor").and_then(Value::as_str);
    cursors.push(given.ok_or("the list has one page")?.as_bytes().to_vec());
    Ok(Target {
        name: "cursor",
        width: 1,
        seeds: cursors,
        generate: cursor,
        run: page,
    })
}

/// # Errors
/// The call does not ask its client.
pub async fn target(world: &World) -> Result<Target, Failure> {
    let answer = ask(world, &seeds::question()).await?;
    let state = answer.pointer("/result/requestState");
    let state = state.ok_or_else(|| format!("no state: {answer}"))?;
    Ok(Target {
        name: "request_state",
        width: 1,
        seeds: vec![seeds::continuation(state)],
        generate: continuation,
        run: |world, body| message_of(world, body).boxed(),
    })
}

/// A cursor with mutated text or with mutated content.
fn cursor(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    if mutator.0.bool() {
        return mutator.bytes(seeds);
    }
    let seed = mutator.pick(seeds).clone();
    let meaning = URL_SAFE_NO_PAD.decode(seed).unwrap_or_default();
    let changed = mutator.bytes(&[meaning]);
    URL_SAFE_NO_PAD.encode(changed).into_bytes()
}

fn page(world: Arc<World>, cursor: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let cursor = String::from_utf8_lossy(&cursor);
        for list in LISTS {
            let params = json!({ "cursor": cursor });
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": list, "params": params});
            message_of(world.clone(), body.to_string().into_bytes()).await?;
        }
        Ok(())
    }
    .boxed()
}

/// A resumed call with a mutated request state, or with everything else mutated.
fn continuation(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    if mutator.0.bool() {
        return mutator.json(seeds);
    }
    let seed = mutator.pick(seeds);
    let mut message: Value = serde_json::from_slice(seed).unwrap_or_default();
    if let Some(state) = message.pointer_mut(FIELD) {
        let text = state.as_str().unwrap_or("").as_bytes().to_vec();
        // If the base64 text is mutated, the encrypted bytes are invalid; if the content is mutated, its
        // authentication fails.
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok();
        *state = match bytes.filter(|_| mutator.0.bool()) {
            Some(bytes) => json!(URL_SAFE_NO_PAD.encode(mutator.bytes(&[bytes]))),
            None => json!(mutator.text(&[text])),
        };
    }
    message.to_string().into_bytes()
}

async fn message_of(world: Arc<World>, body: Vec<u8>) -> Verdict {
    let request = message::request(body);
    let response = world.app.serve(request, RequestInfo::default()).await;
    verdict::response(response, &[]).await
}

/// The answer to a message, as a document or as a stream.
async fn ask(world: &World, body: &Value) -> Result<Value, Failure> {
    let request = message::request(body.to_string().into_bytes());
    let response = world.app.serve(request, RequestInfo::default()).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    let text = String::from_utf8_lossy(&body);
    let last = text.lines().rev().find(|line| line.contains("jsonrpc"));
    let last = last.unwrap_or(&text).trim_start_matches("data:");
    Ok(serde_json::from_str(last)?)
}
