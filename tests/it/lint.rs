//! The findings in schemas: one schema for each rule, and no errors in the bundled functions.

mod refusal;
mod warning;

use bifold::lint::{Finding, Severity};
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::TestApp;

/// Accepts whatever its published schema says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Anything {}

fn anything(_: Context, Anything {}: Anything) -> Result<Content> {
    Ok(Content::text(""))
}

/// The findings in a schema. Some of these a server refuses at the start, so they are not registered.
fn findings(schema: Value) -> Vec<Finding> {
    bifold::lint::of_schema("f", &schema)
}

/// A portable schema with these keywords at its root.
fn root(keywords: Value) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {},
        "additionalProperties": false,
    });
    schema
        .as_object_mut()
        .unwrap()
        .extend(keywords.as_object().unwrap().clone());
    schema
}

/// A portable schema with one parameter, `it`.
fn parameter(schema: Value) -> Value {
    root(json!({"properties": {"it": schema}, "required": ["it"]}))
}

/// An object with these properties, all required, and no others.
fn object(properties: Map<String, Value>) -> Value {
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

#[track_caller]
fn assert_found(schema: Value, expected: &[&str]) {
    let found: Vec<String> = findings(schema.clone())
        .iter()
        .map(Finding::to_string)
        .collect();
    assert_eq!(found, expected, "{schema}");
}

#[test]
fn a_portable_schema_has_no_findings() {
    let inner = json!({"a": {"type": "integer", "minimum": 1}, "b": {"type": "array", "items": {"type": "boolean"}}});
    assert_found(root(json!({})), &[]);
    for schema in [
        json!({"type": "string", "enum": ["a", "b"], "description": "One of two."}),
        json!({"type": "string", "format": "date-time", "pattern": "Z$"}),
        json!({"type": "number", "default": 0.5}),
        json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        // These contain values, not schemas.
        json!({"type": "string", "default": "x", "examples": [true], "x-mcp-header": "It"}),
        object(inner.as_object().unwrap().clone()),
    ] {
        assert_found(parameter(schema), &[]);
    }
}

#[test]
fn a_name_with_other_characters_is_an_error_at_the_root() {
    let long = "a".repeat(65);
    for name in ["filter[id]", "a b", "größe", "$top", "", long.as_str()] {
        let described = json!({"type": "string", "description": "It."});
        let schema = root(json!({"properties": {name: described}, "required": [name]}));
        let place = match name == long {
            true => format!("$.properties.{name}"),
            false => format!("$.properties['{name}']"),
        };
        let said = format!(
            "error: function `f`, `{place}`: its name is `{name}`, which is refused by Claude; use 1 to 64 characters of \
             `a-z`, `A-Z`, `0-9`, `_`, `.`, `-`"
        );
        assert_found(schema, &[&said]);
        let inner = object(Map::from_iter([(
            name.to_owned(),
            json!({"type": "string"}),
        )]));
        assert_found(parameter(inner), &[]);
    }
    let longest = "a".repeat(64);
    for name in ["a-b.c_D9", longest.as_str()] {
        assert_found(
            root(json!({"properties": {name: {"type": "string"}}, "required": [name]})),
            &[],
        );
    }
}

#[test]
fn only_functions_on_mcp_are_checked_and_each_finding_names_its_function() {
    let broken = || root(json!({"anyOf": [{"type": "object", "additionalProperties": false}]}));
    let tool = |name| Tool::sync(name, anything).input_schema(broken());
    let tools = vec![tool("a"), tool("b").get("/b").rest_only(), tool("c")];
    let app = App::new(Config::default(), Server::new("it", "1").tools(tools)).unwrap();
    let names: Vec<String> = app.lint().into_iter().map(|it| it.function).collect();
    assert_eq!(names, ["a", "c"]);
}

#[tokio::test]
async fn no_client_refuses_the_bundled_functions() {
    let app = TestApp::start().await;
    let findings = app.app.lint();
    let errors: Vec<&Finding> = findings
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(
        !findings.is_empty(),
        "parameters that may be left out are worth a warning"
    );
}
