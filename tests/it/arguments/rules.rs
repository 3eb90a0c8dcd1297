//! What a published schema demands is checked on every protocol before the function runs: one row for each keyword.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{App, Config, Content, Context, Result, Server, Tool, batch};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::everywhere;
use super::rows::{Row, choices, containers, scalars};
use crate::support::TestApp;

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
    let deep = r#"{"a":"#.repeat(60) + "{}" + &"}".repeat(60);
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
    let many: Vec<usize> = (0..50_000).collect();
    let unique =
        serving(json!({"type": "array", "uniqueItems": true, "items": {"type": "integer"}}));
    unique
        .invoke("f", &json!({"it": many}).to_string())
        .await
        .unwrap();
    let slow = serving(json!({"pattern": "^(a+)+$"}));
    let text = "a".repeat(20_000) + "b";
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
