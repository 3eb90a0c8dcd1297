//! The OpenAPI 3.1 document, made from the same schemas that the functions are decoded by.

use serde_json::{Map, Value, json};

use crate::registry::{Info, Registry, Tool};

/// The whole document.
pub(super) fn document(registry: &Registry, info: &Info) -> Value {
    let mut paths = Map::new();
    for tool in registry.tools().iter().filter(|tool| tool.on_rest()) {
        for path in tool.paths() {
            operation(
                &mut paths,
                &format!("/api{path}"),
                "get",
                by_url(tool, path),
            );
        }
        if let Some(path) = tool.post_path() {
            let by_body = by_body(tool, tool.name().to_owned());
            operation(&mut paths, &format!("/api{path}"), "post", by_body);
        }
        operation(
            &mut paths,
            &format!("/api/{}", tool.name()),
            "post",
            by_body(tool, format!("{}.post", tool.name())),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title.unwrap_or(info.name),
            "version": info.version,
            "description": info.instructions.unwrap_or(""),
        },
        "servers": [{ "url": "./" }],
        "paths": paths,
        "components": { "schemas": { "Problem": problem_schema() } },
    })
}

fn operation(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    item[method] = operation;
}

fn by_url(tool: &Tool, path: &str) -> Value {
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
    operation["operationId"] = operation_id(tool, path).into();
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

/// The id of the function's own path is its name; another path adds its place in the list. The dot stands in no
/// name, so no other function can have the same id.
fn operation_id(tool: &Tool, path: &str) -> String {
    match tool.paths().position(|it| it == path) {
        Some(place @ 1..) => format!("{}.{}", tool.name(), place + 1),
        _ => tool.name().to_owned(),
    }
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
