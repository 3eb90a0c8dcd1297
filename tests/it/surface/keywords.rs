//! Schemas with keywords that cannot be enforced are refused at the start, with the place and with what to do.

use std::sync::Arc;

use bifold::{App, Config, Server};
use serde_json::{Value, json};

use crate::arguments::rules;

/// What the start says of a function with that schema for its parameter `it`.
fn refusal(schema: &Value) -> String {
    let tool = rules::tool(schema, &Arc::default());
    let started = App::new(Config::default(), Server::new("it", "1").tools(vec![tool]));
    started.err().map(|it| it.to_string()).unwrap_or_default()
}

#[test]
fn a_keyword_that_cannot_be_enforced_is_refused_with_its_place() {
    for (schema, parts) in [
        (
            json!({"unevaluatedItems": false}),
            ["`unevaluatedItems` at `$.properties.it`", "`description`"],
        ),
        (
            json!({"$dynamicRef": "#x"}),
            ["`$dynamicRef` at `$.properties.it`", "remove it"],
        ),
        (
            json!({"items": {"nullable": true}}),
            ["`nullable` at `$.properties.it.items`", "remove it"],
        ),
        (
            json!({"format": "zip-code"}),
            [
                "`format` at `$.properties.it`",
                "`zip-code` is not known: use one of `date`",
            ],
        ),
        (
            json!({"pattern": "(?=a)"}),
            ["`pattern` at `$.properties.it`", "looks around"],
        ),
        (
            json!({"pattern": r"(a)\1"}),
            ["`pattern` at `$.properties.it`", r"`\1`"],
        ),
        (
            json!({"pattern": r"\p{L}"}),
            ["`pattern` at `$.properties.it`", r"`\p`"],
        ),
        (
            json!({"pattern": "(?i)a"}),
            ["`pattern` at `$.properties.it`", "flags"],
        ),
        (
            json!({"pattern": "("}),
            ["`pattern` at `$.properties.it`", "cannot be enforced"],
        ),
        (
            json!({"patternProperties": {"[": {}}}),
            ["`patternProperties` at `$.properties.it`", "`[`"],
        ),
        (
            json!({"$ref": "https://example.com/schema"}),
            ["`$ref` at `$.properties.it`", "`#/$defs/name`"],
        ),
        (
            json!({"$ref": "#/$defs/none"}),
            ["`$ref` at `$.properties.it`", "`#/$defs/none`"],
        ),
        (
            json!({"minimum": "1"}),
            ["`minimum` at `$.properties.it`", "is not a number"],
        ),
        (
            json!({"maxLength": -1}),
            ["`maxLength` at `$.properties.it`", "whole number"],
        ),
        (
            json!({"multipleOf": 0}),
            ["`multipleOf` at `$.properties.it`", "above 0"],
        ),
        (
            json!({"type": "any"}),
            ["`type` at `$.properties.it`", "JSON type"],
        ),
        (
            json!({"anyOf": [1]}),
            ["`$.properties.it.anyOf[0]`", "is not a schema"],
        ),
        (
            json!({"items": [{}]}),
            ["`$.properties.it.items`", "is not a schema"],
        ),
    ] {
        let said = refusal(&schema);
        assert!(said.contains("function `f`"), "{schema}: {said}");
        for part in parts {
            assert!(said.contains(part), "{schema}: {part}: {said}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_only_describes_is_taken() {
    let notes = json!({
        "title": "It", "description": "It.", "default": 1, "examples": [1], "deprecated": true, "readOnly": false,
        "$comment": "It.", "contentMediaType": "text/plain", "x-own": 1, "format": "password", "minimum": 0,
    });
    assert_eq!(refusal(&notes), "");
}
