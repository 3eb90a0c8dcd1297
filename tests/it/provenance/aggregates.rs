//! Aggregates: the totals of a wallet and of the market, and what remains if a part is missing.

use bifold::provenance::replay::{MOVING, PLAIN, VESTING};
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{about, ask, fail, nhash, of_wallet};
use crate::support::TestApp;

const DELEGATION: &str = "fetch_total_delegation_data";
const SUMMARY: &str = "fetch_complete_wallet_summary";
pub const OVERVIEW: &str = "fetch_market_overview_summary";

/// The path of a part of a delegation, its name, and the values that depend on it: in the result, and in a summary's
/// totals.
type Loss = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);
const LOSSES: [Loss; 4] = [
    (
        "/delegations",
        "staked",
        &[
            "/staking_validators",
            "/delegated_staked_amount",
            "/delegated_earning_amount",
            "/delegated_total_delegated_amount",
        ],
        &["/totals/staked", "/totals/wallet_total"],
    ),
    (
        "/rewards",
        "rewards",
        &[
            "/delegated_rewards_amount",
            "/delegated_not_earning_amount",
            "/delegated_total_delegated_amount",
        ],
        &["/totals/rewards", "/totals/wallet_total"],
    ),
    (
        "/unbonding",
        "unbonding",
        &[
            "/delegated_unbonding_amount",
            "/delegated_not_earning_amount",
            "/delegated_total_delegated_amount",
        ],
        &["/totals/unbonding", "/totals/wallet_total"],
    ),
    (
        "/redelegations",
        "redelegated",
        &["/delegated_redelegated_amount"],
        &[],
    ),
];

/// An application whose upstream fails for targets with these prefixes.
pub async fn losing<P: AsRef<str>>(prefixes: &[P]) -> TestApp {
    let app = TestApp::start().await;
    for prefix in prefixes {
        let broken = Canned::status(500, "text/plain", "no");
        app.replay.answer(prefix.as_ref(), broken);
    }
    app
}

/// The entry of a missing part.
pub fn lost(part: &str, upstream: &str) -> Value {
    let message = format!("upstream `{upstream}` answered with HTTP 500");
    json!({"part": part, "kind": "upstream_error", "message": message})
}

/// `full` with null in these places and these parts named.
pub fn without<P: AsRef<str>>(full: &Value, places: &[P], incomplete: Value) -> Value {
    let mut rest = full.clone();
    for place in places {
        *rest.pointer_mut(place.as_ref()).unwrap() = Value::Null;
    }
    rest["incomplete"] = incomplete;
    rest
}

#[tokio::test]
async fn a_missing_part_of_a_delegation_is_named_and_values_that_depend_on_it_are_null() {
    let full = ask(&TestApp::start().await, DELEGATION, about(MOVING)).await;
    for (path, part, places, _) in LOSSES {
        let app = losing(&[of_wallet("v2", MOVING, path)]).await;
        let expected = without(&full, places, json!([lost(part, "explorer")]));
        assert_eq!(ask(&app, DELEGATION, about(MOVING)).await, expected);
    }
}

#[tokio::test]
async fn several_missing_parts_are_all_named() {
    let paths = ["/rewards", "/unbonding", "/redelegations"];
    let app = losing(&paths.map(|path| of_wallet("v2", MOVING, path))).await;
    let answer = ask(&app, DELEGATION, about(MOVING)).await;
    let parts = ["rewards", "unbonding", "redelegated"].map(|part| lost(part, "explorer"));
    assert_eq!(answer["incomplete"], json!(parts));
    assert_eq!(
        answer["delegated_earning_amount"],
        nhash("12000000000004030")
    );
}

#[tokio::test]
async fn a_wallet_summary_has_the_results_of_its_functions_and_their_totals() {
    let app = TestApp::start().await;
    for (wallet, totals) in [
        (
            VESTING,
            json!({
                "liquid": nhash("8607553982838339"),
                "spendable": nhash("13773576656"),
                "locked": nhash("8607540209261683"),
                "committed": nhash("122911906691"),
                "staked": nhash("12000000000004030"),
                "rewards": nhash("12463572223207"),
                "unbonding": nhash("0"),
                "unvested": nhash("18465839565040334"),
                "wallet_total": nhash("20620017555065576"),
            }),
        ),
        (
            MOVING,
            json!({
                "liquid": nhash("0"),
                "spendable": nhash("0"),
                "locked": nhash("0"),
                "committed": nhash("0"),
                "staked": nhash("12000000000004030"),
                "rewards": nhash("12463572223207"),
                "unbonding": nhash("500000000000"),
                "unvested": nhash("0"),
                "wallet_total": nhash("12012963572227237"),
            }),
        ),
    ] {
        let balances = json!({
            "total": totals["liquid"],
            "spendable": totals["spendable"],
            "locked": totals["locked"],
        });
        let expected = json!({
            "wallet_address": wallet,
            "account": ask(&app, "fetch_account_info", about(wallet)).await,
            "vesting": ask(&app, "fetch_vesting_total_unvested_amount", about(wallet)).await,
            "delegation": ask(&app, DELEGATION, about(wallet)).await,
            "committed": ask(&app, "fetch_available_committed_amount", about(wallet)).await,
            "balances": balances,
            "totals": totals,
            "incomplete": [],
        });
        assert_eq!(ask(&app, SUMMARY, about(wallet)).await, expected);
    }
}

