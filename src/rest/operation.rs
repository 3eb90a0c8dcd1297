//! One operation of the OpenAPI document: parameters, body, and possible responses.

use http::Method;
use serde_json::{Map, Value, json};

use super::binding::{Binding, FORM, JSON, MULTIPART, Place};
use super::headers::ONCE;
use crate::registry::location;
use crate::registry::upload::{is_list, is_upload};
use crate::registry::{Route, Tool};

/// The operation of a function at one of its routes; without a route, at `POST /api/{name}`.
pub(super) fn operation(tool: &Tool, route: Option<&Route>, id: String) -> Value {
    let binding = Binding::new(tool, route);
    let takes_body = route.is_none_or(Route::takes_body);
    let summary = tool.description().split(". ").next().unwrap_or("");
    let mut operation = json!({
        "operationId": id,
        "summary": tool.display_title().unwrap_or(summary.trim_end_matches('.')),
        "description": tool.description(),
        "tags": tool.groups(),
        // Operation ids are unique to a route, so this names the function.
        "x-tool": tool.name(),
        "responses": responses(tool, route, takes_body),
    });
    let mut parameters = parameters(tool, &binding);
    if takes_key(tool, route) {
        parameters.push(once_key());
    }
    if !takes_body || !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if takes_body {
        operation["requestBody"] = body(tool, &binding);
    }
    if tool.is_dynamic() {
        relocate_schemas(tool, route, &mut operation);
    }
    operation
}

/// References inside a schema from elsewhere begin at its own root, which is not that of the document.
fn relocate_schemas(tool: &Tool, route: Option<&Route>, operation: &mut Value) {
    let path = route.map_or_else(|| format!("/{}", tool.name()), |it| it.path().to_owned());
    let method = route.map_or("post".to_owned(), |it| {
        it.method().as_str().to_ascii_lowercase()
    });
    let place = format!("/api{path}").replace('~', "~0").replace('/', "~1");
    let place = place.replace('{', "%7B").replace('}', "%7D");
    let success = tool.success_status().unwrap_or(tool.output().status);
    for inside in ["requestBody".to_owned(), format!("responses/{success}")] {
        let pointer = format!("/{inside}/content/application~1json/schema");
        if let Some(schema) = operation.pointer_mut(&pointer) {
            relocate(schema, &format!("#/paths/{place}/{method}{pointer}"));
        }
    }
}

fn relocate(schema: &mut Value, root: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "$ref" => {
                        if let Some(rest) = text
                            .strip_prefix('#')
                            .filter(|it| it.is_empty() || it.starts_with('/'))
                        {
                            *text = format!("{root}{rest}");
                        }
                    }
                    _ if matches!(key.as_str(), "const" | "enum" | "default" | "examples") => {}
                    value => relocate(value, root),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| relocate(it, root)),
        _ => {}
    }
}

/// The parameters outside the body.
fn parameters(tool: &Tool, binding: &Binding) -> Vec<Value> {
    let places = binding.places().iter();
    let parameters = places.filter_map(|(name, place)| {
        let schema = tool.parameters()?.get(name)?;
        let place: (&str, &str) = match place {
            Place::Path => ("path", name),
            Place::Query => ("query", name),
            Place::Header(header) => ("header", header.as_str()),
            Place::Cookie(cookie) => ("cookie", cookie),
            Place::Body => return None,
        };
        Some(parameter(tool, (name, schema), place))
    });
    parameters.collect()
}

/// Whether a key is of use: for what changes something, by a method that may.
fn takes_key(tool: &Tool, route: Option<&Route>) -> bool {
    !tool.hints().read_only && route.is_none_or(|it| *it.method() != Method::GET)
}

/// The key under which a call is made once.
fn once_key() -> Value {
    json!({
        "name": ONCE,
        "in": "header",
        "required": false,
        "description": "A new key for each call, such as a UUID; a call that is repeated with its key within 24 hours is not \
                        made again, and gets the first answer",
        "schema": { "type": "string", "pattern": "^(\"[A-Za-z0-9._:-]{1,255}\"|[A-Za-z0-9._:-]{1,255})$" },
    })
}

fn parameter(tool: &Tool, (name, schema): (&str, &Value), (place, shown): (&str, &str)) -> Value {
    let mut schema = published(schema);
    let description = schema
        .as_object_mut()
        .and_then(|fields| fields.remove("description"));
    let is_list = schema.get("type").is_some_and(|it| it == "array");
    let mut parameter = json!({
        "name": shown,
        "in": place,
        "required": place == "path" || tool.is_required(name),
        "description": description,
        "schema": schema,
    });
    if is_list {
        parameter["style"] = "form".into();
        parameter["explode"] = true.into();
    }
    parameter
}

/// The schema of a parameter, without the attributes for its place.
fn published(schema: &Value) -> Value {
    let mut outer = json!({ "properties": { "it": schema } });
    location::strip(&mut outer);
    outer["properties"]["it"].take()
}

