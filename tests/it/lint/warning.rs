//! Schemas that only some modes or interfaces of clients refuse.

use serde_json::{Map, json};

use super::{assert_found, object, parameter, root};

#[test]
fn a_keyword_that_some_client_does_not_support_is_a_warning() {
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
            "warning: function `f`, `$.properties.it.{keyword}`: it uses `{keyword}`, which is refused by {clients}; \
             describe it in `description`, and let the function check it"
        );
        assert_found(
            parameter(json!({"type": "string", keyword: value})),
            &[&said],
        );
    }
    assert_found(
        parameter(json!({"type": "string", "format": "uri"})),
        &[
            "warning: function `f`, `$.properties.it.format`: the string format `uri` is not `date-time` or `enum`, \
           which is refused by Gemini; describe it in `description`, or use `pattern`",
        ],
    );
    assert_found(
        parameter(json!({"type": "string", "default": null})),
        &[
            "warning: function `f`, `$.properties.it.default`: the default is null, which is refused by Gemini; \
             remove `default`",
        ],
    );
}

#[test]
fn a_schema_that_strict_mode_refuses_is_a_warning() {
    assert_found(
        root(
            json!({"properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}}, "required": ["b"]}),
        ),
        &[
            "warning: function `f`, `$`: `a`, `c` may be absent, which is refused by OpenAI in strict mode; if \
             strict mode matters, require it and let a special value mean that it is absent",
        ],
    );
    let open = "warning: function `f`, `$.properties.it`: it accepts unknown fields, which is refused by OpenAI in \
     strict mode; \
                add `\"additionalProperties\": false`, with `#[serde(deny_unknown_fields)]`";
    for schema in [
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    ] {
        assert_found(parameter(schema), &[open]);
    }
    let untyped = |place: &str| {
        format!(
            "warning: function `f`, `{place}`: it has no type, which is refused by OpenAI in strict mode and Gemini; \
             declare the type"
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
fn a_schema_too_large_for_strict_mode_is_a_warning() {
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
        &[&too_large("1001 values of `enum`, more than 1000")],
    );
    assert_found(choice(250, 100), &[]);
    let long = "warning: function `f`, `$.properties.it.enum`: its values have 25100 characters, more than 15000, which is \
                refused by OpenAI in strict mode; use a string, and let the function check it";
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
