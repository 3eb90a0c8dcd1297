//! The OpenAPI 3.1 document, made from the same schemas that the functions are decoded by.

use std::collections::BTreeSet;

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use super::operation::operation;
use super::operation_ids::OperationIds;
use super::security::Security;
use crate::registry::{Info, Registry};

/// The document without the URL of its server, which each request may see at another one.
pub(super) struct Document {
    /// All of it but the brace that ends it.
    text: String,
    hash: u128,
}

impl Document {
    /// The document of all functions, rendered once.
    pub(super) fn new(registry: &Registry, info: &Info, security: &Security) -> Document {
        let mut text = document(registry, info, security).to_string();
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

fn document(registry: &Registry, info: &Info, security: &Security) -> Value {
    let mut ids = OperationIds::new(registry);
    let mut paths = Map::new();
    for tool in registry.tools().iter().filter(|tool| tool.on_rest()) {
        for (route, id) in ids.of(tool) {
            let by_name = || format!("/{}", tool.name());
            let path = route.map_or_else(by_name, |it| it.path().to_owned());
            let method = route.map_or("post".to_owned(), |it| {
                it.method().as_str().to_ascii_lowercase()
            });
            let item = paths.entry(format!("/api{path}"));
            let item = item.or_insert_with(|| json!({}));
            let mut operation = operation(tool, route, id);
            security.describe(tool, &mut operation);
            item[method] = operation;
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title.as_ref().unwrap_or(&info.name),
            "version": info.version,
            "description": info.instructions.as_deref().unwrap_or(""),
        },
        // Only operations ask for credentials.
        "security": [],
        "tags": tags(registry),
        "paths": paths,
        "components": { "schemas": { "Problem": problem_schema() } },
    });
    if let Some(schemes) = security.schemes() {
        document["components"]["securitySchemes"] = schemes;
    }
    document
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
            "data": { "description": "What the function says of the failure to programs" },
            "request_id": { "type": "string" },
        },
    })
}