#[tokio::test]
async fn a_wallet_without_a_schedule_has_a_vesting_with_has_schedule_false() {
    let app = TestApp::start().await;
    let answer = ask(&app, SUMMARY, about(PLAIN)).await;
    assert_eq!(answer["vesting"]["has_schedule"], false);
    assert_eq!(answer["totals"]["unvested"], nhash("0"));
    assert_eq!(answer["incomplete"], json!([]));
}

#[tokio::test]
async fn a_missing_part_of_a_wallet_summary_is_named_and_values_that_depend_on_it_are_null() {
    let full = ask(&TestApp::start().await, SUMMARY, about(VESTING)).await;
    let v2 = |rest: &str| of_wallet("v2", VESTING, rest);
    let v3 = |rest: &str| of_wallet("v3", VESTING, rest);
    for (paths, places, incomplete) in [
        (
            vec![v3("/vesting")],
            &["/vesting", "/totals/unvested"][..],
            json!([lost("vesting", "explorer")]),
        ),
        (
            vec![v2("/del"), v2("/rew"), v2("/unb"), v2("/red")],
            &[
                "/delegation",
                "/totals/staked",
                "/totals/rewards",
                "/totals/unbonding",
                "/totals/wallet_total",
            ],
            json!([lost("delegation", "explorer")]),
        ),
        (
            vec!["/lcd/".to_owned()],
            &["/committed", "/totals/committed"],
            json!([lost("committed", "lcd")]),
        ),
        (
            vec![v3("/balances")],
            &[
                "/balances",
                "/totals/liquid",
                "/totals/spendable",
                "/totals/locked",
                "/totals/wallet_total",
            ],
            json!([lost("balances", "explorer")]),
        ),
        (
            vec!["/lcd/".to_owned(), v3("/vesting")],
            &[
                "/vesting",
                "/totals/unvested",
                "/committed",
                "/totals/committed",
            ],
            json!([lost("vesting", "explorer"), lost("committed", "lcd")]),
        ),
    ] {
        let expected = without(&full, places, incomplete);
        let app = losing(&paths).await;
        assert_eq!(ask(&app, SUMMARY, about(VESTING)).await, expected);
    }
}

#[tokio::test]
async fn a_missing_part_of_a_nested_aggregate_is_named_with_both_names() {
    let full = ask(&TestApp::start().await, SUMMARY, about(MOVING)).await;
    for (path, part, places, totals) in LOSSES {
        let places = places.iter().map(|place| format!("/delegation{place}"));
        let places: Vec<_> = places
            .chain(totals.iter().map(|it| it.to_string()))
            .collect();
        let nested = lost(&format!("delegation.{part}"), "explorer");
        let mut expected = without(&full, &places, json!([nested]));
        expected["delegation"]["incomplete"] = json!([lost(part, "explorer")]);
        let app = losing(&[of_wallet("v2", MOVING, path)]).await;
        assert_eq!(ask(&app, SUMMARY, about(MOVING)).await, expected);
    }
}

#[tokio::test]
async fn vesting_needs_the_account_only_if_there_is_a_schedule() {
    for (wallet, places, parts) in [
        (MOVING, &["/account"][..], &["account"][..]),
        (
            VESTING,
            &["/account", "/vesting", "/totals/unvested"],
            &["account", "vesting"],
        ),
    ] {
        let full = ask(&TestApp::start().await, SUMMARY, about(wallet)).await;
        // Only the account is missing: paths below it are answered as before.
        let app = losing(&[of_wallet("v2", wallet, "")]).await;
        for (rest, body) in below(wallet) {
            app.replay
                .answer(&of_wallet("v2", wallet, rest), Canned::json(body));
        }
        let incomplete: Vec<Value> = parts.iter().map(|it| lost(it, "explorer")).collect();
        let expected = without(&full, places, json!(incomplete));
        assert_eq!(ask(&app, SUMMARY, about(wallet)).await, expected);
    }
}

/// The recorded bodies below the account of a wallet that delegates.
fn below(wallet: &str) -> [(&'static str, &'static str); 4] {
    let (unbonding, redelegations) = match wallet {
        MOVING => (
            recorded!("explorer_v2_accounts_ADDR_unbonding"),
            recorded!("explorer_v2_accounts_ADDR_redelegations"),
        ),
        _ => (
            recorded!("explorer_v2_accounts_ADDR_unbonding_empty"),
            recorded!("explorer_v2_accounts_ADDR_redelegations_empty"),
        ),
    };
    [
        (
            "/delegations",
            recorded!("explorer_v2_accounts_ADDR_delegations"),
        ),
        ("/rewards", recorded!("explorer_v2_accounts_ADDR_rewards")),
        ("/unbonding", unbonding),
        ("/redelegations", redelegations),
    ]
}

#[tokio::test]
async fn an_aggregate_without_any_part_fails() {
    let app = losing(&["/"]).await;
    for (function, arguments, upstream) in [
        (DELEGATION, about(VESTING), "explorer"),
        (SUMMARY, about(VESTING), "explorer"),
        (OVERVIEW, json!({}), "exchange"),
    ] {
        let failure = fail(&app, function, arguments).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
        let origin = json!({"name": upstream, "status": 500});
        let expected = json!({"kind": "upstream_error", "upstream": origin, "retryable": true});
        assert_eq!(failure.detail, expected);
    }
}
