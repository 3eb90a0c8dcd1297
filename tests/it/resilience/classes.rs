//! What opens a circuit breaker, and that the other path classes of the same upstream are not affected.

use std::time::Duration;

use bech32::{Bech32, Hrp};
use bifold::provenance::replay::VESTING;
use bifold::testing::{Canned, Fault};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::late::passing;
use crate::provenance::ask::{interrupted, of_wallet};
use crate::support::TestApp;

const REWARDS: &str = "/api/delegated_rewards_amount";

fn hanging() -> Canned {
    Canned::json("").fault(Fault::Hang)
}

fn wallet(number: u8) -> String {
    bech32::encode::<Bech32>(Hrp::parse("pb").unwrap(), &[number; 20]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_path_class_opens_its_breaker_and_the_others_are_answered() {
    let app = TestApp::plane_with(|config| config.upstream_limits = true).await;
    let rewards = of_wallet("v2", VESTING, "/rewards");
    app.replay.answer(&rewards, hanging());
    let path = format!("{REWARDS}/{VESTING}");
    for _ in 0..2 {
        let (answer, _) = passing(app.get(&path)).await;
        assert_eq!(answer.json()["kind"], "upstream_timeout");
    }
    let (open, took) = passing(app.get(&path)).await;
    assert_eq!(open.status, StatusCode::SERVICE_UNAVAILABLE, "{took:?}");
    assert_eq!(open.json()["kind"], "upstream_unavailable");
    for other in [
        "delegated_unbonding_amount",
        "delegated_staked_amount",
        "delegated_redelegation_amount",
        "wallet_liquid_balance",
        "account_info",
        "vesting_total_unvested_amount",
    ] {
        let (answer, _) = passing(app.get(&format!("/api/{other}/{VESTING}"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{other}: {}", answer.text());
    }
    let (statistics, _) = passing(app.get("/api/current_hash_statistics")).await;
    assert_eq!(statistics.status, StatusCode::OK);
    let (summary, took) =
        passing(app.get(&format!("/api/complete_wallet_summary/{VESTING}"))).await;
    let incomplete = summary.json()["incomplete"].take();
    assert_eq!(incomplete[0]["part"], "delegation.rewards", "{incomplete}");
    assert_eq!(incomplete.as_array().unwrap().len(), 1);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_class_releases_its_permits_in_time_for_the_others() {
    let app = TestApp::plane_with(|config| config.upstream_limits = true).await;
    let paths: Vec<String> = (0..30)
        .map(|it| format!("{REWARDS}/{}", wallet(it)))
        .collect();
    for number in 0..30 {
        let rewards = of_wallet("v2", &wallet(number), "/rewards");
        app.replay.answer(&rewards, hanging());
    }
    let many = join_all(paths.iter().map(|path| app.get(path)));
    let behind = async {
        let path = format!("/api/delegated_unbonding_amount/{VESTING}");
        (app.get(&path).await, Instant::now())
    };
    let since = Instant::now();
    let ((many, (answer, at)), took) = passing(async { tokio::join!(many, behind) }).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    // Two rounds of four requests open the breaker, and each of them ends after four seconds.
    assert!(at - since <= Duration::from_secs(9), "{:?}", at - since);
    assert!(many.iter().all(|it| it.status.is_server_error()));
    assert!(took <= Duration::from_secs(12), "{took:?}");
}

#[tokio::test]
async fn a_request_cancelled_by_its_caller_does_not_count_as_an_upstream_failure() {
    let app = TestApp::plane().await;
    let rewards = of_wallet("v2", VESTING, "/rewards");
    app.replay.answer_times(&rewards, hanging(), 10);
    let path = format!("{REWARDS}/{VESTING}");
    for number in 1..=10 {
        interrupted(app.get(&path), || app.replay.seen().len() == number).await;
    }
    assert_eq!(app.get(&path).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn short_client_deadlines_do_not_open_a_breaker() {
    let app = TestApp::plane().await;
    app.replay.answer_times("/explorer/api/v2", hanging(), 8);
    let calls: Vec<_> = (0..8)
        .map(
            |it| json!({"name": "fetch_account_info", "arguments": {"wallet_address": wallet(it)}}),
        )
        .collect();
    let hurried = json!({"calls": calls, "item_timeout_ms": 2_000}).to_string();
    let (report, _) = passing(app.post("/api/batch", hurried)).await;
    assert_eq!(report.json()["failed"], 8);
    let (answer, _) = passing(app.get(&format!("/api/account_info/{}", wallet(9)))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn client_errors_do_not_open_a_breaker() {
    for status in [400, 403, 404, 410, 422] {
        let app = TestApp::plane().await;
        app.replay.answer("/", Canned::status(status, "", ""));
        for number in 0..20 {
            for path in [
                format!("/api/crypto_token_price/X{number}-USD"),
                format!("/api/account_info/{}", wallet(number)),
                format!("/api/available_committed_amount/{}", wallet(number)),
            ] {
                let answer = app.get(&path).await;
                assert!(!answer.status.is_success(), "{path}");
                assert_ne!(answer.json()["kind"], "upstream_unavailable", "{path}");
            }
        }
        app.replay
            .answer("/exchange/trades", Canned::json(r#"{"matches": []}"#));
        let after = app.get("/api/crypto_token_price/ANY-USD").await;
        assert_eq!(after.status, StatusCode::OK, "{status}: {}", after.text());
    }
}
