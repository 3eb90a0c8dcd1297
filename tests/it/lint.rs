//! What clients would refuse in schemas: each rule by a schema that breaks it, and that the bundled functions break none.

use bifold::lint::{Finding, Severity};
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::TestApp;

/// Takes whatever its published schema says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Anything {}

fn anything(_: Context, Anything {}: Anything) -> Result<Content> {
    Ok(Content::text(""))
}

/// The findings in a schema that is published word for word.
fn findings(schema: Value) -> Vec<Finding> {
    let tool = Tool::sync("f", anything).input_schema(schema);
    let server = Server::new("it", "1").tools(vec![tool]);
    App::new(Config::default(), server).unwrap().lint()
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

/// An object with these properties that takes nothing else and leaves none of them out.
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
        // What these hold are values and no schemas.
        json!({"type": "string", "default": "x", "examples": [true], "x-mcp-header": "It"}),
        object(inner.as_object().unwrap().clone()),
    ] {
        assert_found(parameter(schema), &[]);
    }
}

#[test]
fn what_is_no_json_schema_2020_12_is_an_error() {
    let form = "which is refused by Claude; write it as JSON Schema 2020-12 does";
    for (keyword, value, expected) in [
        ("minimum", json!("1"), "a number"),
        ("exclusiveMinimum", json!("1"), "a number"),
        ("maxLength", json!(-1), "a whole number from 0 on"),
        ("minLength", json!(1.5), "a whole number from 0 on"),
        ("pattern", json!(["a"]), "text"),
        ("description", json!(null), "text"),
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
            "`type` is not a type of JSON, or a list of such types",
        ),
        (
            json!({"type": []}),
            "type",
            "`type` is not a type of JSON, or a list of such types",
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
           leave `$schema` out, and write it as JSON Schema 2020-12 does",
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
            "error: function `f`, `$.{keyword}`: `{keyword}` stands at the root, which is refused by {clients}; make the \
             arguments one plain object, and let the function check how they go together"
        );
        assert_found(root(json!({keyword: value})), &[&said]);
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
fn a_boolean_in_the_place_of_a_schema_is_an_error() {
    let said = |place: &str| {
        format!(
            "error: function `f`, `{place}`: a boolean stands in the place of a schema, which is refused by Claude and \
             Gemini; say which type it takes, such as `{{\"type\": \"object\"}}`"
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
            "error: function `f`, `$.properties.it.type`: it names several types, which is refused by Gemini; name the \
           one type, and leave what is optional out of `required`",
        ],
    );
    let choice = "error: function `f`, `$.properties.it.enum`: it lists something else than text, which is refused by \
                  Gemini; list text and say `\"type\": \"string\"`, or give `minimum` and `maximum`";
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
           it in `properties`, or take it out",
        ],
    );
    let fields = "error: function `f`, `$.properties.it`: it has fields and is not called an object, which is refused by \
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
fn a_list_of_nobody_knows_what_is_an_error() {
    let said = |place: &str| {
        format!(
            "error: function `f`, `{place}`: it is a list without `items`, which is refused by Gemini and OpenAI; say in \
             `items` what it is a list of"
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
    let local = "error: function `f`, `$.properties.it.$ref`: it refers to another place, which is refused by Gemini; \
                 write what it stands for in its place";
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
             client; write what it stands for in its place"
        );
        assert_found(defined(target), &[&said]);
    }
}

#[test]
fn a_header_that_clients_would_not_find_or_could_not_send_is_an_error() {
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
                "it does not stand on a property that is found through `properties` alone",
            ),
        ),
        (
            inside(json!({"type": "string", "x-mcp-header": "not one"})),
            said(place, "it is no header name"),
        ),
        (
            inside(json!({"type": "string", "x-mcp-header": 1})),
            said(place, "it is no header name"),
        ),
        (
            inside(json!({"type": "number", "x-mcp-header": "A"})),
            said(
                place,
                "it stands on something that is no string, integer or boolean",
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
        "another parameter has the same one",
    );
    assert!(found[0].to_string().starts_with(&expected), "{}", found[0]);
    assert_found(
        inside(json!({"type": "integer", "x-mcp-header": "Deep"})),
        &[],
    );
}

