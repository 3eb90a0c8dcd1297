//! `null` for an optional field means the same as an absent field.

use serde_json::{Value, json};

use super::function::{inner, repeated};
use super::{assert_everywhere, everywhere, on_mcp, on_rest, rpc, serving};

/// The fields that have a default, each of another type.
const OPTIONAL: [&str; 21] = [
    "count", "signed", "large", "size", "ratio", "flag", "text", "maybe", "list", "gaps", "pair",
    "inner", "other", "rows", "named", "numbers", "tagged", "outer", "either", "mixed", "colour",
];

#[tokio::test]
async fn null_for_a_field_with_a_default_means_the_default() {
    let app = serving().await;
    let nothing = Ok(repeated(json!({})));
    for field in OPTIONAL {
        let arguments = json!({field: null}).to_string();
        assert_everywhere(&app, "repeat", &arguments, &nothing).await;
    }
    let all: Value = OPTIONAL.iter().map(|it| (*it, Value::Null)).collect();
    assert_everywhere(&app, "repeat", &all.to_string(), &nothing).await;
}

#[tokio::test]
async fn null_means_absent_at_every_depth() {
    let app = serving().await;
    let bare = r#"{"id":1,"weight":null,"on":null,"parts":null}"#;
    let full = r#"{"id":1,"parts":[{"many":null},{"many":2}]}"#;
    let (one, two) = (
        inner(json!({"id": 1})),
        inner(json!({"id": 1, "parts": [{"many": 0}, {"many": 2}]})),
    );
    for (arguments, expected) in [
        (format!(r#"{{"inner":{bare}}}"#), json!({"inner": one})),
        (format!(r#"{{"other":{bare}}}"#), json!({"other": one})),
        (
            format!(r#"{{"rows":[{bare},{full}]}}"#),
            json!({"rows": [one, two]}),
        ),
        (
            format!(r#"{{"named":{{"a":{bare},"b":{full}}}}}"#),
            json!({"named": {"a": one, "b": two}}),
        ),
        (
            r#"{"tagged":{"kind":"circle","radius":1,"rim":null}}"#.to_owned(),
            json!({"tagged": {"kind": "circle", "radius": 1, "rim": 0}}),
        ),
        (
            r#"{"outer":{"line":{"length":1,"width":null}}}"#.to_owned(),
            json!({"outer": {"line": {"length": 1, "width": 0}}}),
        ),
        (
            r#"{"either":{"name":"a","times":null}}"#.to_owned(),
            json!({"either": {"name": "a", "times": 0}}),
        ),
        (
            r#"{"either":{"number":null,"name":"a","times":null}}"#.to_owned(),
            json!({"either": {"name": "a", "times": 0}}),
        ),
    ] {
        assert_everywhere(&app, "repeat", &arguments, &Ok(repeated(expected))).await;
    }
}

#[tokio::test]
async fn null_is_kept_if_the_type_accepts_it() {
    let app = serving().await;
    for (arguments, expected) in [
        (r#"{"three":null}"#, json!({"three": null})),
        // Also if something else in the same arguments is corrected.
        (r#"{"three":null,"count":null}"#, json!({"three": null})),
        (
            r#"{"three":null,"count":2.0}"#,
            json!({"three": null, "count": 2}),
        ),
        (
            r#"{"gaps":[1,null,2.0],"count":null}"#,
            json!({"gaps": [1, null, 2]}),
        ),
    ] {
        assert_everywhere(&app, "repeat", arguments, &Ok(repeated(expected))).await;
    }
}

#[tokio::test]
async fn null_for_a_required_field_is_refused_and_the_field_is_named() {
    let app = serving().await;
    for (arguments, field) in [
        (r#"{"inner":{"id":null}}"#, "inner.id"),
        (r#"{"rows":[{"id":1},{"id":null}]}"#, "rows[1].id"),
        (r#"{"named":{"a":{"id":null}}}"#, "named.a.id"),
        (r#"{"list":[1,null]}"#, "list[1]"),
        (r#"{"numbers":{"a":null}}"#, "numbers.a"),
        (r#"{"unknown":null}"#, "unknown"),
        (r#"{"count":null,"unknown":null}"#, "unknown"),
        (r#"{"rows":[null]}"#, "rows[0]"),
    ] {
        for said in everywhere(&app, "repeat", arguments).await {
            assert_eq!(said.unwrap_err(), field, "{arguments}");
        }
    }
    for arguments in [r#"{"size":null}"#, r#"{"step":1}"#] {
        for said in everywhere(&app, "by_hand", arguments).await {
            assert_eq!(said.unwrap_err(), "size", "{arguments}");
        }
    }
}

#[tokio::test]
async fn references_in_a_schema_written_by_hand_are_followed() {
    let app = serving().await;
    let arguments =
        r#"{"size":1,"step":null,"row":{"id":1,"weight":null},"rows":[{"id":2.0,"on":null}]}"#;
    let expected = json!({
        "size": 1, "step": 0,
        "row": inner(json!({"id": 1})), "rows": [inner(json!({"id": 2}))],
    });
    assert_everywhere(&app, "by_hand", arguments, &Ok(expected)).await;
}

#[tokio::test]
async fn null_means_absent_beside_long_lists() {
    let app = serving().await;
    let list = vec![1; 30_000];
    let arguments = json!({"list": list, "flag": null}).to_string();
    let expected = Ok(repeated(json!({"list": list})));
    assert_everywhere(&app, "repeat", &arguments, &expected).await;
}

#[tokio::test]
async fn optional_fields_of_a_batch_may_be_null() {
    let app = serving().await;
    let arguments = r#"{"calls":[{"name":"repeat","arguments":null}],"item_timeout_ms":null}"#;
    for report in [
        on_rest(&app, "batch", arguments).await,
        on_mcp(&app, "call_many", arguments).await,
    ] {
        let report = report.unwrap();
        assert_eq!(report["results"][0]["result"], repeated(json!({})));
    }
}

#[tokio::test]
async fn an_argument_of_a_prompt_may_be_null() {
    let app = serving().await;
    let ask = async |arguments| {
        let params = format!(r#"{{"name":"ask","arguments":{arguments}}}"#);
        rpc(&app, "prompts/get", &params).await.json()
    };
    let answer = ask(r#"{"topic":"rain","tone":null}"#).await;
    let message = &answer["result"]["messages"][0]["content"]["text"];
    assert_eq!(*message, "rain, kind", "{answer}");
    let refused = ask(r#"{"topic":null,"tone":null}"#).await;
    assert_eq!(refused["error"]["data"]["field"], "topic", "{refused}");
}

#[tokio::test]
async fn a_repeated_field_is_refused_even_if_one_value_is_null() {
    let app = serving().await;
    for arguments in [
        r#"{"count":1,"count":2,"flag":null}"#,
        r#"{"count":"1","count":2.0}"#,
    ] {
        for said in everywhere(&app, "repeat", arguments).await {
            assert_eq!(said.unwrap_err(), "count", "{arguments}");
        }
    }
}
