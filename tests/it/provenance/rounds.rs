//! Independent upstream requests are sent concurrently.

use bifold::provenance::replay::{OPERATOR, TRANSACTION, VESTING};
use bifold::testing::{Canned, Fault};
use serde_json::{Value, json};

use super::ask::{CallForm, about, ask, forms_of, interrupted, of_wallet, put, until};
use crate::support::TestApp;

fn hanging() -> Canned {
    Canned::json("").fault(Fault::Hang)
}

/// Checks on every protocol that these targets are requested while the upstream has answered none of those that hang.
/// A call that waited for one answer before its next request would never send the last one.
async fn assert_open_at_once(app: &TestApp, function: &str, arguments: Value, targets: &[String]) {
    let mut expected = targets.to_vec();
    expected.sort();
    for protocol in forms_of(app, function) {
        app.replay.forget();
        let call = put(app, protocol, function, &arguments);
        interrupted(call, || app.replay.seen().len() >= expected.len()).await;
        let mut seen = app.replay.seen();
        seen.sort();
        assert_eq!(seen, expected, "{function} by {protocol:?}");
    }
}

fn delegation_of(wallet: &str) -> Vec<String> {
    let rest = [
        "/delegations?count=10&page=1",
        "/rewards",
        "/unbonding",
        "/redelegations",
    ];
    rest.map(|rest| of_wallet("v2", wallet, rest)).into()
}

fn schedule_of(wallet: &str) -> Vec<String> {
    vec![
        of_wallet("v2", wallet, ""),
        of_wallet("v3", wallet, "/vesting?continuousPeriod=MONTH"),
    ]
}

#[tokio::test]
async fn a_wallet_function_sends_all_its_requests_concurrently() {
    let app = TestApp::start().await;
    app.replay.answer("/", hanging());
    let others = vec![
        format!("/lcd/provenance/exchange/v1/commitments/account/{VESTING}"),
        of_wallet("v3", VESTING, "/balances/utility_token"),
    ];
    let summary = [schedule_of(VESTING), delegation_of(VESTING), others].concat();
    for (function, targets) in [
        ("fetch_total_delegation_data", delegation_of(VESTING)),
        ("fetch_vesting_total_unvested_amount", schedule_of(VESTING)),
        ("fetch_complete_wallet_summary", summary),
    ] {
        assert_open_at_once(&app, function, about(VESTING), &targets).await;
    }
}

#[tokio::test]
async fn the_parts_of_the_second_set_are_requested_concurrently() {
    let app = TestApp::start().await;
    app.replay.answer("/", hanging());
    let target = |upstream: &str, path: &str| format!("/{upstream}{path}");
    let explorer = |path: &str| target("explorer", path);
    let lcd = |path: &str| target("lcd", path);
    let operator = format!("/api/v2/validators/{OPERATOR}");
    let transaction = format!("/api/v2/txs/{TRANSACTION}");
    let base = "/cosmos/base/tendermint/v1beta1";
    for (function, arguments, targets) in [
        (
            "fetch_validator_detail",
            json!({"operator_address": OPERATOR}),
            vec![
                explorer(&operator),
                explorer(&format!("{operator}/commission")),
            ],
        ),
        (
            "fetch_wallet_delegations",
            about(VESTING),
            [
                "/delegations?count=100&page=1",
                "/rewards",
                "/unbonding",
                "/redelegations",
            ]
            .map(|rest| of_wallet("v2", VESTING, rest))
            .into(),
        ),
        (
            "fetch_vesting_calendar",
            about(VESTING),
            schedule_of(VESTING),
        ),
        (
            "fetch_transaction",
            json!({"tx_hash": TRANSACTION}),
            vec![
                explorer(&transaction),
                explorer(&format!("{transaction}/msgs?count=200&page=1")),
            ],
        ),
        (
            "fetch_hash_distribution",
            json!({"rich_list": 7}),
            vec![
                explorer("/api/v3/utility_token/distribution"),
                explorer("/api/v3/utility_token/rich_list?limit=7"),
            ],
        ),
        (
            "fetch_fee_schedule",
            json!({}),
            vec![
                lcd("/provenance/flatfees/v1/params"),
                lcd("/provenance/flatfees/v1/msgfee/all?do_not_convert=true&pagination.limit=1000"),
            ],
        ),
        (
            "fetch_chain_status",
            json!({}),
            vec![
                lcd(&format!("{base}/blocks/latest")),
                lcd(&format!("{base}/node_info")),
                lcd(&format!("{base}/syncing")),
                lcd("/cosmos/staking/v1beta1/pool"),
                lcd("/cosmos/mint/v1beta1/inflation"),
                explorer("/api/v2/gas/stats?fromDate=2025-11-17&toDate=2025-11-18"),
            ],
        ),
    ] {
        assert_open_at_once(&app, function, arguments, &targets).await;
    }
}

#[tokio::test]
async fn a_market_overview_requests_its_lists_concurrently_and_then_all_prices() {
    let app = TestApp::start().await;
    app.replay.answer("/", hanging());
    let exchange = |path: &str| format!("/exchange/{path}");
    let lists = vec![
        exchange("markets"),
        exchange("assets"),
        "/explorer/api/v3/utility_token/stats".to_owned(),
    ];
    let function = "fetch_market_overview_summary";
    assert_open_at_once(&app, function, json!({}), &lists).await;

    let markets = Canned::json(recorded!("fm_markets_2025-06-05"));
    app.replay.answer("/exchange/markets", markets);
    let prices = ["HASH", "BTC", "ETH"].map(|it| exchange(&format!("trades/{it}-USD?size=1")));
    let all = [lists, prices.into()].concat();
    assert_open_at_once(&app, function, json!({}), &all).await;
}

#[tokio::test]
async fn calls_of_different_clients_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    app.replay.answer("/explorer/", hanging());
    let nothing = json!({});
    let hung = put(
        &app,
        CallForm::Mcp,
        "fetch_current_hash_statistics",
        &nothing,
    );
    let other = async {
        until(|| !app.replay.seen().is_empty()).await;
        ask(&app, "fetch_figure_markets_assets_info", json!({})).await
    };
    let assets = tokio::select! {
        _ = hung => panic!("the upstream hangs"),
        assets = other => assets,
    };
    assert_eq!(assets["assets"].as_array().unwrap().len(), 5);
}
