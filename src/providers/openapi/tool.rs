//! The tool of an imported operation: its call is a request to an upstream.

use std::sync::Arc;

use http::{HeaderValue, Method};
use serde_json::Value;
use serde_json::value::RawValue;

use super::plan::{Call, Plan};
use super::problem;
use super::returns::Returns;
use crate::config::Secret;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::registry::{Answer, Bytes, IntoAnswer, Tool};
use crate::upstream::Upstream;

/// What the calls of one operation need.
struct Imported {
    call: Call,
    upstream: Arc<Upstream>,
    /// What no error repeats.
    secrets: Arc<[Secret]>,
}

/// The tool of an operation.
pub(super) fn tool(
    plan: Plan,
    import: &str,
    upstream: Arc<Upstream>,
    secrets: Arc<[Secret]>,
) -> Tool {
    let path = format!("/{import}/{}", plan.name);
    let takes_query = plan.call.method == Method::GET
        && plan.input["properties"]
            .as_object()
            .is_none_or(|it| it.values().all(is_in_query));
    let method = plan.call.method.clone();
    let imported = Arc::new(Imported {
        call: plan.call,
        upstream,
        secrets,
    });
    let run = move |cx: Context, arguments: Box<RawValue>| {
        let imported = imported.clone();
        async move { imported.run(cx, &arguments).await }
    };
    let mut tool = Tool::dynamic(plan.name, plan.input, run)
        .checked_by(plan.typed)
        .describe(plan.description)
        .tags(plan.tags)
        .without_name_path();
    if takes_query {
        tool = tool.get(path.clone());
    }
    tool = tool.post(path);
    if let Some(title) = plan.title {
        tool = tool.title(title);
    }
    if let Some(output) = plan.output {
        tool = tool.output_schema(output);
    }
    match method {
        Method::GET | Method::HEAD => tool.read_only(),
        Method::PUT | Method::DELETE => tool.idempotent(),
        _ => tool,
    }
}

/// Whether a parameter can be written in our own query: a single value, or a list of them.
fn is_in_query(schema: &Value) -> bool {
    let is_scalar = |it: &Value| {
        let kind = it.get("type").and_then(Value::as_str);
        kind.is_some_and(|it| matches!(it, "string" | "integer" | "number" | "boolean"))
    };
    is_scalar(schema) || schema.get("items").is_some_and(is_scalar)
}

impl Imported {
    async fn run(&self, cx: Context, arguments: &RawValue) -> Result<Answer> {
        let request = self.call.request(arguments)?;
        let mut sending = cx
            .upstream(&self.upstream)
            .request(self.call.method.clone(), &request.target);
        for (name, value) in &request.headers {
            sending = sending.header(name, value);
        }
        if let Some((body, media_type)) = request.body {
            sending = sending.bytes_body(body, &media_type);
        }
        let answered = match &self.call.returns {
            Returns::Json(media_type) => {
                let bytes = sending.header("accept", media_type).bytes().await;
                bytes.and_then(|it| of_json(&it, &self.upstream.name))
            }
            Returns::Bytes(media_type) => {
                let bytes = sending.header("accept", media_type).bytes().await;
                bytes.and_then(|it| of_bytes(it, media_type, &cx))
            }
            Returns::Unknown => {
                let bytes = sending.bytes().await;
                bytes.and_then(|it| of_anything(it, &cx))
            }
        };
        answered.map_err(|error| problem::told(error, &self.secrets))
    }
}

fn of_bytes(content: bytes::Bytes, media_type: &str, cx: &Context) -> Result<Answer> {
    let media_type = match HeaderValue::from_str(media_type).is_ok() && media_type.contains('/') {
        true => media_type.to_owned(),
        false => "application/octet-stream".to_owned(),
    };
    Bytes::new(content, media_type).into_answer(cx)
}

/// JSON as it came; an empty body is null.
fn of_json(content: &bytes::Bytes, upstream: &str) -> Result<Answer> {
    if content.is_empty() {
        return Answer::of(&RawValue::NULL);
    }
    let json: &RawValue = serde_json::from_slice(content).map_err(|error| {
        let problem = "answered with a body that is not JSON";
        Error::invalid_response(upstream.to_owned(), problem).with_source(error)
    })?;
    Answer::of(&json)
}

/// JSON where it is JSON, and else text or bytes.
fn of_anything(content: bytes::Bytes, cx: &Context) -> Result<Answer> {
    if content.is_empty() {
        return Answer::of(&RawValue::NULL);
    }
    if let Ok(json) = serde_json::from_slice::<&RawValue>(&content) {
        return Answer::of(&json);
    }
    let is_text = std::str::from_utf8(&content).is_ok();
    let media_type = if is_text {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    of_bytes(content, media_type, cx)
}
