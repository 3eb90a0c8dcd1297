//! Schemas with values that fit them and values that do not: a row for each keyword, or for several that belong together.

use serde_json::{Value, json};

/// A schema, values that fit it, and values that do not, each with the field at fault and what is said of it.
pub type Row = (Value, Vec<&'static str>, Vec<[&'static str; 3]>);

/// The keywords of numbers and strings.
pub fn scalars() -> Vec<Row> {
    vec![
        (
            json!({"minimum": 1, "maximum": 14}),
            vec!["1", "14", "14.0", "1.4e1", r#""text""#],
            vec![
                ["0", "it", "must be from 1 to 14"],
                ["99", "it", "must be from 1 to 14"],
                [
                    "14.000000000000000000000000001",
                    "it",
                    "must be from 1 to 14",
                ],
                ["-0", "it", "must be from 1 to 14"],
            ],
        ),
        (
            json!({"maximum": 9007199254740993u64}),
            vec!["9007199254740993", "9.007199254740993e15"],
            vec![["9007199254740994", "it", "must be at most 9007199254740993"]],
        ),
        (
            json!({"exclusiveMinimum": 0, "exclusiveMaximum": 1}),
            vec!["0.5", "1e-300"],
            vec![
                ["0", "it", "must be more than 0 and less than 1"],
                ["1", "it", "must be more than 0 and less than 1"],
            ],
        ),
        (
            json!({"multipleOf": 0.01}),
            vec![
                "0.1",
                "0.07",
                "19.99",
                "0",
                "1e30",
                "123456789012345678901234567890.12",
            ],
            vec![
                ["0.001", "it", "must be a multiple of 0.01"],
                ["0.10000000000000001", "it", "must be a multiple of 0.01"],
            ],
        ),
        (
            json!({"type": "integer", "multipleOf": 3}),
            vec!["9", "9.0", "999999999999999999999999999999", "3e40"],
            vec![
                ["10", "it", "must be a multiple of 3"],
                [
                    "9.5",
                    "it",
                    "expected a whole number, got one with a fraction",
                ],
                ["true", "it", "expected a whole number, got a boolean"],
            ],
        ),
        (
            json!({"type": "number", "format": "uint8"}),
            vec!["0", "255"],
            vec![["256", "it", "must be from 0 to 255"]],
        ),
        (
            json!({"minLength": 2, "maxLength": 3}),
            vec![
                r#""ab""#,
                r#""äöü""#,
                r#""😀😀😀""#,
                r#""\ud83d\ude00\ud83d\ude00""#,
                "1",
            ],
            vec![
                [r#""😀""#, "it", "must have from 2 to 3 characters"],
                [r#""abcd""#, "it", "must have from 2 to 3 characters"],
            ],
        ),
        (
            json!({"pattern": r"^\d{3}|[^\s\w]\/"}),
            vec![r#""1234""#, r#""a -/ b""#],
            vec![[
                r#""12a""#,
                "it",
                r"must match the pattern `^\d{3}|[^\s\w]\/`",
            ]],
        ),
        (
            json!({"enum": ["a", 1, null, {"b": [1.0]}]}),
            vec![r#""\u0061""#, "1.0", r#"{"b":[1]}"#],
            vec![[
                "2",
                "it",
                r#"must be one of `a`, `1`, `null`, `{"b":[1.0]}`"#,
            ]],
        ),
        (
            json!({"const": "yes"}),
            vec![r#""yes""#],
            vec![[r#""no""#, "it", "must be `yes`"]],
        ),
    ]
}

/// The keywords of arrays and objects.
pub fn containers() -> Vec<Row> {
    vec![
        (
            json!({"type": "array", "minItems": 1, "maxItems": 2, "items": {"minimum": 1}}),
            vec!["[1]", "[1,2]"],
            vec![
                ["[]", "it", "must have from 1 to 2 items"],
                ["[1,2,3]", "it", "must have from 1 to 2 items"],
                ["[1,0]", "it[1]", "must be at least 1"],
                ["{}", "it", "expected a JSON array, got an object"],
            ],
        ),
        (
            json!({"uniqueItems": true}),
            vec!["[1,2]", r#"[[1],["1"]]"#],
            vec![
                [
                    "[1,2,1.0]",
                    "it",
                    "must not have equal items, as `[0]` and `[2]` are",
                ],
                [
                    r#"[{"a":1,"b":2},{"b":2,"a":1}]"#,
                    "it",
                    "must not have equal items, as `[0]` and `[1]` are",
                ],
            ],
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false}),
            vec!["[]", r#"["a"]"#],
            vec![
                ["[1]", "it[0]", "expected a string, got a number"],
                [r#"["a",1]"#, "it[1]", "must not be given"],
            ],
        ),
        (
            json!({"contains": {"const": 1}, "maxContains": 2}),
            vec!["[1,2]", "[1,1]"],
            vec![[
                "[2]",
                "it",
                "must have from 1 to 2 items as `contains` describes",
            ]],
        ),
        (
            json!({
                "type": "object", "required": ["name"], "additionalProperties": false,
                "properties": {"name": {"type": "string"}, "size": {"maximum": 5}},
            }),
            vec![r#"{"name":"a"}"#, r#"{"name":"a","size":null}"#],
            vec![
                ["{}", "it.name", "missing field `name`"],
                [r#"{"name":null}"#, "it.name", "expected a string, got null"],
                [
                    r#"{"name":"a","siz":1}"#,
                    "it.siz",
                    "unknown field `siz`, expected `name` or `size`; did you mean `size`?",
                ],
                [
                    r#"{"name":"a","size":5,"size":6}"#,
                    "it.size",
                    "must be at most 5",
                ],
                [
                    r#"{"size":6,"name":1}"#,
                    "it.name",
                    "expected a string, got a number",
                ],
            ],
        ),
        (
            json!({"patternProperties": {"^n_": {"type": "integer"}}, "additionalProperties": {"type": "string"}}),
            vec![r#"{"n_a":1,"a":"b"}"#],
            vec![
                [
                    r#"{"n_a":"b"}"#,
                    "it.n_a",
                    "expected a whole number, got a string",
                ],
                [r#"{"a":1}"#, "it.a", "expected a string, got a number"],
            ],
        ),
        (
            json!({"propertyNames": {"maxLength": 2}, "minProperties": 1, "maxProperties": 2}),
            vec![r#"{"ab":1}"#],
            vec![
                [
                    r#"{"abc":1}"#,
                    "it.abc",
                    "its name must have at most 2 characters",
                ],
                ["{}", "it", "must have from 1 to 2 fields"],
            ],
        ),
        (
            json!({"dependentRequired": {"card": ["address"]}, "dependentSchemas": {"free": {"maxProperties": 1}}}),
            vec!["{}", r#"{"card":1,"address":2}"#],
            vec![
                [
                    r#"{"card":1}"#,
                    "it.address",
                    "missing field `address`, which goes with `card`",
                ],
                [r#"{"free":1,"a":2}"#, "it", "must have at most 1 field"],
            ],
        ),
    ]
}

/// The keywords that combine schemas.
pub fn choices() -> Vec<Row> {
    vec![
        (
            json!({"allOf": [{"minimum": 1}, {"maximum": 3}]}),
            vec!["2"],
            vec![
                ["0", "it", "must be at least 1"],
                ["4", "it", "must be at most 3"],
            ],
        ),
        (
            json!({"anyOf": [{"type": "string", "maxLength": 1}, {"type": "integer"}]}),
            vec![r#""a""#, "7"],
            vec![
                [r#""ab""#, "it", "must have at most 1 character"],
                ["true", "it", "has a form that is not allowed here"],
            ],
        ),
        (
            json!({"oneOf": [
                {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dot"}, "at": {"minimum": 0}}},
                {"type": "object", "required": ["kind", "to"], "properties": {"kind": {"const": "line"}}},
            ]}),
            vec![r#"{"kind":"dot"}"#, r#"{"kind":"line","to":1}"#],
            vec![
                [r#"{"kind":"dot","at":-1}"#, "it.at", "must be at least 0"],
                [r#"{"kind":"line"}"#, "it.to", "missing field `to`"],
            ],
        ),
        (
            json!({"oneOf": [{"minimum": 1}, {"maximum": 3}]}),
            vec!["0", "4"],
            vec![[
                "2",
                "it",
                "has several of the forms that are allowed here, and must have exactly one",
            ]],
        ),
        (
            json!({"oneOf": [{"const": "a"}, {"const": "b"}]}),
            vec![r#""a""#],
            vec![[r#""c""#, "it", "must be one of `a`, `b`"]],
        ),
        (
            json!({"not": {"type": "string"}}),
            vec!["1"],
            vec![[r#""a""#, "it", "has a form that is not allowed here"]],
        ),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}}),
            vec![r#""a""#, "1"],
            vec![
                [r#""""#, "it", "must have at least 1 character"],
                ["0", "it", "must be at least 1"],
            ],
        ),
        (
            json!({"$ref": "#/$defs/tree"}),
            vec![r#"{"left":{"left":{"size":1}}}"#],
            vec![[
                r#"{"left":{"left":{"size":9}}}"#,
                "it.left.left.size",
                "must be at most 5",
            ]],
        ),
        (
            json!({"properties": {"a": true}, "allOf": [{"properties": {"b": true}}], "unevaluatedProperties": false}),
            vec![r#"{"a":1,"b":2}"#],
            vec![[r#"{"a":1,"c":2}"#, "it.c", "unknown field `c`"]],
        ),
    ]
}
