//! A number without a fraction is an integer, however it is written (JSON Schema 2020-12).

use serde_json::{Value, json};

use super::function::{inner, repeated};
use super::{assert_everywhere, everywhere, serving};

#[tokio::test]
async fn a_number_without_a_fraction_is_an_integer_in_every_type_and_at_every_depth() {
    let app = serving().await;
    for (arguments, expected) in [
        (r#"{"count":2.0}"#, json!({"count": 2})),
        (r#"{"count":1e0}"#, json!({"count": 1})),
        (r#"{"count":1e2}"#, json!({"count": 100})),
        (r#"{"count":1.5e1}"#, json!({"count": 15})),
        (r#"{"count":-0.0}"#, json!({"count": 0})),
        (r#"{"signed":-20e-1}"#, json!({"signed": -2})),
        (r#"{"size":3.000}"#, json!({"size": 3})),
        (r#"{"ratio":2}"#, json!({"ratio": 2.0})),
        (
            r#"{"ratio":2.5,"count":2.0}"#,
            json!({"ratio": 2.5, "count": 2}),
        ),
        (r#"{"maybe":2.0}"#, json!({"maybe": 2})),
        (r#"{"list":[1,2.0,3e0]}"#, json!({"list": [1, 2, 3]})),
        (r#"{"pair":[2.0,"a"]}"#, json!({"pair": [2, "a"]})),
        (
            r#"{"inner":{"id":1.0}}"#,
            json!({"inner": inner(json!({"id": 1}))}),
        ),
        (
            r#"{"other":{"id":1.0}}"#,
            json!({"other": inner(json!({"id": 1}))}),
        ),
        (
            r#"{"rows":[{"id":1.0,"parts":[{"many":-1.0}]}]}"#,
            json!({"rows": [inner(json!({"id": 1, "parts": [{"many": -1}]}))]}),
        ),
        (
            r#"{"named":{"a":{"id":1e1}},"numbers":{"a":1.0}}"#,
            json!({"named": {"a": inner(json!({"id": 10}))}, "numbers": {"a": 1}}),
        ),
        (
            r#"{"tagged":{"kind":"circle","radius":2.0}}"#,
            json!({"tagged": {"kind": "circle", "radius": 2, "rim": 0}}),
        ),
        (
            r#"{"tagged":{"kind":"square","side":2.5,"rim":1.0}}"#,
            json!({"tagged": {"kind": "square", "side": 2.5, "rim": 1}}),
        ),
        (
            r#"{"outer":{"dots":[1.0]}}"#,
            json!({"outer": {"dots": [1]}}),
        ),
        (
            r#"{"either":{"number":1.0}}"#,
            json!({"either": {"number": 1, "times": 0}}),
        ),
        (r#"{"mixed":1.0}"#, json!({"mixed": 1})),
        (
            r#"{"large":9007199254740993.0}"#,
            json!({"large": 9007199254740993u64}),
        ),
        (
            r#"{"large":1844674407370955161.5e1}"#,
            json!({"large": u64::MAX}),
        ),
        (
            r#"{"signed":-9223372036854775808.0}"#,
            json!({"signed": i64::MIN}),
        ),
    ] {
        assert_everywhere(&app, "repeat", arguments, &Ok(repeated(expected))).await;
    }
}

#[tokio::test]
async fn a_number_without_an_exact_integer_is_refused() {
    let app = serving().await;
    for (arguments, field) in [
        (r#"{"count":1.5}"#, "count"),
        (r#"{"count":1e-1}"#, "count"),
        (r#"{"count":2.0000000000000000000001}"#, "count"),
        (r#"{"count":-1.0}"#, "count"),
        (r#"{"count":4294967296.0}"#, "count"),
        (r#"{"large":1e30}"#, "large"),
        (r#"{"large":18446744073709551616.0}"#, "large"),
        (r#"{"signed":9223372036854775808.0}"#, "signed"),
        (r#"{"large":1e999999999}"#, "large"),
        (r#"{"rows":[{"id":1.0},{"id":1.5}]}"#, "rows[1].id"),
    ] {
        for said in everywhere(&app, "repeat", arguments).await {
            assert_eq!(said.unwrap_err(), field, "{arguments}");
        }
    }
}

#[tokio::test]
async fn the_error_quotes_the_number_as_it_was_written() {
    let app = serving().await;
    let problem: Value = app.post("/api/repeat", r#"{"count":1.5}"#).await.json();
    let said = problem["detail"].as_str().unwrap();
    assert!(said.contains("1.5"), "{said}");
}
