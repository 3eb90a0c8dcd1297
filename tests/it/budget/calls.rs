//! One request makes at most two hundred calls, directly and nested.

use serde_json::{Value, json};

use super::{Done, batch_of, calls_of, serving};
use crate::support::TestApp;

const MOST: usize = 5 << 20;

fn params(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

#[tokio::test]
async fn all_calls_of_a_json_rpc_batch_are_charged_to_one_request() {
    let done = Done::default();
    let app = serving(&done, MOST).await;
    let many = params("call_many", calls_of("count", json!({}), 150));
    let answers = batch_of(&app, "tools/call", &many, 3).await.json();
    assert_eq!(done.calls(), 200);
    let text = answers.to_string();
    assert!(text.contains("too_many_calls"), "{text}");
    for answer in answers.as_array().unwrap() {
        assert_eq!(answer["result"]["isError"], false, "each has a report");
    }
    // The messages themselves count too.
    let one = params("relay", json!({"rows": 3}));
    batch_of(&app, "tools/call", &one, 100).await;
    let more = done.calls() - 200;
    assert!(
        (100..=150).contains(&more),
        "{more} beside at least fifty messages"
    );
}

#[tokio::test]
async fn calls_by_an_application_function_are_charged_too() {
    let done = Done::default();
    let app = serving(&done, MOST).await;
    let answer = app.get("/api/relay/1000").await;
    assert_eq!(answer.json()[0]["text"], "too_many_calls");
    assert_eq!(done.calls(), 200);
    let result = app.tool("relay", json!({"rows": 1000})).await;
    assert_eq!(result["content"][0]["text"], "too_many_calls");
    assert_eq!(done.calls(), 400);
    let calls = calls_of("relay", json!({"rows": 1000}), 10);
    let answer = app.post("/api/batch", calls.to_string()).await;
    assert_eq!(answer.status, 200);
    let more = done.calls() - 400;
    assert!(
        (190..=192).contains(&more),
        "{more} beside those of the batch"
    );
}

#[tokio::test]
async fn a_call_beyond_the_budget_is_an_error_and_the_next_request_has_its_own_budget() {
    let done = Done::default();
    let app = serving(&done, MOST).await;
    for round in 1..=2 {
        let answer = app.get("/api/relay/200").await;
        assert_eq!(answer.json()[0]["text"], "", "{}", answer.text());
        assert_eq!(done.calls(), round * 200);
    }
    let many = params("call_many", calls_of("count", json!({}), 200));
    let answers = batch_of(&app, "tools/call", &many, 2).await.json();
    let second: Value =
        serde_json::from_str(answers[1]["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    let failures: usize = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.to_string().matches(r#"\"ok\":false"#).count())
        .sum();
    assert_eq!(failures, 200);
    let failed = second["results"].as_array().unwrap().iter();
    let error = failed
        .map(|it| &it["error"])
        .find(|it| !it.is_null())
        .unwrap();
    assert_eq!(error["kind"], "too_many_calls");
    assert_eq!(error["retryable"], false);
    assert!(error["message"].as_str().unwrap().contains("200 calls"));
}

#[tokio::test]
async fn completions_count_as_calls() {
    let done = Done::default();
    let app = serving(&done, 100 << 20).await;
    let many = params("call_many", calls_of("count", json!({}), 200));
    let call = json!({"jsonrpc": "2.0", "id": 0, "method": "tools/call", "params": many});
    let about = json!({"ref": {"type": "ref/prompt", "name": "prompt"},
        "argument": {"name": "bytes", "value": ""}});
    let complete =
        json!({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": about});
    let both = json!([call, complete]).to_string();
    let answers = app.post("/mcp", both).await.json();
    let text = answers.to_string();
    assert!(text.contains("too_many_calls"), "{text}");
    assert!(done.calls() <= 200);
}

#[tokio::test]
async fn functions_that_call_others_cannot_be_nested() {
    let done = Done::default();
    let app = serving(&done, MOST).await;
    let inner = calls_of("count", json!({}), 1);
    for (calls, place) in [
        (calls_of("call_many", inner, 2), "error"),
        (calls_of("disguise", json!({}), 2), "result"),
    ] {
        let answer = app.post("/api/batch", calls.to_string()).await;
        let told = answer.json()["results"][1][place].to_string();
        assert!(told.contains("invalid_argument"), "{told}");
        assert!(told.contains("`call_many` calls functions"), "{told}");
    }
    assert_eq!(done.calls(), 0);
    // Alone it is allowed: no other function that calls others runs.
    assert_eq!(app.get("/api/disguise").await.json()[0]["text"], "called");
    assert_eq!(done.calls(), 1);
}

#[tokio::test]
async fn the_server_test_and_call_many_do_not_multiply() {
    let app = TestApp::start().await;
    let calls = calls_of(
        "mcp_test_server",
        json!({"function_name": "get_registry_summary", "repeat": 20}),
        200,
    );
    let hidden = json!({"function_name": "call_many", "arguments": calls, "repeat": 20});
    let result = app.tool("mcp_test_server", hidden).await;
    assert_eq!(result["structuredContent"]["successful_calls"], 0);
    let report = app.tool("call_many", calls).await["structuredContent"].take();
    assert_eq!(report["succeeded"], 0);
}
