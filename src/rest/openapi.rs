//! The OpenAPI 3.1 document, made from the same schemas that the functions are decoded by.

use std::collections::BTreeSet;

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use crate::registry::{Info, Registry, Tool};

use super::operation_ids::OperationIds;

/// The document without the URL of its server, which each request may see at another one.
pub(super) struct Document {
    /// All of it but the brace that ends it.
    text: String,
    hash: u128,
}

impl Document {
    /// The document of all functions, rendered once.
    pub(super) fn new(registry: &Registry, info: &Info) -> Document {
        let mut text = document(registry, info).to_string();
        text.pop();
        let hash = xxh3_128(text.as_bytes());
        Document { text, hash }
    }

    /// The whole document for clients that reach the server at `url`.
    pub(super) fn at(&self, url: &str) -> Bytes {
        let servers = format!(",\"servers\":{}}}", json!([{ "url": url }]));
        [self.text.as_bytes(), servers.as_bytes()].concat().into()
    }

    /// What tells it from every other, without reading it again.
    pub(super) fn hash_at(&self, url: &str) -> u128 {
        self.hash ^ xxh3_128_with_seed(url.as_bytes(), self.hash as u64)
    }
}

fn document(registry: &Registry, info: &Info) -> Value {
    let mut ids = OperationIds::new(registry);
    let mut paths = Map::new();
    for tool in registry.tools().iter().filter(|tool| tool.on_rest()) {
        for (index, path) in tool.paths().enumerate() {
            let id = match index {
                0 => ids.own(tool),
                _ => ids.further(tool, &(index + 1).to_string()),
            };
            let by_url = by_url(tool, path, id);
            operation(&mut paths, &format!("/api{path}"), "get", by_url);
        }
        if let Some(path) = tool.post_path() {
            let by_body = by_body(tool, ids.own(tool));
            operation(&mut paths, &format!("/api{path}"), "post", by_body);
        }
        let by_body = by_body(tool, ids.further(tool, "post"));
        operation(
            &mut paths,
            &format!("/api/{}", tool.name()),
            "post",
            by_body,
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title.as_ref().unwrap_or(&info.name),
            "version": info.version,
            "description": info.instructions.as_deref().unwrap_or(""),
        },
        // Nothing asks for credentials.
        "security": [],
        "tags": tags(registry),
        "paths": paths,
        "components": { "schemas": { "Problem": problem_schema() } },
    })
}

/// The groups of the operations, each once.
fn tags(registry: &Registry) -> Value {
    let tools = registry.tools().iter().filter(|tool| tool.on_rest());
    let names: BTreeSet<&str> = tools
        .flat_map(|tool| tool.groups())
        .map(AsRef::as_ref)
        .collect();
    names.iter().map(|name| json!({ "name": name })).collect()
}

fn operation(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    item[method] = operation;
}

fn by_url(tool: &Tool, path: &str, id: String) -> Value {
    let in_path = |name: &str| {
        path.split('/')
            .any(|part| part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) == Some(name))
    };
    let parameters = tool
        .parameters()
        .into_iter()
        .flatten()
        .map(|(name, schema)| parameter(tool, name, schema, in_path(name)));
    let mut operation = described(tool);
    operation["operationId"] = id.into();
    operation["parameters"] = parameters.collect();
    operation
}

fn parameter(tool: &Tool, name: &str, schema: &Value, in_path: bool) -> Value {
    let mut schema = schema.clone();
    let description = schema
        .as_object_mut()
        .and_then(|fields| fields.remove("description"));
    json!({
        "name": name,
        "in": if in_path { "path" } else { "query" },
        "required": in_path || tool.is_required(name),
        "description": description,
        "schema": schema,
    })
}

fn by_body(tool: &Tool, id: String) -> Value {
    let is_required = tool
        .parameters()
        .into_iter()
        .flatten()
        .any(|(name, _)| tool.is_required(name));
    let mut operation = described(tool);
    operation["operationId"] = id.into();
    operation["requestBody"] = json!({
        "required": is_required,
        "content": { "application/json": { "schema": tool.arguments() } },
    });
    operation["responses"]["408"] = failure("The body did not come in time");
    operation["responses"]["413"] = failure("The body is too large");
    operation["responses"]["415"] = failure("The body is not JSON");
    operation
}

fn described(tool: &Tool) -> Value {
    let summary = tool
        .description()
        .split(". ")
        .next()
        .unwrap_or("")
        .trim_end_matches('.');
    json!({
        "summary": tool.display_title().unwrap_or(summary),
        "description": tool.description(),
        "tags": tool.groups(),
        // Ids are unique to a route; this is the function that several of them call.
        "x-tool": tool.name(),
        "responses": {
            "200": {
                "description": "The result",
                "content": { "application/json": { "schema": tool.result().cloned().unwrap_or_else(|| json!({})) } },
            },
            "400": failure("An argument is wrong; `field` names it"),
            "404": failure("What the arguments name does not exist"),
            "422": failure("The function reports a failure"),
            "500": failure("A defect of this server"),
            "502": failure("An upstream failed or answered with something unusable"),
            "503": failure("An upstream asks for fewer requests; `Retry-After` says when to come back"),
            "504": failure("An upstream did not answer in time, or the time limit of the call was reached"),
        },
    })
}

fn failure(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": { "type": "string", "description": "The stable class of the failure" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What was wrong, where, and what to do" },
            "kind": { "type": "string", "description": "The last part of `type`" },
            "field": { "type": "string", "description": "The JSON path of the argument at fault" },
            "upstream": {
                "type": "object",
                "properties": { "name": { "type": "string" }, "status": { "type": "integer" } },
            },
            "retryable": { "type": "boolean", "description": "Whether the same call may succeed later" },
            "retry_after_ms": { "type": "integer" },
            "request_id": { "type": "string" },
        },
    })
}
