//! Upstream requests of the calls of a batch.

use bifold::provenance::replay::{PLAIN, VESTING};
use serde_json::{Value, json};

use super::{call, post, report};
use crate::support::TestApp;

#[tokio::test]
async fn upstream_requests_of_the_calls_count_for_the_request() {
    let app = TestApp::start().await;
    let calls =
        [VESTING, PLAIN].map(|it| call("fetch_account_info", json!({"wallet_address": it})));
    let answer = post(&app, json!({"calls": calls})).await;
    assert_eq!(app.replay.seen().len(), 2);
    let timing = answer.header("server-timing");
    assert!(timing.contains("desc=\"2 calls\""), "{timing}");
}

#[tokio::test]
async fn the_report_is_as_fresh_as_its_oldest_part() {
    let app = TestApp::plane().await;
    let calls =
        [VESTING, PLAIN].map(|it| call("fetch_account_info", json!({"wallet_address": it})));
    let hit = async |calls: &[Value]| {
        let result = app.tool("call_many", json!({"calls": calls})).await;
        result["_meta"]["bifold/cache"]["hit"].clone()
    };
    assert_eq!(hit(&calls[..1]).await, false);
    assert_eq!(hit(&calls).await, false);
    assert_eq!(hit(&calls).await, true);
    assert_eq!(hit(&[]).await, Value::Null);
}

#[tokio::test]
async fn a_failed_upstream_is_named() {
    let app = TestApp::start().await;
    let busy = bifold::testing::Canned::status(429, "text/plain", "").header("retry-after", "60");
    app.replay.answer("/exchange/assets", busy);
    let calls = [call("fetch_figure_markets_assets_info", json!({}))];
    let report = report(&app, json!({"calls": calls})).await;
    let error = &report["results"][0]["error"];
    assert_eq!(error["kind"], "rate_limited");
    assert_eq!(
        error["upstream"],
        json!({"name": "exchange", "status": 429})
    );
    assert_eq!(
        (&error["retryable"], &error["retry_after_ms"]),
        (&json!(true), &json!(60_000))
    );
}
