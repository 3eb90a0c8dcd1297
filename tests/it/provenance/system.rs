//! The server about itself: its counts, its list, its context, its warm-up ping, and its test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bifold::testing::Canned;
use bifold::{Content, Context, Error, JsonSchema, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{ask, fail, fail_each};
use crate::support::TestApp;

/// The public list: names and GET paths in their order, `-` for a function that is only on MCP.
const LIST: &str = "
fetch_account_info                  mcp,rest /api/account_info/{wallet_address}
fetch_account_is_vesting            mcp,rest /api/account_is_vesting/{wallet_address}
fetch_total_delegation_data         mcp,rest /api/total_delegation_data/{wallet_address}
fetch_vesting_total_unvested_amount mcp,rest /api/vesting_total_unvested_amount/{wallet_address}
fetch_available_committed_amount    mcp,rest /api/available_committed_amount/{wallet_address}
fetch_current_fm_data               mcp,rest /api/figure_markets_data
fetch_last_crypto_token_price       mcp,rest /api/crypto_token_price/{token_pair}
fetch_figure_markets_assets_info    mcp,rest /api/figure_markets_assets_info
fetch_current_hash_statistics       mcp,rest /api/current_hash_statistics
get_system_context                  mcp,rest /api/system_context
fetch_complete_wallet_summary       mcp,rest /api/complete_wallet_summary/{wallet_address}
fetch_market_overview_summary       mcp,rest /api/market_overview_summary
get_registry_introspection          mcp,rest /api/registry_introspection
get_registry_summary                mcp,rest /api/registry_summary
fetch_delegated_rewards_amount      rest     /api/delegated_rewards_amount/{wallet_address}
fetch_delegated_staked_amount       rest     /api/delegated_staked_amount/{wallet_address}
fetch_delegated_unbonding_amount    rest     /api/delegated_unbonding_amount/{wallet_address}
fetch_delegated_redelegation_amount rest     /api/delegated_redelegation_amount/{wallet_address}
fetch_wallet_liquid_balance         rest     /api/wallet_liquid_balance/{wallet_address}
mcp_warmup_ping                     mcp      -
mcp_test_server                     mcp      -
fetch_validators                    mcp,rest /api/validators
fetch_validator_detail              mcp,rest /api/validators/{operator_address}
fetch_wallet_delegations            mcp,rest /api/wallet_delegations/{wallet_address}
fetch_governance_proposals          mcp,rest /api/governance_proposals
fetch_proposal                      mcp,rest /api/governance_proposals/{proposal_id}
fetch_wallet_spendable              mcp,rest /api/wallet_spendable/{wallet_address}
fetch_wallet_balances               mcp,rest /api/wallet_balances/{wallet_address}
fetch_vesting_calendar              mcp,rest /api/vesting_calendar/{wallet_address}
fetch_market_candles                mcp,rest /api/market_candles/{token_pair}
fetch_order_book                    mcp,rest /api/order_book/{token_pair}
fetch_recent_trades_vwap            mcp,rest /api/vwap/{token_pair}
fetch_block                         mcp,rest /api/blocks/{height}
fetch_transaction                   mcp,rest /api/transactions/{tx_hash}
fetch_wallet_transactions           mcp,rest /api/wallet_transactions/{wallet_address}
fetch_ibc_denoms                    mcp,rest /api/ibc_denoms
fetch_hash_price_history            mcp,rest /api/hash_price_history
fetch_hash_distribution             mcp,rest /api/hash_distribution
fetch_market_commitments            mcp,rest /api/market_commitments
fetch_fee_schedule                  mcp,rest /api/fee_schedule
fetch_chain_status                  mcp,rest /api/chain_status
convert_amount                      mcp,rest /api/convert_amount
";

fn counts() -> Value {
    json!({
        "total_functions": 42,
        "mcp_enabled": 37,
        "rest_enabled": 40,
        "dual_protocol": 35,
        "mcp_only": 2,
        "rest_only": 5,
    })
}

/// The report of `mcp_test_server`, and its times in ascending order.
async fn tested(app: &TestApp, arguments: Value) -> (Value, Vec<Option<f64>>) {
    let mut report = ask(app, "mcp_test_server", arguments).await;
    let fields = report.as_object_mut().unwrap();
    let times = ["min_ms", "avg_ms", "p95_ms", "max_ms"];
    let times = times.map(|name| fields.remove(name).unwrap().as_f64());
    (report, times.into())
}

#[tokio::test]
async fn the_registry_counts_its_functions_by_protocol() {
    let app = TestApp::core().await;
    let summary = ask(&app, "get_registry_summary", json!({})).await;
    assert_eq!(summary, counts());
}

#[tokio::test]
async fn the_registry_lists_its_functions_in_order_of_registration() {
    let app = TestApp::core().await;
    let listing = ask(&app, "get_registry_introspection", json!({})).await;
    assert_eq!(listing["summary"], counts());
    let functions = listing["functions"].as_array().unwrap();
    let expected: Vec<&str> = LIST.trim().lines().collect();
    assert_eq!(functions.len(), expected.len());
    for (function, line) in functions.iter().zip(expected) {
        let [name, protocols, path] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let protocols: Vec<&str> = protocols.split(',').collect();
        let on_rest = |value: &str| (path != "-").then(|| value.to_owned());
        assert_eq!(function["name"], name);
        assert_eq!(function["protocols"], json!(protocols), "{name}");
        assert_eq!(function["path"], json!(on_rest(path)), "{name}");
        assert_eq!(function["method"], json!(on_rest("GET")), "{name}");
        let is_told = |field: &str| !function[field][0].is_null() || function[field] != "";
        assert!(is_told("tags") && is_told("description"), "{name}");
    }
}

#[tokio::test]
async fn the_context_explains_units_terms_and_sums() {
    let app = TestApp::start().await;
    let answer = ask(&app, "get_system_context", json!({})).await;
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let text = answer["context"].as_str().unwrap().to_lowercase();
    for term in [
        "nhash",
        "10^9",
        "utc",
        "vest",
        "unbonding",
        "redelegat",
        "reward",
        "commit",
        "spendable",
        "incomplete",
        "wallet total = liquid + staked + rewards + unbonding",
    ] {
        assert!(text.contains(term), "{term}");
    }
    assert!(app.replay.seen().is_empty());
}

#[tokio::test]
async fn a_ping_is_cold_on_its_own_first_call_and_then_warm() {
    let app = TestApp::start().await;
    // Other calls do not count: only the ping's own first call is cold.
    ask(&app, "get_registry_summary", json!({})).await;
    app.replay.forget();
    for (status, invocations) in [("cold", 4), ("warm", 5), ("warm", 6)] {
        let pong = ask(&app, "mcp_warmup_ping", json!({})).await;
        assert_eq!(pong["status"], status);
        assert_eq!(pong["invocations"], invocations);
        assert_eq!(pong["version"], env!("CARGO_PKG_VERSION"));
        assert!(pong["uptime_ms"].is_u64());
    }
    assert!(
        app.replay.seen().is_empty(),
        "a ping sends no upstream request"
    );
}

#[tokio::test]
async fn two_applications_in_one_process_are_cold_separately() {
    for _ in 0..2 {
        let app = TestApp::start().await;
        let pong = ask(&app, "mcp_warmup_ping", json!({})).await;
        assert_eq!(pong["status"], "cold");
    }
}

#[tokio::test]
async fn the_server_test_calls_a_function_as_often_as_requested() {
    let app = TestApp::start().await;
    for (function, arguments, repeat) in [
        ("fetch_current_hash_statistics", json!({}), 1),
        (
            "fetch_last_crypto_token_price",
            json!({"last_number_of_trades": 2}),
            20,
        ),
        ("get_registry_summary", json!({}), 3),
    ] {
        app.replay.forget();
        let question = json!({"function_name": function, "arguments": arguments, "repeat": repeat});
        let (report, times) = tested(&app, question).await;
        let expected = json!({
            "function_name": function,
            "total_calls": repeat,
            "successful_calls": repeat,
            "success_rate": 1.0,
            "errors": [],
        });
        assert_eq!(report, expected);
        assert!(times.iter().all(|it| it.is_some_and(|ms| ms >= 0.0)));
        let [min, avg, p95, max] = times[..] else {
            panic!("{times:?}");
        };
        assert!(min <= avg && avg <= max && min <= p95 && p95 <= max);
        let asks_upstream = function != "get_registry_summary";
        let asked = if asks_upstream { repeat } else { 0 };
        assert_eq!(app.replay.seen().len(), asked, "{function}");
    }
}

#[tokio::test]
async fn the_server_test_calls_once_and_reports_times_by_default() {
    let app = TestApp::start().await;
    let function = "fetch_current_hash_statistics";
    let (report, times) = tested(&app, json!({"function_name": function})).await;
    assert_eq!(report["total_calls"], 1);
    assert!(times.iter().all(Option::is_some));
    let question = json!({"function_name": function, "measure_timing": false});
    let (report, times) = tested(&app, question).await;
    assert_eq!(report["successful_calls"], 1);
    assert_eq!(times, [None; 4]);
}

#[tokio::test]
async fn the_server_test_reports_each_distinct_failure_once() {
    let app = TestApp::start().await;
    app.replay
        .answer("/exchange/assets", Canned::status(500, "", ""));
    for (function, arguments, kind, message) in [
        (
            "fetch_figure_markets_assets_info",
            json!({}),
            "upstream_error",
            "upstream `exchange` answered with HTTP 500",
        ),
        (
            "fetch_account_info",
            json!({}),
            "invalid_argument",
            "`wallet_address`: missing field `wallet_address`",
        ),
    ] {
        let question = json!({"function_name": function, "arguments": arguments, "repeat": 4});
        let (report, _) = tested(&app, question).await;
        let expected = json!({
            "function_name": function,
            "total_calls": 4,
            "successful_calls": 0,
            "success_rate": 0.0,
            "errors": [{"kind": kind, "message": message, "count": 4}],
        });
        assert_eq!(report, expected);
    }
}

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The bundled functions and one more: its n-th call sleeps n milliseconds, and every fourth call fails.
async fn with_one_more() -> TestApp {
    let calls = Arc::new(AtomicU64::new(0));
    let moody = Tool::new("moody", move |_: Context, Nothing {}: Nothing| {
        let number = calls.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            tokio::time::sleep(Duration::from_millis(number)).await;
            match number {
                3 => panic!("three"),
                _ if number.is_multiple_of(4) => Err(Error::failed("not this time")),
                _ => Ok(Content::text("fine")),
            }
        }
    });
    TestApp::serving(bifold::provenance::core().tools(vec![moody])).await
}

