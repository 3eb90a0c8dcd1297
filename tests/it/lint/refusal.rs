//! Schemas that at least one client refuses.

use serde_json::{Map, Value, json};

use super::{assert_found, findings, object, parameter, root};

#[test]
fn an_invalid_json_schema_2020_12_is_an_error() {
    let form = "which is refused by Claude; write it as JSON Schema 2020-12 requires";
    for (keyword, value, expected) in [
        ("minimum", json!("1"), "a number"),
        ("exclusiveMinimum", json!("1"), "a number"),
        ("maxLength", json!(-1), "a whole number of at least 0"),
        ("minLength", json!(1.5), "a whole number of at least 0"),
        ("pattern", json!(["a"]), "a string"),
        ("description", json!(null), "a string"),
    ] {
        let found = findings(parameter(json!({"type": "string", keyword: value})));
        let said = format!(
            "error: function `f`, `$.properties.it.{keyword}`: `{keyword}` is not {expected}, {form}"
        );
        assert!(
            found.iter().any(|it| it.to_string() == said),
            "{said}: {found:?}"
        );
    }
    for (schema, place, problem) in [
        (
            json!({"type": "any"}),
            "type",
            "`type` is not a JSON type, or a list of different JSON types",
        ),
        (
            json!({"type": []}),
            "type",
            "`type` is not a JSON type, or a list of different JSON types",
        ),
        (
            json!({"type": "string", "enum": "a"}),
            "enum",
            "`enum` is not a list of values",
        ),
        (
            json!({"anyOf": []}),
            "anyOf",
            "`anyOf` is not a list of at least one schema",
        ),
        (
            json!({"type": "object", "properties": {"a": 1}}),
            "properties",
            "`properties` is not an object of schemas",
        ),
        (
            json!({"type": "object", "required": null}),
            "required",
            "`required` is not a list of different names",
        ),
        (
            json!({"type": "object", "required": ["a", "a"]}),
            "required",
            "`required` is not a list of different names",
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}]}),
            "items",
            "`items` is not one schema",
        ),
        (json!({"not": 1}), "not", "`not` is not a schema"),
    ] {
        let found = findings(parameter(schema));
        let said = format!("error: function `f`, `$.properties.it.{place}`: {problem}, {form}");
        assert!(
            found.iter().any(|it| it.to_string() == said),
            "{said}: {found:?}"
        );
    }
    assert_found(
        root(json!({"$schema": "http://json-schema.org/draft-07/schema#"})),
        &[
            "error: function `f`, `$.$schema`: it names another dialect than 2020-12, which is refused by Claude; \
           remove `$schema`, and write the schema in JSON Schema 2020-12",
        ],
    );
}

#[test]
fn a_choice_at_the_root_is_an_error() {
    for (keyword, value, clients) in [
        (
            "anyOf",
            json!([{"type": "object", "additionalProperties": false}]),
            "Claude and OpenAI",
        ),
        (
            "oneOf",
            json!([{"type": "object", "additionalProperties": false}]),
            "Claude and OpenAI",
        ),
        (
            "allOf",
            json!([{"type": "object", "additionalProperties": false}]),
            "Claude and OpenAI",
        ),
        (
            "if",
            json!({"type": "object", "additionalProperties": false}),
            "Claude",
        ),
        (
            "not",
            json!({"type": "object", "additionalProperties": false}),
            "OpenAI",
        ),
        ("enum", json!([{}]), "OpenAI"),
    ] {
        let said = format!(
            "error: function `f`, `$.{keyword}`: `{keyword}` is at the root, which is refused by {clients}; make the \
             arguments one plain object, and let the function check their combination"
        );
        assert_found(root(json!({keyword: value})), &[&said]);
    }
}

#[test]
fn a_boolean_instead_of_a_schema_is_an_error() {
    let said = |place: &str| {
        format!(
            "error: function `f`, `{place}`: it is a boolean instead of a schema, which is refused by Claude and \
             Gemini; declare the type, such as `{{\"type\": \"object\"}}`"
        )
    };
    assert_found(parameter(json!(true)), &[&said("$.properties.it")]);
    assert_found(
        parameter(json!({"type": "array", "items": true})),
        &[&said("$.properties.it.items")],
    );
    assert_found(
        parameter(json!({"anyOf": [false]})),
        &[&said("$.properties.it.anyOf[0]")],
    );
}

