//! The headers of revision 2026-07-28, which repeat parts of the body.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::header_value::header_value;

pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The most levels of a schema that are searched for headers.
const MAX_DEPTH: usize = 16;

/// The headers of a request: its revision, its method, and the name of what it asks for.
pub(super) fn standard(revision: &'static str, method: &str, params: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(VERSION, HeaderValue::from_static(revision));
    headers.extend(header_value(method).map(|it| (METHOD, it)));
    let field = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return headers,
    };
    let name = params[field].as_str().and_then(header_value);
    headers.extend(name.map(|it| (NAME, it)));
    headers
}

/// The `Mcp-Param-*` headers that the input schema of a tool demands for these arguments.
pub(crate) fn params(schema: &Value, arguments: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    add(&mut headers, schema, arguments, MAX_DEPTH);
    headers
}

fn add(headers: &mut HeaderMap, schema: &Value, arguments: &Value, depth: usize) {
    let properties = schema["properties"].as_object().filter(|_| depth > 0);
    for (name, property) in properties.into_iter().flatten() {
        let argument = &arguments[name];
        let header = property["x-mcp-header"].as_str();
        let header = header.and_then(|it| format!("mcp-param-{it}").parse::<HeaderName>().ok());
        let text = match argument {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(argument.to_string()),
            Value::Object(_) => {
                add(headers, property, argument, depth - 1);
                None
            }
            _ => None,
        };
        let text = text.as_deref().and_then(header_value);
        headers.extend(header.zip(text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_says_which_arguments_are_headers_too() {
        let schema = json!({"properties": {
            "region": {"x-mcp-header": "Region"},
            "level": {"x-mcp-header": "Level"},
            "absent": {"x-mcp-header": "Absent"},
            "inner": {"properties": {"deep": {"x-mcp-header": "Deep"}}},
            "plain": {},
        }});
        let arguments = json!({"region": "eu", "level": 3, "inner": {"deep": true}, "plain": "x"});
        let headers = params(&schema, &arguments);
        let mut shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        shown.sort();
        let expected = [
            "mcp-param-deep: true",
            "mcp-param-level: 3",
            "mcp-param-region: eu",
        ];
        assert_eq!(shown, expected);
        assert_eq!(params(&json!(true), &json!({})).len(), 0);
    }
}
