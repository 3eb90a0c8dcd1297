//! Retries, breaker and limits of an upstream.

use std::time::Duration;

use bifold::provenance::replay::Replay;
use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use bifold::testing::Fault;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

use super::{STATS, STATS_UPSTREAM, failing, late_account, pass, stats};
use crate::support::TestApp;

#[tokio::test]
async fn a_transient_failure_is_tried_at_most_three_times() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, Canned::status(503, "", ""), 2);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 3);
    let app = TestApp::plane().await;
    app.replay
        .answer(STATS_UPSTREAM, Canned::status(503, "", ""));
    assert_eq!(app.get(STATS).await.json()["kind"], "upstream_error");
    assert_eq!(app.replay.seen().len(), 3);
    let app = TestApp::plane().await;
    app.replay
        .answer(STATS_UPSTREAM, Canned::status(400, "", ""));
    assert_eq!(app.get(STATS).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_fails_repeatedly_gets_no_requests_and_then_one_probe() {
    let app = TestApp::plane_with(|config| config.upstream_tries = 1).await;
    app.replay.answer_times(STATS_UPSTREAM, failing(), 5);
    for _ in 0..5 {
        assert_eq!(app.get(STATS).await.json()["kind"], "upstream_error");
    }
    let open = app.get(STATS).await;
    assert_eq!(
        (open.status, open.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    assert_eq!(open.json()["kind"], "upstream_unavailable");
    assert_eq!(app.replay.seen().len(), 5);
    // Another upstream is not affected.
    assert_eq!(
        app.get("/api/figure_markets_data").await.status,
        StatusCode::OK
    );
    pass(Duration::from_secs(5)).await;
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn concurrent_requests_to_an_upstream_stay_within_its_limit() {
    let app = TestApp::plane_with(|config| config.upstream_limits = true).await;
    app.replay
        .plan_faults(Replay::faults("explorer=delay:20").unwrap());
    let wallets = [
        VESTING,
        bifold::provenance::replay::PLAIN,
        bifold::provenance::replay::MOVING,
        bifold::provenance::replay::PERIODIC,
    ];
    let paths = wallets.iter().flat_map(|wallet| {
        [
            format!("/api/account_info/{wallet}"),
            format!("/api/total_delegation_data/{wallet}"),
        ]
    });
    let answers = join_all(paths.map(async |path| app.get(&path).await.status)).await;
    assert!(
        answers.iter().all(|status| *status == StatusCode::OK),
        "{answers:?}"
    );
    assert_eq!(app.replay.max_concurrent(), 4);
}

#[tokio::test]
async fn a_call_that_cannot_start_before_its_deadline_is_refused_at_once() {
    let app = TestApp::plane_with(|config| {
        config.upstream_limits = true;
        config.call_timeout = Duration::from_secs(1);
        config.cache_bytes = 0;
    })
    .await;
    let path = format!("/api/available_committed_amount/{VESTING}");
    for _ in 0..5 {
        assert_eq!(app.get(&path).await.status, StatusCode::OK);
    }
    let refused = app.get(&path).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["kind"], "rate_limited");
    assert!(
        matches!(refused.header("retry-after"), "1" | "2"),
        "{}",
        refused.header("retry-after")
    );
    assert_eq!(app.replay.seen().len(), 5);
}

#[tokio::test]
async fn health_answers_while_upstreams_hang() {
    let app = TestApp::plane().await;
    app.replay
        .answer("/explorer", stats("11").fault(Fault::Hang));
    let mut hanging = Box::pin(app.get(STATS));
    assert!(futures_util::poll!(&mut hanging).is_pending());
    let health = tokio::time::timeout(Duration::from_millis(50), app.get("/health")).await;
    assert_eq!(health.unwrap().status, StatusCode::OK);
    assert!(futures_util::poll!(&mut hanging).is_pending());
}

#[tokio::test]
async fn calls_with_short_deadlines_do_not_open_the_breaker_for_others() {
    let app = TestApp::plane().await;
    app.replay
        .answer("/explorer/api/v2/accounts", late_account(100));
    let wallets = [
        VESTING,
        bifold::provenance::replay::PLAIN,
        bifold::provenance::replay::MOVING,
        bifold::provenance::replay::PERIODIC,
        bifold::provenance::replay::DELAYED,
    ];
    let calls = wallets
        .map(|it| json!({"name": "fetch_account_info", "arguments": {"wallet_address": it}}));
    let hurried = json!({"calls": calls, "item_timeout_ms": 20});
    let report = app.post("/api/batch", hurried.to_string()).await.json();
    assert_eq!(report["failed"], 5);
    let patient = app.get(&format!("/api/account_info/{VESTING}")).await;
    assert_eq!(patient.status, StatusCode::OK, "{}", patient.text());
}

#[tokio::test]
async fn queued_requests_respect_a_breaker_that_opened_meanwhile() {
    let app = TestApp::plane_with(|config| {
        config.upstream_limits = true;
        config.upstream_tries = 1;
    })
    .await;
    app.replay.answer(
        "/explorer",
        failing().fault(Fault::Delay(Duration::from_millis(20))),
    );
    let hrp = bech32::Hrp::parse("pb").unwrap();
    let wallets: Vec<String> = (0..60)
        .map(|byte| bech32::encode::<bech32::Bech32>(hrp, &[byte; 20]).unwrap())
        .collect();
    join_all(
        wallets
            .iter()
            .map(async |it| app.get(&format!("/api/account_info/{it}")).await.status),
    )
    .await;
    let asked = app.replay.seen().len();
    assert!(
        asked <= 12,
        "{asked} requests went to an upstream that fails each of them"
    );
}