#[tokio::test(start_paused = true)]
async fn the_server_test_reports_the_success_rate_and_the_time_percentiles() {
    let app = with_one_more().await;
    let question = json!({"function_name": "moody", "repeat": 20});
    let (report, times) = tested(&app, question).await;
    let panicked = report["errors"][1]["message"].clone();
    assert!(!panicked.as_str().unwrap().contains("three"));
    let expected = json!({
        "function_name": "moody",
        "total_calls": 20,
        "successful_calls": 14,
        "success_rate": 0.7,
        "errors": [
            {"kind": "failed", "message": "not this time", "count": 5},
            {"kind": "internal", "message": panicked, "count": 1},
        ],
    });
    assert_eq!(report, expected);
    assert_eq!(times, [1.0, 10.5, 19.0, 20.0].map(Some));
}

#[tokio::test]
async fn an_added_function_raises_the_counts_and_is_listed_last() {
    let app = with_one_more().await;
    let listing = ask(&app, "get_registry_introspection", json!({})).await;
    let mut expected = counts();
    for (field, count) in [
        ("total_functions", 43),
        ("mcp_enabled", 38),
        ("mcp_only", 3),
    ] {
        expected[field] = json!(count);
    }
    assert_eq!(listing["summary"], expected);
    assert_eq!(listing["functions"][42]["name"], "moody");
}

#[tokio::test]
async fn the_server_test_calls_only_other_functions_of_the_registry() {
    let app = TestApp::start().await;
    for (function, words) in [
        ("mcp_test_server", "itself"),
        ("fetch_acount_info", "`fetch_account_info`"),
        ("http://127.0.0.1/", "no function"),
    ] {
        let failure = fail(&app, "mcp_test_server", json!({"function_name": function})).await;
        assert_eq!(failure.detail["kind"], "invalid_argument");
        assert_eq!(failure.detail["field"], "function_name");
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}

#[tokio::test]
async fn the_server_test_has_limits() {
    let app = TestApp::start().await;
    for (field, value) in [
        ("repeat", json!(0)),
        ("repeat", json!(21)),
        ("repeat", json!(1.5)),
        ("arguments", json!([])),
        ("measure_timing", json!("yes")),
    ] {
        let mut arguments = json!({"function_name": "get_registry_summary"});
        arguments[field] = value;
        for (_, failure) in fail_each(&app, "mcp_test_server", &arguments).await {
            assert_eq!(failure.detail["kind"], "invalid_argument", "{arguments}");
            assert_eq!(failure.detail["field"], field, "{arguments}");
        }
    }
}
