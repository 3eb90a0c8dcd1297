//! A response stays within its byte limit, and a larger one is never built.

use bifold::testing::Canned;
use serde_json::{Value, json};

use super::{Done, batch_of, calls_of, serving};
use crate::lambda::changed;
use crate::support::TestApp;

/// Far more rows than memory could hold.
const ENDLESS: usize = 1 << 40;

#[tokio::test]
async fn a_response_beyond_the_limit_is_refused_before_it_is_built() {
    let done = Done::default();
    let app = serving(&done, 80_000).await;
    let fits = app.get("/api/much/9000").await;
    assert_eq!((fits.status.as_u16(), done.rows()), (200, 9000));
    let answer = app.get(&format!("/api/much/{ENDLESS}")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["kind"], "answer_too_large");
    assert_eq!(answer.json()["retryable"], false);
    assert!(answer.json()["detail"].as_str().unwrap().contains("80000"));
    assert!(done.rows() <= 80_000 / 8 + 1);
    // On MCP the result is in the response twice.
    let result = app.tool("much", json!({"rows": 9000})).await;
    assert_eq!(result["_meta"]["bifold/error"]["kind"], "answer_too_large");
    assert_eq!(result["isError"], true);
    assert!(done.rows() <= 80_000 / 16 + 1);
    let result = app.tool("much", json!({"rows": 3000})).await;
    assert_eq!(result["isError"], false);
    let content = app.tool("blocks", json!({"rows": 90_000})).await;
    assert_eq!(content["_meta"]["bifold/error"]["kind"], "answer_too_large");
    assert_eq!(
        app.tool("blocks", json!({"rows": 70_000})).await["isError"],
        false
    );
}

#[tokio::test]
async fn resources_prompts_and_completions_have_the_same_limit() {
    let done = Done::default();
    let app = serving(&done, 80_000).await;
    let about = json!({"ref": {"type": "ref/prompt", "name": "prompt"},
        "argument": {"name": "bytes", "value": ""}});
    for (method, params) in [
        ("resources/read", json!({"uri": "test://much"})),
        (
            "prompts/get",
            json!({"name": "prompt", "arguments": {"bytes": "90000"}}),
        ),
        ("completion/complete", about),
    ] {
        for answer in [
            app.mcp(method, params.clone()).await,
            app.legacy("2025-06-18", method, params.clone()).await,
        ] {
            let error = &answer.json()["error"];
            assert_eq!(
                error["data"]["kind"], "answer_too_large",
                "{method}: {error}"
            );
            assert_eq!(error["code"], -32603, "{method}");
        }
    }
    assert!(done.rows() <= 2 * (80_000 / 8 + 1));
}

#[tokio::test]
async fn in_a_batch_the_results_within_the_limit_are_kept_and_the_others_fail() {
    let done = Done::default();
    for most in [100_000, 1 << 20] {
        let app = serving(&done, most).await;
        let calls = calls_of("much", json!({"rows": 1000}), 200);
        let answer = app.post("/api/batch", calls.to_string()).await;
        if most == 100_000 {
            // There is not even room for an error for each call.
            assert_eq!(answer.json()["kind"], "answer_too_large");
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.body.len() <= most);
        let report = answer.json();
        let succeeded = report["succeeded"].as_u64().unwrap();
        assert!((90..=131).contains(&succeeded), "{succeeded}");
        assert_eq!(report["failures"][0]["kind"], "answer_too_large");
        assert_eq!(report["failed"], 200 - succeeded);

        let result = app.tool("call_many", calls.clone()).await;
        assert!(result.to_string().len() <= most);
        let succeeded = result["structuredContent"]["succeeded"].as_u64().unwrap();
        assert!((30..=65).contains(&succeeded), "{succeeded}");
    }
    // A large result fails alone beside small ones.
    let app = serving(&done, 1 << 20).await;
    let mut calls = calls_of("much", json!({"rows": 10}), 3);
    calls["calls"][1]["arguments"]["rows"] = ENDLESS.into();
    done.rows();
    let report = app.post("/api/batch", calls.to_string()).await.json();
    assert_eq!(report["succeeded"], 2);
    assert_eq!(report["failures"][0]["index"], 1);
    assert!(done.rows() <= (1 << 20) / 8 + 21);
}

#[tokio::test]
async fn a_json_rpc_batch_has_one_budget_for_all_methods() {
    let done = Done::default();
    let most = 200_000;
    let app = serving(&done, most).await;
    let about = json!({"ref": {"type": "ref/prompt", "name": "prompt"},
        "argument": {"name": "bytes", "value": ""}});
    for (method, params) in [
        (
            "tools/call",
            json!({"name": "much", "arguments": {"rows": 1000}}),
        ),
        (
            "tools/call",
            json!({"name": "blocks", "arguments": {"rows": 30_000}}),
        ),
        ("tools/list", json!({})),
        ("resources/read", json!({"uri": "test://much"})),
        (
            "prompts/get",
            json!({"name": "prompt", "arguments": {"bytes": "30000"}}),
        ),
        ("completion/complete", about),
    ] {
        let answer = batch_of(&app, method, &params, 100).await;
        // Beside the results that fit, every other one has an error that names the limit.
        let bytes = answer.body.len();
        assert!(bytes <= most + 100 * 400, "{method}: {bytes}");
        let answers = answer.json();
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 100);
        let fails = |it: &&Value| it.to_string().contains("answer_too_large");
        let failed = answers.iter().filter(fails).count();
        let none_fits = method == "resources/read";
        let some = if none_fits { 100..=100 } else { 1..=99 };
        assert!(some.contains(&failed), "{method}: {failed}");
    }
}

#[tokio::test]
async fn an_upstream_with_a_too_large_response_is_named() {
    let app = TestApp::start().await;
    let body = format!(r#"{{"data":[{}]}}"#, vec!["{}"; 200_000].join(","));
    assert!(body.len() < 1 << 20);
    app.replay.answer("/exchange/markets", Canned::json(body));
    for answer in [
        app.get("/api/figure_markets_data").await.json(),
        app.tool("fetch_current_fm_data", json!({})).await["_meta"]["bifold/error"].take(),
    ] {
        assert_eq!(answer["kind"], "answer_too_large", "{answer}");
    }
    let problem = app.get("/api/figure_markets_data").await.json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("upstream"), "{detail}");
}

#[tokio::test]
async fn a_buffered_lambda_response_fits_into_the_platform_limit() {
    let done = Done::default();
    let app = serving(&done, 100 << 20).await;
    for (name, path, most) in [
        ("function_url_rest", "/rawPath", 6 << 20),
        ("rest_api_rest", "/path", 6 << 20),
        ("load_balancer", "/path", 1_000_000),
    ] {
        // Each row has eight bytes, and ten inside a string.
        let limit = (most - (64 << 10)) / 10;
        for (rows, status) in [(limit - 10, 200), (limit + 10, 500), (ENDLESS, 500)] {
            let fields = [
                (path, json!(format!("/api/much/{rows}"))),
                ("/rawQueryString", json!("")),
                ("/queryStringParameters", Value::Null),
                ("/multiValueQueryStringParameters", Value::Null),
            ];
            let event = changed(name, &fields).to_string();
            let reply =
                bifold::lambda::answer(&app.app, &event, bifold::RequestInfo::default()).await;
            let body = reply.unwrap().into_body();
            let document = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            assert!(document.len() < most, "{name}: {}", document.len());
            let document: Value = serde_json::from_slice(&document).unwrap();
            assert_eq!(document["statusCode"], status, "{name}: {rows}");
            assert!(done.rows() <= most / 8 + 1);
        }
    }
}
