//! Progress of the functions that have parts.

use bifold::provenance::replay::VESTING;
use serde_json::{Value, json};

use super::{messages, of, response, watched};
use crate::support::TestApp;

#[tokio::test]
async fn aggregates_report_each_part_that_succeeds_or_fails() {
    let app = TestApp::start().await;
    let wallet = json!({"wallet_address": VESTING});
    let delegation = [
        "staked: done",
        "rewards: done",
        "unbonding: done",
        "redelegated: done",
    ];
    for (name, arguments, parts) in [
        (
            "fetch_total_delegation_data",
            wallet.clone(),
            delegation.to_vec(),
        ),
        (
            "fetch_complete_wallet_summary",
            wallet,
            [
                delegation.as_slice(),
                &["account: done", "vesting: done", "delegation: done"],
                &["committed: done", "balances: done"],
            ]
            .concat(),
        ),
        (
            "fetch_market_overview_summary",
            json!({}),
            vec![
                "markets: done",
                "hash_statistics: done",
                "assets: done",
                "HASH-USD: done",
                "BTC-USD: done",
                "ETH-USD: done",
            ],
        ),
    ] {
        let answer = app.send(watched(name, arguments, json!(1))).await;
        let mut messages = messages(&answer);
        let result = &response(&mut messages)["result"];
        assert_eq!(result["isError"], false);
        assert!(result["_meta"]["bifold/cache"].is_object(), "{name}");
        let total = parts.len();
        let expected: Vec<f64> = (1..=total).map(|done| done as f64).collect();
        assert_eq!(
            of(&messages, "progress"),
            expected.iter().collect::<Vec<_>>(),
            "{name}"
        );
        assert!(of(&messages, "total").iter().all(|it| **it == total as f64));
        let mut told = of(&messages, "message");
        told.sort_by_key(|it| it.to_string());
        let mut parts: Vec<Value> = parts.into_iter().map(Value::from).collect();
        parts.sort_by_key(ToString::to_string);
        assert_eq!(told, parts.iter().collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn a_failed_part_is_reported_as_failed() {
    let app = TestApp::start().await;
    let broken = bifold::testing::Canned::status(500, "application/json", "{}");
    app.replay.answer("/explorer/api/v2/accounts", broken);
    let name = "fetch_complete_wallet_summary";
    let arguments = json!({"wallet_address": VESTING});
    let mut messages = messages(&app.send(watched(name, arguments, json!(1))).await);
    response(&mut messages);
    let told = of(&messages, "message");
    for part in ["account: failed", "delegation: failed", "balances: done"] {
        assert!(told.iter().any(|it| *it == part), "{part}: {told:?}");
    }
}
