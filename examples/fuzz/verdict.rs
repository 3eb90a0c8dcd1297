//! Judges an answer: a declared status, JSON where JSON is promised, and no internal error.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;
use http::Response;
use serde_json::Value;

/// Counts accepted inputs: a target that refuses every input before its parser proves little.
pub static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The problem of an answer.
pub type Verdict = Result<(), String>;

/// How long to wait for the next event of a stream: events that are due come at once, others may never come.
const QUIET: Duration = Duration::from_millis(2);

/// Judges an HTTP response; `may_fail` lists the declared statuses from 500 on.
pub async fn response(response: Response<Body>, may_fail: &[u16]) -> Verdict {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let media = parts.headers.get("content-type");
    let media = media
        .and_then(|it| it.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let body = body.into_data_stream();
    if media.starts_with("text/event-stream") {
        return events(body).await;
    }
    let body = whole(body).await?;
    answer(status, &media, &body, may_fail)
}

/// Judges the parts of an HTTP response.
pub fn answer(status: u16, media: &str, body: &[u8], may_fail: &[u16]) -> Verdict {
    if status >= 500 && status != 503 && !may_fail.contains(&status) {
        return Err(format!("status {status}: {}", shown(body)));
    }
    if media.contains("json") {
        return document(body);
    }
    match body.is_empty() || media.starts_with("text/html") {
        true => Ok(()),
        false => Err(format!("status {status}, `{media}`: {}", shown(body))),
    }
}

/// Judges one JSON document.
pub fn document(body: &[u8]) -> Verdict {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| format!("not JSON ({error}): {}", shown(body)))?;
    if !is_refusal(&value) {
        TAKEN.fetch_add(1, Ordering::Relaxed);
    }
    match is_internal(&value) {
        true => Err(format!("an internal error: {}", shown(body))),
        false => Ok(()),
    }
}

/// The beginning of a body.
pub fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().take(600).collect()
}

async fn whole(mut body: BodyDataStream) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    while let Some(part) = body.next().await {
        all.extend_from_slice(&part.map_err(|error| format!("the body broke off: {error}"))?);
    }
    Ok(all)
}

/// Judges the events that come at once; dropping the stream then cancels what still runs.
async fn events(mut body: BodyDataStream) -> Verdict {
    let mut all = Vec::new();
    while let Ok(Some(part)) = tokio::time::timeout(QUIET, body.next()).await {
        all.extend_from_slice(&part.map_err(|error| format!("the events broke off: {error}"))?);
    }
    let text = String::from_utf8(all).map_err(|_| "events that are not UTF-8")?;
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut data = data.map(str::trim).filter(|it| !it.is_empty());
    data.try_for_each(|it| document(it.as_bytes()))
}

/// Whether it is a JSON-RPC error, a REST problem, or a refusal inside the platform's document.
fn is_refusal(value: &Value) -> bool {
    let status = value.get("statusCode").or(value.get("status"));
    value.get("error").is_some() || status.is_some_and(|it| it.as_u64() > Some(299))
}

fn is_internal(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_internal),
        Value::Object(fields) => {
            let is = |key: &str, value: &Value| fields.get(key) == Some(value);
            is("kind", &"internal".into())
                || is("code", &(-32603).into())
                || fields.values().any(is_internal)
        }
        _ => false,
    }
}