#[test]
fn a_keyword_that_some_client_does_not_know_is_a_warning() {
    let schema = json!({"type": "string"});
    for (keyword, value, clients) in [
        ("allOf", json!([schema]), "OpenAI in strict mode and Gemini"),
        ("oneOf", json!([schema]), "OpenAI in strict mode and Gemini"),
        ("not", schema.clone(), "OpenAI in strict mode and Gemini"),
        ("if", schema.clone(), "OpenAI in strict mode and Gemini"),
        (
            "dependentRequired",
            json!({}),
            "OpenAI in strict mode and Gemini",
        ),
        (
            "dependentSchemas",
            json!({}),
            "OpenAI in strict mode and Gemini",
        ),
        ("const", json!("a"), "Gemini"),
        ("contains", schema.clone(), "Gemini"),
        ("exclusiveMaximum", json!(1), "Gemini"),
        ("exclusiveMinimum", json!(1), "Gemini"),
        ("multipleOf", json!(1), "Gemini"),
        ("patternProperties", json!({}), "Gemini"),
        ("propertyNames", schema.clone(), "Gemini"),
        ("uniqueItems", json!(true), "Gemini"),
    ] {
        let said = format!(
            "warning: function `f`, `$.properties.it.{keyword}`: it uses `{keyword}`, which is refused by {clients}; say it \
             in the description, and let the function check it"
        );
        assert_found(
            parameter(json!({"type": "string", keyword: value})),
            &[&said],
        );
    }
    assert_found(
        parameter(json!({"type": "string", "format": "uri"})),
        &[
            "warning: function `f`, `$.properties.it.format`: `uri` is another format of text than `date-time` or `enum`, \
           which is refused by Gemini; say it in the description, or give a `pattern`",
        ],
    );
    assert_found(
        parameter(json!({"type": "string", "default": null})),
        &[
            "warning: function `f`, `$.properties.it.default`: the default is null, which is refused by Gemini; leave \
           `default` out",
        ],
    );
}

#[test]
fn what_strict_mode_refuses_is_a_warning() {
    assert_found(
        root(
            json!({"properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}}, "required": ["b"]}),
        ),
        &[
            "warning: function `f`, `$`: `a`, `c` may be left out, which is refused by OpenAI in strict mode; where that mode \
           matters, require it and let a value stand for none",
        ],
    );
    let open = "warning: function `f`, `$.properties.it`: it takes unknown fields, which is refused by OpenAI in strict mode; \
                say `\"additionalProperties\": false`, with `#[serde(deny_unknown_fields)]`";
    for schema in [
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    ] {
        assert_found(parameter(schema), &[open]);
    }
    let untyped = |place: &str| {
        format!(
            "warning: function `f`, `{place}`: it has no type, which is refused by OpenAI in strict mode and Gemini; say which \
             type it takes"
        )
    };
    assert_found(
        parameter(json!({"description": "Anything."})),
        &[&untyped("$.properties.it")],
    );
    assert_found(
        parameter(json!({"type": "array", "items": {}})),
        &[&untyped("$.properties.it.items")],
    );
}

#[test]
fn what_is_too_large_for_strict_mode_is_a_warning() {
    let too_large = |problem: &str| {
        format!(
            "warning: function `f`, `$`: it has {problem}, which is refused by OpenAI in strict mode; divide the function into \
             several"
        )
    };
    let text = || json!({"type": "string"});
    let wide = |count: usize| {
        let names = (0..count).map(|index| (format!("p{index}"), text()));
        parameter(object(names.collect()))
    };
    assert_found(wide(4_999), &[]);
    assert_found(
        wide(5_000),
        &[&too_large("5001 properties, more than 5000")],
    );
    let deep = |levels: usize| {
        let inner = (1..levels).fold(text(), |inner, _| {
            object(Map::from_iter([("it".to_owned(), inner)]))
        });
        parameter(inner)
    };
    assert_found(deep(10), &[]);
    assert_found(
        deep(11),
        &[&too_large("11 levels of objects, more than 10")],
    );
    let listed = json!({"type": "array", "items": deep(10)["properties"]["it"]});
    assert_found(
        parameter(object(Map::from_iter([("a".to_owned(), listed)]))),
        &[&too_large("11 levels of objects, more than 10")],
    );
    let choice = |count: usize, length: usize| {
        let value = |index: usize| format!("{index:04}{}", "x".repeat(length - 4));
        let values: Vec<String> = (0..count).map(value).collect();
        parameter(json!({"type": "string", "enum": values}))
    };
    assert_found(choice(1_000, 4), &[]);
    assert_found(
        choice(1_001, 4),
        &[&too_large("1001 values to choose from, more than 1000")],
    );
    assert_found(choice(250, 100), &[]);
    let long = "warning: function `f`, `$.properties.it.enum`: its values have 25100 characters, more than 15000, which is \
                refused by OpenAI in strict mode; take text, and let the function check it";
    assert_found(choice(251, 100), &[long]);
    // The name of the parameter counts too.
    assert_found(choice(1, 119_998), &[]);
    assert_found(
        choice(1, 119_999),
        &[&too_large(
            "120001 characters of names and values, more than 120000",
        )],
    );
}

#[test]
fn only_what_mcp_clients_see_is_judged_and_each_finding_names_its_function() {
    let broken = || root(json!({"anyOf": [{"type": "object", "additionalProperties": false}]}));
    let tool = |name| Tool::sync(name, anything).input_schema(broken());
    let tools = vec![tool("a"), tool("b").get("/b").rest_only(), tool("c")];
    let app = App::new(Config::default(), Server::new("it", "1").tools(tools)).unwrap();
    let names: Vec<&str> = app.lint().iter().map(|it| it.function).collect();
    assert_eq!(names, ["a", "c"]);
}

#[tokio::test]
async fn the_bundled_functions_are_refused_by_nobody() {
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