#[test]
fn what_gemini_cannot_represent_is_an_error() {
    assert_found(
        parameter(json!({"type": ["string", "null"]})),
        &[
            "error: function `f`, `$.properties.it.type`: it names several types, which is refused by Gemini; name \
             one type, and leave an optional parameter out of `required`",
        ],
    );
    let choice = "error: function `f`, `$.properties.it.enum`: it lists values that are not strings, which is \
     refused by \
                  Gemini; list strings with `\"type\": \"string\"`, or use `minimum` and `maximum`";
    for schema in [
        json!({"type": "integer", "enum": [1, 2]}),
        json!({"type": "string", "enum": ["a", 1]}),
        json!({"type": "string", "enum": ["a", null]}),
        json!({"enum": ["a"]}),
    ] {
        assert_found(parameter(schema), &[choice]);
    }
    assert_found(
        root(json!({"required": ["gone"]})),
        &[
            "error: function `f`, `$.required`: it names the unknown property `gone`, which is refused by Gemini; describe \
           it in `properties`, or remove it",
        ],
    );
    let fields = "error: function `f`, `$.properties.it`: it has fields but is not an object, which is refused by \
                  Gemini; say `\"type\": \"object\"`";
    assert_found(
        parameter(json!({"type": "string", "required": []})),
        &[fields],
    );
    assert_found(
        parameter(json!({"type": "string", "properties": {}})),
        &[fields],
    );
}

#[test]
fn an_array_without_items_is_an_error() {
    let said = |place: &str| {
        format!(
            "error: function `f`, `{place}`: it is a list without `items`, which is refused by Gemini and OpenAI; \
             declare the type of its items in `items`"
        )
    };
    assert_found(
        parameter(json!({"type": "array"})),
        &[&said("$.properties.it")],
    );
    let nested = json!({"type": "array", "items": {"type": "array"}});
    assert_found(parameter(nested), &[&said("$.properties.it.items")]);
}

#[test]
fn a_reference_is_an_error() {
    let local = "error: function `f`, `$.properties.it.$ref`: it is a reference, which is refused by Gemini; \
                 write the referenced schema in its place";
    let defined = |target: &str| {
        root(json!({
            "$defs": {"a": {"type": "string"}},
            "properties": {"it": {"$ref": target}},
            "required": ["it"],
        }))
    };
    assert_found(defined("#/$defs/a"), &[local]);
    assert_found(defined("#"), &[local]);
    for target in [
        "#/$defs/b",
        "https://example.com/schema.json",
        "other.json#/a",
    ] {
        let said = format!(
            "error: function `f`, `$.properties.it.$ref`: `{target}` is not in this schema, which is refused by every \
             client; write the referenced schema in its place"
        );
        assert_found(defined(target), &[&said]);
    }
}

#[test]
fn a_parameter_header_that_clients_cannot_find_or_send_is_an_error() {
    let inside = |schema: Value| parameter(object(Map::from_iter([("a".to_owned(), schema)])));
    let said = |place: &str, problem: &str| {
        format!(
            "error: function `f`, `{place}.x-mcp-header`: {problem}, which is refused by every client of revision 2026-07-28; "
        )
    };
    let place = "$.properties.it.properties.a";
    for (schema, expected) in [
        (
            parameter(json!({"type": "array", "items": {"type": "string", "x-mcp-header": "A"}})),
            said(
                "$.properties.it.items",
                "it is not on a property that is reached through `properties` alone",
            ),
        ),
        (
            inside(json!({"type": "string", "x-mcp-header": "not one"})),
            said(place, "it is not a header name"),
        ),
        (
            inside(json!({"type": "string", "x-mcp-header": 1})),
            said(place, "it is not a header name"),
        ),
        (
            inside(json!({"type": "number", "x-mcp-header": "A"})),
            said(
                place,
                "its property is not a string, an integer or a boolean",
            ),
        ),
    ] {
        let found = findings(schema.clone());
        assert_eq!(found.len(), 1, "{schema}: {found:?}");
        assert!(
            found[0].to_string().starts_with(&expected),
            "{schema}: {}",
            found[0]
        );
    }
    let twice = root(json!({
        "properties": {
            "a": {"type": "string", "x-mcp-header": "Same"},
            "it": object(Map::from_iter([("b".to_owned(), json!({"type": "string", "x-mcp-header": "same"}))])),
        },
        "required": ["a", "it"],
    }));
    let found = findings(twice);
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = said(
        "$.properties.it.properties.b",
        "another parameter has the same name",
    );
    assert!(found[0].to_string().starts_with(&expected), "{}", found[0]);
    assert_found(
        inside(json!({"type": "integer", "x-mcp-header": "Deep"})),
        &[],
    );
}
