//! Schemas that every client accepts, not only clients with full JSON Schema support.

use serde_json::Value;

use super::walk;
use crate::support::TestApp;

/// Every argument schema, with the name of its function.
fn inputs(app: &TestApp) -> Vec<(String, Value)> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    tools
        .map(|tool| (tool.name().to_owned(), tool.arguments()))
        .collect()
}

/// Every result schema, with the name of its function.
fn outputs(app: &TestApp) -> Vec<(String, Value)> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    let outputs = tools.filter_map(|tool| Some((tool.name().to_owned(), tool.result()?.clone())));
    outputs.collect()
}

/// Calls `see` with every schema under `properties` at any depth.
fn properties<'v>(schema: &'v Value, see: &mut impl FnMut(&'v str, &'v Value)) {
    walk(schema, &mut |value| {
        // A parameter may itself be called `properties`; its schema has a type, a list of schemas has none.
        let Some(fields) = value.get("properties").and_then(Value::as_object) else {
            return;
        };
        for (name, schema) in fields {
            see(name, schema);
        }
    });
}

#[tokio::test]
async fn names_fit_every_client() {
    let app = TestApp::start().await;
    for tool in app.app.registry().tools() {
        let name = tool.name();
        assert!((1..=64).contains(&name.len()), "{name}");
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        assert!(name.bytes().all(legal), "{name}");
    }
}

#[tokio::test]
async fn arguments_are_closed_objects_without_a_choice_at_the_root() {
    let app = TestApp::start().await;
    for (name, schema) in inputs(&app) {
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert!(schema["properties"].is_object(), "{name}");
        for choice in ["anyOf", "oneOf", "allOf", "not", "if", "enum"] {
            assert!(schema.get(choice).is_none(), "{name}: {choice}");
        }
    }
}

#[tokio::test]
async fn results_are_objects() {
    let app = TestApp::start().await;
    let outputs = outputs(&app);
    assert_eq!(outputs.len(), 43);
    for (name, schema) in outputs {
        assert_eq!(schema["type"], "object", "{name}");
        assert!(schema["properties"].is_object(), "{name}");
    }
}

#[tokio::test]
async fn schemas_have_no_references_and_one_type_each() {
    let app = TestApp::start().await;
    for (name, schema) in inputs(&app).into_iter().chain(outputs(&app)) {
        walk(&schema, &mut |value| {
            for key in ["$ref", "$defs", "definitions", "$schema", "$id"] {
                assert!(value.get(key).is_none(), "{name}: {key} in {value}");
            }
            assert!(!value["type"].is_array(), "{name}: {value}");
        });
        properties(&schema, &mut |field, schema| {
            assert!(
                schema.is_object(),
                "{name}: the schema of `{field}` is {schema}"
            );
        });
    }
}

#[tokio::test]
async fn every_parameter_is_described_and_typed_and_none_is_null() {
    let app = TestApp::start().await;
    for (name, schema) in inputs(&app) {
        properties(&schema, &mut |parameter, schema| {
            let said = schema["description"].as_str().unwrap_or("");
            assert!(
                !said.trim().is_empty(),
                "{name}: `{parameter}` has no description"
            );
            assert!(
                schema["type"].is_string(),
                "{name}: `{parameter}` has no type"
            );
            let may_be_null = schema.get("anyOf").is_some() || schema["type"] == "null";
            assert!(!may_be_null, "{name}: `{parameter}` may be null");
            assert!(
                !schema["default"].is_null() || schema.get("default").is_none(),
                "{name}: `{parameter}`"
            );
        });
    }
}

#[tokio::test]
async fn every_required_field_exists() {
    let app = TestApp::start().await;
    for (name, schema) in inputs(&app).into_iter().chain(outputs(&app)) {
        walk(&schema, &mut |value| {
            let required = value.get("required").and_then(Value::as_array);
            for field in required.into_iter().flatten() {
                let field = field.as_str().unwrap();
                assert!(
                    value["properties"].get(field).is_some(),
                    "{name}: `{field}`"
                );
            }
        });
    }
}

#[tokio::test]
async fn a_function_description_is_not_inside_its_schema() {
    let app = TestApp::start().await;
    for tool in app.app.registry().tools() {
        assert!(tool.description().len() > 20, "{}", tool.name());
        assert!(
            tool.arguments().get("description").is_none(),
            "{}",
            tool.name()
        );
        assert!(tool.arguments().get("title").is_none(), "{}", tool.name());
    }
}
