//! The contract of an application: what its callers rely on, in one document with a fixed order.

use serde_json::{Value, json};

use super::openapi;
use crate::registry::{Registry, Tool};
use crate::schema;

/// The form of the document. A program reads no other one.
pub(super) const FORM: u64 = 1;

/// The contract of these functions, whose paths are in the OpenAPI document.
pub(super) fn of(registry: &Registry, document: &Value, name: &str, version: &str) -> Value {
    let mut operations = openapi::routes(document);
    let tools = registry.tools().iter();
    let tools = schema::object(
        tools.map(|it| (it.name().to_owned(), tool(it, operations.remove(it.name())))),
    );
    let resources = registry.resources().iter();
    let resources = schema::object(resources.map(|it| {
        let function = it.function();
        let entry = json!({
            "media_type": it.mime_type(),
            "arguments": function.arguments(),
            "scopes": scopes(function),
            "public": function.is_public(),
        });
        (it.uri().to_owned(), entry)
    }));
    let prompts = registry.prompts().iter();
    let prompts = schema::object(prompts.map(|it| {
        let function = it.function();
        let entry = json!({
            "arguments": function.arguments(),
            "scopes": scopes(function),
            "public": function.is_public(),
        });
        (it.name().to_owned(), entry)
    }));
    json!({
        "contract": FORM,
        "name": name,
        "version": version,
        "tools": tools,
        "resources": resources,
        "prompts": prompts,
    })
}

fn tool(tool: &Tool, routes: Option<Value>) -> Value {
    let hints = tool.hints();
    let errors = tool.declared_errors().iter();
    let errors = schema::object(errors.map(|it| {
        let status = it.kind().status().as_u16();
        (it.kind().as_str().to_owned(), status.into())
    }));
    let capabilities = tool.required_capabilities().iter();
    let capabilities: Vec<String> = capabilities.map(|it| format!("{it:?}")).collect();
    let output = tool.output();
    json!({
        "description": tool.description(),
        "protocols": tool.protocols(),
        "routes": routes.unwrap_or_else(|| json!({})),
        "arguments": tool.arguments(),
        "result": tool.result(),
        "media_type": output.media_type,
        "status": tool.success_status().filter(|_| output.status == 200).unwrap_or(output.status),
        "errors": errors,
        "scopes": scopes(tool),
        "public": tool.is_public(),
        "capabilities": capabilities,
        "hints": {
            "read_only": hints.read_only,
            "destructive": hints.destructive,
            "idempotent": hints.idempotent,
            "open_world": hints.open_world,
        },
    })
}

fn scopes(tool: &Tool) -> Vec<&str> {
    let mut scopes: Vec<&str> = tool.required_scopes().iter().map(AsRef::as_ref).collect();
    scopes.sort_unstable();
    scopes
}
