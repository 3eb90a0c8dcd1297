//! Arguments are quoted in excerpts.

use serde_json::{Value, json};

use super::{assert_brief, long_texts, serving};
use crate::support::Log;

/// Functions and arguments, each with the long text in another place.
fn arguments(long: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("repeat", json!({long: 1})),
        ("repeat", json!({"count": long})),
        ("repeat", json!({"flag": long})),
        ("repeat", json!({"list": long})),
        ("repeat", json!({"colour": long})),
        ("repeat", json!({"pair": [1, {long: 1}]})),
        ("repeat", json!({"inner": {"id": 1, long: 1}})),
        ("repeat", json!({"inner": long})),
        ("repeat", json!({"numbers": {long: "x"}})),
        ("repeat", json!({"named": {long: {"id": long}}})),
        ("repeat", json!({"tagged": {"kind": long}})),
        ("repeat", json!({"outer": {long: 1}})),
        ("repeat", json!({"outer": long})),
        ("repeat", json!({"either": {long: long}})),
        ("query", json!({"moment": long})),
        ("call_many", json!({"calls": [{"name": long}]})),
        (
            "call_many",
            json!({"calls": [{"name": "repeat", "arguments": {long: 1}}]}),
        ),
        ("call_many", json!({"calls": [{"name": "repeat", long: 1}]})),
        ("call_many", json!({"calls": long})),
    ]
}

#[tokio::test]
async fn arguments_are_quoted_in_excerpts_on_every_protocol() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        for (name, arguments) in arguments(&long) {
            let shown = arguments.to_string();
            let shown: String = shown.chars().take(60).collect();
            let path = match name {
                "call_many" => "/api/batch".to_owned(),
                name => format!("/api/{name}"),
            };
            let answer = app.post(&path, arguments.to_string()).await;
            assert_brief(&answer, &log, &long, &shown);
            let params = json!({"name": name, "arguments": arguments});
            let answer = app.mcp("tools/call", params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let answer = app.legacy("2025-03-26", "tools/call", params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let message =
                json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            let answer = app.post("/mcp", json!([message]).to_string()).await;
            assert_brief(&answer, &log, &long, &shown);
        }
    }
}

#[tokio::test]
async fn an_error_message_of_an_application_type_is_cut_as_a_whole() {
    let app = serving().await;
    for long in long_texts(100_000) {
        let body = json!({"own": long}).to_string();
        let problem = app.post("/api/query", body).await.json();
        let said = problem["detail"].as_str().unwrap();
        assert!(said.starts_with("`own`: there is no `"), "{said}");
        assert!(said.ends_with('…') && said.chars().count() < 420, "{said}");
    }
}
