//! What a published schema demands is checked on every protocol before the function runs: one row for each keyword.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{App, Config, Content, Context, Result, Server, Tool, batch};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::everywhere;
use crate::support::TestApp;

/// A schema, values that fit it, and values that do not, each with the field at fault and what is said of it.
pub type Row = (Value, Vec<&'static str>, Vec<[&'static str; 3]>);

/// The keywords of numbers and strings.
fn scalars() -> Vec<Row> {
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
fn containers() -> Vec<Row> {
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
fn choices() -> Vec<Row> {
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
                ["true", "it", "has none of the forms that are allowed here"],
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

/// The tool `f`, which publishes the schema for its only parameter and counts its calls.
pub fn tool(schema: &Value, ran: &Arc<AtomicUsize>) -> Tool {
    let ran = ran.clone();
    let run = move |_: Context, _: Map<String, Value>| -> Result<Content> {
        ran.fetch_add(1, Ordering::SeqCst);
        Ok(Content::text("ran"))
    };
    let tree = json!({"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "size": {"maximum": 5}}});
    Tool::sync("f", run)
        .describe("Takes it.")
        .post("/f/post")
        .input_schema(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"it": schema},
            "required": ["it"],
            "additionalProperties": false,
            "$defs": {"tree": tree},
        }))
}

async fn check(rows: Vec<Row>) {
    for (schema, good, bad) in rows {
        let ran = Arc::new(AtomicUsize::new(0));
        let server = Server::new("rules", "1.0.0").tools(vec![tool(&schema, &ran), batch::tool()]);
        let app = TestApp::serving(server).await;
        for value in good {
            let arguments = format!(r#"{{"it":{value}}}"#);
            let before = ran.load(Ordering::SeqCst);
            for said in everywhere(&app, "f", &arguments).await {
                assert!(said.is_ok(), "{schema}: {value}: {said:?}");
            }
            assert_eq!(ran.load(Ordering::SeqCst), before + 5, "{schema}: {value}");
        }
        for [value, field, problem] in bad {
            let arguments = format!(r#"{{"it":{value}}}"#);
            let before = ran.load(Ordering::SeqCst);
            for said in everywhere(&app, "f", &arguments).await {
                assert_eq!(said, Err(field.to_owned()), "{schema}: {value}");
            }
            let error = app.app.invoke("f", &arguments).await.err().unwrap();
            assert_eq!(
                error.message(),
                format!("`{field}`: {problem}"),
                "{schema}: {value}"
            );
            assert_eq!(ran.load(Ordering::SeqCst), before, "{schema}: {value}");
        }
    }
}

#[tokio::test]
async fn rules_for_numbers_and_strings_are_checked_everywhere() {
    check(scalars()).await;
}

#[tokio::test]
async fn rules_for_arrays_and_objects_are_checked_everywhere() {
    check(containers()).await;
}

#[tokio::test]
async fn combined_schemas_are_checked_everywhere() {
    check(choices()).await;
}

#[tokio::test]
async fn each_format_is_checked() {
    for (format, good, bad) in [
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "23:59:60Z", "23:58:60Z"),
        (
            "date-time",
            "2026-11-28T21:30:00.5+01:00",
            "2026-11-28 21:30:00",
        ),
        (
            "partial-date-time",
            "2026-11-28T21:30:00",
            "2026-11-28T21:30:00Z",
        ),
        ("duration", "P1DT2H", "P1H"),
        ("email", "a.b+c@example.com", "a..b@example.com"),
        ("hostname", "a-b.example", "-a.example"),
        ("ipv4", "127.0.0.1", "127.0.0.01"),
        ("ipv6", "::1", "1::2::3"),
        ("ip", "::1", "localhost"),
        ("uri", "https://a@example.com:8/?b#c", "//example.com"),
        ("uri", "https://[::1]/%20", "https://[::1/%2"),
        ("uri-reference", "/a/b?c", "a b"),
        (
            "uuid",
            "123e4567-e89b-12d3-a456-426614174000",
            "123e4567e89b12d3a456426614174000",
        ),
        ("json-pointer", "/a~1b/0", "a"),
    ] {
        let ran = Arc::new(AtomicUsize::new(0));
        let tools = vec![tool(&json!({"type": "string", "format": format}), &ran)];
        let app = App::new(
            Config::default(),
            Server::new("rules", "1.0.0").tools(tools),
        )
        .unwrap();
        let taken = app.invoke("f", &json!({"it": good}).to_string()).await;
        assert!(taken.is_ok(), "{format}: {good}: {:?}", taken.err());
        let error = app
            .invoke("f", &json!({"it": bad}).to_string())
            .await
            .err()
            .unwrap();
        assert_eq!(error.field(), Some("it"), "{format}: {bad}");
        assert_eq!(ran.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn hostile_arguments_are_checked_in_bounded_time() {
    let twice = json!({"properties": {"a": {"anyOf": [{"$ref": "#/properties/it"}, {"$ref": "#/properties/it"}]}}, "required": ["a"]});
    let ran = Arc::new(AtomicUsize::new(0));
    let serving = |schema: Value| {
        let server = Server::new("rules", "1.0.0").tools(vec![tool(&schema, &ran)]);
        App::new(Config::default(), server).unwrap()
    };
    let deep = r#"{"a":"#.repeat(100) + "{}" + &"}".repeat(100);
    let error = serving(twice)
        .invoke("f", &format!(r#"{{"it":{deep}}}"#))
        .await
        .err()
        .unwrap();
    assert!(
        error.message().ends_with("is too complex to be checked"),
        "{error}"
    );
    let circle = serving(json!({"$ref": "#/properties/it"}));
    let error = circle.invoke("f", r#"{"it":1}"#).await.err().unwrap();
    assert!(error.message().ends_with("is nested too deeply"), "{error}");
    let many: Vec<usize> = (0..100_000).collect();
    let unique =
        serving(json!({"type": "array", "uniqueItems": true, "items": {"type": "integer"}}));
    unique
        .invoke("f", &json!({"it": many}).to_string())
        .await
        .unwrap();
    let slow = serving(json!({"pattern": "^(a+)+$"}));
    let text = "a".repeat(50_000) + "b";
    let error = slow
        .invoke("f", &json!({"it": text}).to_string())
        .await
        .err()
        .unwrap();
    assert_eq!(error.message(), "`it`: must match the pattern `^(a+)+$`");
}

#[tokio::test]
async fn a_query_is_checked_as_a_body_is() {
    let ran = Arc::new(AtomicUsize::new(0));
    let with = |schema: Value| {
        let tool = tool(&schema, &ran).get("/f");
        TestApp::serving(Server::new("rules", "1.0.0").tools(vec![tool]))
    };
    for (schema, good, bad) in [
        (
            json!({"type": "integer", "minimum": 1, "maximum": 14}),
            "14",
            "99",
        ),
        (json!({"type": "number", "multipleOf": 0.5}), "1.5", "1.6"),
        (json!({"type": "string", "maxLength": 2}), "ab", "abc"),
        (json!({"type": "string", "enum": ["a", "b"]}), "a", "c"),
        (
            json!({"type": "string", "format": "date"}),
            "2026-11-28",
            "2026-11-31",
        ),
    ] {
        let app = with(schema).await;
        let taken = app.get(&format!("/api/f?it={good}")).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
        let refused = app.get(&format!("/api/f?it={bad}")).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{}",
            refused.text()
        );
        assert_eq!(refused.json()["field"], "it");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 5);
}