/// The body in each of its media types, without the parameters that are outside it.
fn body(tool: &Tool, binding: &Binding) -> Value {
    let in_body = |name: &str| binding.place(name) == Some(&Place::Body);
    let mut schema = tool.arguments();
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        fields.retain(|name, _| in_body(name));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|it| it.as_str().is_some_and(in_body));
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = required.is_some_and(|names| !names.is_empty());
    if !is_required && let Some(fields) = schema.as_object_mut() {
        fields.remove("required");
    }
    let mut content = Map::new();
    // Forms are taken and not listed: a second type breaks the code that openapi-python-client generates.
    for media_type in binding.accepted().into_iter().filter(|it| *it != FORM) {
        let schema = match media_type {
            JSON => json!({ "schema": schema }),
            MULTIPART => json!({ "schema": with_files(&schema) }),
            // The whole body is the file.
            _ => json!({}),
        };
        content.insert(media_type.to_owned(), schema);
    }
    json!({ "required": is_required, "content": content })
}

/// The schema with the bytes of files in place of base64.
fn with_files(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        let description = property.get("description").cloned();
        let file = json!({ "type": "string", "format": "binary" });
        let mut bytes = match (is_upload(property), is_list(property)) {
            (true, _) => file,
            (_, true) => json!({ "type": "array", "items": file }),
            _ => continue,
        };
        if let Some(description) = description {
            bytes["description"] = description;
        }
        *property = bytes;
    }
    schema
}

/// The possible responses of a call.
fn responses(tool: &Tool, route: Option<&Route>, takes_body: bool) -> Value {
    let output = tool.output();
    let own = tool.success_status().filter(|_| output.status == 200);
    let success = own.unwrap_or(output.status).to_string();
    let mut responses = json!({
        success: success_response(tool, route),
        "400": failure("An argument is wrong; `field` names it"),
        "500": failure("A defect of this server"),
        "503": failure("An upstream asks for fewer requests; `Retry-After` says when to come back"),
        "504": failure("An upstream did not answer in time, or the time limit of the call was reached"),
    });
    let is_open = tool.hints().open_world;
    // A function without upstreams can fail only with the errors that it declares.
    let is_free = is_open || tool.declared_errors().is_empty();
    if is_free {
        responses["422"] = failure("The function reports a failure");
    }
    let names_something = is_open || tool.parameters().is_some_and(|it| !it.is_empty());
    if is_free && names_something {
        responses["404"] = failure("What the arguments name does not exist");
    }
    // A closed-world function sends no upstream requests.
    if is_open {
        responses["502"] = failure("An upstream failed or answered with something unusable");
    }
    if !tool.required_capabilities().is_empty() {
        responses["501"] = failure("Only an MCP client can give what the function asks for");
    }
    if takes_body {
        responses["403"] = failure("A page of another origin sends a form");
        responses["408"] = failure("The body did not come in time");
        responses["413"] = failure("The body is too large");
        responses["415"] = failure("The body has another type than those that are taken");
    }
    if takes_key(tool, route) {
        responses["409"] =
            failure("The call with this idempotency key still runs, or its answer is not known");
        if responses.get("422").is_none() {
            responses["422"] = failure("The idempotency key was used for another call");
        }
    }
    declare(tool, &mut responses);
    responses
}

/// Adds the errors that the function declares; those with the same status share a response.
fn declare(tool: &Tool, responses: &mut Value) {
    for error in tool.declared_errors() {
        let kind = error.kind();
        let status = kind.status().as_str().to_owned();
        let mut said = format!("`{}`: {}", kind.as_str(), error.when());
        if let Some(before) = responses[&status]["description"].as_str() {
            said = format!("{before}. {said}");
        }
        responses[&status] = failure(&said);
    }
}

fn success_response(tool: &Tool, route: Option<&Route>) -> Value {
    let output = tool.output();
    let is_nothing = tool.success_status() == Some(204);
    let Some(media_type) = output.media_type.filter(|_| !is_nothing) else {
        return json!({ "description": "Nothing" });
    };
    let schema = tool.result().cloned().unwrap_or_else(|| json!({}));
    let mut content = json!({ media_type: { "schema": schema } });
    if tool.has_progress() {
        content["text/event-stream"] = json!({ "schema": {
            "type": "string",
            "description": "With `Accept: text/event-stream`: events `progress` and `log`, and at the end `result` with \
                            the result or `error` with a problem document. Close the connection at the end.",
        } });
    }
    let mut response = json!({ "description": "The result", "content": content });
    if tool.is_paged() && route.is_some_and(|it| !it.takes_body()) {
        response["headers"]["Link"] = json!({
            "description": "The next page, with `rel=\"next\"`; absent on the last one",
            "schema": { "type": "string" },
        });
    }
    if output.status == 201 {
        let url = json!({ "type": "string", "format": "uri-reference" });
        response["headers"]["Location"] = json!({ "description": "Where it is", "schema": url });
    }
    response
}

pub(super) fn failure(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
