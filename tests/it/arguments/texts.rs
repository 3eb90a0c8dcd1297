//! Strings that contain JSON: MCP parses them if the schema does not accept a string.

use serde_json::json;

use super::function::{inner, repeated};
use super::{by_library, item, on_mcp, on_rest, rpc, serving};
use crate::support::modern;

/// Arguments with JSON in strings, their meaning, and the invalid field on protocols that do not parse strings.
const HELD: [(&str, &str, &str); 16] = [
    (r#"{"count":"2"}"#, r#"{"count":2}"#, "count"),
    (r#"{"count":"2.0"}"#, r#"{"count":2}"#, "count"),
    (r#"{"signed":"-2"}"#, r#"{"signed":-2}"#, "signed"),
    (r#"{"ratio":"2.5"}"#, r#"{"ratio":2.5}"#, "ratio"),
    (r#"{"flag":"true"}"#, r#"{"flag":true}"#, "flag"),
    (r#"{"maybe":"2"}"#, r#"{"maybe":2}"#, "maybe"),
    (r#"{"list":"[1,2]"}"#, r#"{"list":[1,2]}"#, "list"),
    (r#"{"list":["1","2"]}"#, r#"{"list":[1,2]}"#, "list[0]"),
    (r#"{"list":"[\"1\",2.0]"}"#, r#"{"list":[1,2]}"#, "list"),
    (r#"{"pair":["1","2"]}"#, r#"{"pair":[1,"2"]}"#, "pair[0]"),
    (
        r#"{"inner":"{\"id\":1}"}"#,
        r#"{"inner":{"id":1}}"#,
        "inner",
    ),
    (
        r#"{"inner":" {\n \"id\": \"1\", \"on\": null } "}"#,
        r#"{"inner":{"id":1}}"#,
        "inner",
    ),
    (
        r#"{"rows":["{\"id\":1}",{"id":"2"}]}"#,
        r#"{"rows":[{"id":1},{"id":2}]}"#,
        "rows[0]",
    ),
    (
        r#"{"named":{"a":{"id":"1"}},"numbers":{"a":"1"}}"#,
        r#"{"named":{"a":{"id":1}},"numbers":{"a":1}}"#,
        "named.a.id",
    ),
    (
        r#"{"other":{"id":"1","parts":"[{\"many\":\"3\"}]"}}"#,
        r#"{"other":{"id":1,"parts":[{"many":3}]}}"#,
        "other.id",
    ),
    (
        r#"{"outer":{"line":{"length":"1"}}}"#,
        r#"{"outer":{"line":{"length":1}}}"#,
        "outer",
    ),
];

#[tokio::test]
async fn json_in_a_string_is_parsed_on_mcp() {
    let app = serving().await;
    for (arguments, meant, _) in HELD {
        let expected = on_rest(&app, "repeat", meant).await;
        assert!(expected.is_ok(), "{meant}");
        assert_eq!(
            on_mcp(&app, "repeat", arguments).await,
            expected,
            "{arguments}"
        );
        let calls = format!(r#"{{"calls":[{{"name":"repeat","arguments":{arguments}}}]}}"#);
        let many = item(on_mcp(&app, "call_many", &calls).await);
        assert_eq!(many, expected, "{arguments}");
    }
}

#[tokio::test]
async fn json_in_a_string_is_not_parsed_on_rest() {
    let app = serving().await;
    for (arguments, _, field) in HELD {
        let calls = format!(r#"{{"calls":[{{"name":"repeat","arguments":{arguments}}}]}}"#);
        for said in [
            on_rest(&app, "repeat", arguments).await,
            item(on_rest(&app, "batch", &calls).await),
            by_library(&app.app, "repeat", arguments).await,
        ] {
            let found = said.unwrap_err();
            assert!(found.starts_with(field), "{arguments}: {found}");
        }
    }
    let calls = r#"{"calls":"[]"}"#;
    assert_eq!(on_rest(&app, "batch", calls).await.unwrap_err(), "calls");
}

#[tokio::test]
async fn a_string_is_kept_if_the_schema_accepts_strings() {
    let app = serving().await;
    for (arguments, expected) in [
        (r#"{"text":"2"}"#, json!({"text": "2"})),
        (
            r#"{"text":"[1]","count":"2"}"#,
            json!({"text": "[1]", "count": 2}),
        ),
        (r#"{"mixed":"2"}"#, json!({"mixed": "2"})),
        (
            r#"{"mixed":"2","count":"2"}"#,
            json!({"mixed": "2", "count": 2}),
        ),
        (
            r#"{"either":{"name":"5"},"count":"2"}"#,
            json!({"either": {"name": "5", "times": 0}, "count": 2}),
        ),
    ] {
        let said = on_mcp(&app, "repeat", arguments).await;
        assert_eq!(said, Ok(repeated(expected)), "{arguments}");
    }
}

#[tokio::test]
async fn a_string_without_the_expected_json_is_refused_as_a_string() {
    let app = serving().await;
    for (arguments, field) in [
        (r#"{"count":"two"}"#, "count"),
        (r#"{"count":""}"#, "count"),
        (r#"{"count":" 2"}"#, "count"),
        (r#"{"count":"2\n"}"#, "count"),
        (r#"{"count":"02"}"#, "count"),
        (r#"{"count":"+2"}"#, "count"),
        (r#"{"count":"1.5"}"#, "count"),
        (r#"{"count":"true"}"#, "count"),
        (r#"{"count":"null"}"#, "count"),
        (r#"{"count":"\"2\""}"#, "count"),
        (r#"{"count":"[2]"}"#, "count"),
        (r#"{"flag":"True"}"#, "flag"),
        (r#"{"flag":"1"}"#, "flag"),
        (r#"{"flag":"yes"}"#, "flag"),
        (r#"{"list":"1,2"}"#, "list"),
        (r#"{"list":"[1,2"}"#, "list"),
        (r#"{"list":"{}"}"#, "list"),
        (r#"{"inner":"[1]"}"#, "inner"),
        (r#"{"inner":"{'id':1}"}"#, "inner"),
        (r#"{"colour":"\"green\""}"#, "colour"),
    ] {
        let strict = app.post("/api/repeat", arguments).await.json();
        let params = format!(r#"{{"name":"repeat","arguments":{arguments}}}"#);
        let answer = rpc(&app, "tools/call", &params).await.json();
        let result = &answer["result"];
        assert_eq!(
            result["_meta"]["bifold/error"]["field"], field,
            "{arguments}"
        );
        assert_eq!(
            result["content"][0]["text"], strict["detail"],
            "{arguments}"
        );
    }
}

#[tokio::test]
async fn json_from_a_string_is_validated_like_other_json() {
    let app = serving().await;
    for (arguments, field) in [
        (r#"{"inner":"{\"id\":\"x\"}"}"#, "inner.id"),
        (r#"{"inner":"{\"weight\":1}"}"#, "inner.id"),
        (r#"{"inner":"{\"id\":1,\"other\":1}"}"#, "inner.other"),
        (r#"{"inner":"{\"id\":1,\"id\":2}"}"#, "inner.id"),
        (r#"{"rows":"[[1,2,true,[]]]"}"#, "rows[0]"),
        (r#"{"list":"[65536]"}"#, "list[0]"),
    ] {
        let found = on_mcp(&app, "repeat", arguments).await.unwrap_err();
        assert_eq!(found, field, "{arguments}");
    }
}

#[tokio::test]
async fn all_arguments_may_be_in_one_string() {
    let app = serving().await;
    let expected = Ok(repeated(
        json!({"count": 2, "inner": inner(json!({"id": 1}))}),
    ));
    let text = json!(r#"{"count":"2","inner":{"id":1.0}}"#).to_string();
    assert_eq!(on_mcp(&app, "repeat", &text).await, expected);
    for text in [r#""""#, r#""x""#, r#""[]""#, r#""5""#, r#""null""#] {
        assert_eq!(
            on_mcp(&app, "repeat", text).await.unwrap_err(),
            "$",
            "{text}"
        );
    }
    assert_eq!(on_rest(&app, "repeat", &text).await.unwrap_err(), "$");
    let calls = r#"{"calls":[{"name":"repeat","arguments":"{\"count\":2}"}]}"#;
    let many = item(on_mcp(&app, "call_many", calls).await);
    assert_eq!(many, Ok(repeated(json!({"count": 2}))));
    assert_eq!(
        on_rest(&app, "batch", calls).await.unwrap_err(),
        "calls[0].arguments"
    );
}

#[tokio::test]
async fn the_modern_revision_parses_strings_too() {
    let app = serving().await;
    let params = json!({"name": "repeat", "arguments": {"count": "2", "flag": null}});
    let answer = app.send(modern("tools/call", params)).await.json();
    let result = &answer["result"]["structuredContent"];
    assert_eq!(*result, repeated(json!({"count": 2})), "{answer}");
}

#[tokio::test]
async fn strings_inside_strings_are_not_parsed() {
    let app = serving().await;
    let mut text = r#"{"id":1}"#.to_owned();
    for _ in 0..12 {
        text = json!(text).to_string();
    }
    let arguments = format!(r#"{{"inner":{text}}}"#);
    // A string inside a string is not an object, and is not parsed.
    assert_eq!(
        on_mcp(&app, "repeat", &arguments).await.unwrap_err(),
        "inner"
    );
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let arguments = json!({"list": deep}).to_string();
    let found = on_mcp(&app, "repeat", &arguments).await.unwrap_err();
    assert!(found.starts_with("list"), "{found}");
}
