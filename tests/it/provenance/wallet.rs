//! Accounts, delegation, commitments and balances: the correct numbers of recorded wallets.

use bifold::provenance::replay::{MOVING, PERIODIC, PERMANENT, PLAIN, VESTING};
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{about, answering, ask, ask_raw, fail, nhash, of_wallet};
use crate::support::TestApp;

const STAKED: &str = "12000000000004030";
const REWARDS: &str = "12463572223207";

#[tokio::test]
async fn an_account_has_its_type_numbers_and_value() {
    let app = TestApp::start().await;
    for (wallet, account_type, is_vesting, number, sequence, value) in [
        (
            VESTING,
            "Continuous Vesting Account",
            true,
            json!(1290),
            json!(113),
            "149462.412940341763",
        ),
        (
            PLAIN,
            "Base Account",
            false,
            json!(2041),
            json!(7),
            "1240.55",
        ),
        // A valid address that was never used.
        (MOVING, "Base Account", false, json!(null), json!(null), "0"),
    ] {
        let expected = json!({
            "wallet_address": wallet,
            "account_type": account_type,
            "account_is_vesting": is_vesting,
            "account_number": number,
            "sequence": sequence,
            "account_aum": {"amount": value, "denom": "USD"},
        });
        assert_eq!(
            ask(&app, "fetch_account_info", about(wallet)).await,
            expected
        );
        let expected = json!({"wallet_address": wallet, "wallet_is_vesting": is_vesting});
        let is_vesting = ask(&app, "fetch_account_is_vesting", about(wallet)).await;
        assert_eq!(is_vesting, expected);
    }
}

#[tokio::test]
async fn an_account_that_the_explorer_does_not_have_is_not_found() {
    let app = answering(&of_wallet("v2", PLAIN, ""), Canned::status(404, "", "")).await;
    for function in ["fetch_account_info", "fetch_account_is_vesting"] {
        let failure = fail(&app, function, about(PLAIN)).await;
        assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
        assert_eq!(failure.detail["kind"], "not_found");
    }
}

#[tokio::test]
async fn the_flag_decides_whether_an_account_vests_and_the_older_field_only_if_it_is_null() {
    for (account, is_vesting) in [
        (
            r#"{"isVesting": true, "flags": {"isVesting": false}}"#,
            false,
        ),
        (
            r#"{"isVesting": false, "flags": {"isVesting": true}}"#,
            true,
        ),
        (r#"{"isVesting": true, "flags": {"isVesting": null}}"#, true),
        (r#"{"isVesting": true, "flags": null}"#, true),
        (r#"{"isVesting": null, "flags": {}}"#, false),
        (r#"{"accountType": "Marker Account"}"#, false),
    ] {
        let app = answering(&of_wallet("v2", PLAIN, ""), Canned::json(account)).await;
        let answer = ask(&app, "fetch_account_is_vesting", about(PLAIN)).await;
        assert_eq!(answer["wallet_is_vesting"], is_vesting, "{account}");
        let answer = ask(&app, "fetch_account_info", about(PLAIN)).await;
        assert_eq!(answer["account_is_vesting"], is_vesting, "{account}");
    }
}

#[tokio::test]
async fn redelegated_stake_is_reported_beside_the_total() {
    let app = TestApp::start().await;
    for (wallet, unbonding, redelegated, total, not_earning) in [
        (VESTING, "0", "0", "12012463572227237", REWARDS),
        (
            MOVING,
            "500000000000",
            "1000000000000",
            "12012963572227237",
            "12963572223207",
        ),
    ] {
        let expected = json!({
            "staking_validators": 7,
            "delegated_staked_amount": nhash(STAKED),
            "delegated_redelegated_amount": nhash(redelegated),
            "delegated_rewards_amount": nhash(REWARDS),
            "delegated_unbonding_amount": nhash(unbonding),
            "delegated_total_delegated_amount": nhash(total),
            "delegated_earning_amount": nhash(STAKED),
            "delegated_not_earning_amount": nhash(not_earning),
            "incomplete": [],
        });
        let answer = ask(&app, "fetch_total_delegation_data", about(wallet)).await;
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn each_part_of_a_delegation_has_its_own_function() {
    let app = TestApp::start().await;
    for (wallet, validators, staked, rewards, unbonding, redelegated) in [
        (VESTING, 7, STAKED, REWARDS, "0", "0"),
        (MOVING, 7, STAKED, REWARDS, "500000000000", "1000000000000"),
        (PLAIN, 0, "0", "0", "0", "0"),
    ] {
        for (function, expected) in [
            (
                "fetch_delegated_staked_amount",
                json!({"staking_validators": validators, "delegated_staked_amount": nhash(staked)}),
            ),
            (
                "fetch_delegated_rewards_amount",
                json!({"delegated_rewards_amount": nhash(rewards)}),
            ),
            (
                "fetch_delegated_unbonding_amount",
                json!({"delegated_unbonding_amount": nhash(unbonding)}),
            ),
            (
                "fetch_delegated_redelegation_amount",
                json!({"delegated_redelegated_amount": nhash(redelegated)}),
            ),
        ] {
            assert_eq!(ask(&app, function, about(wallet)).await, expected);
        }
    }
}

#[tokio::test]
async fn a_wallet_that_delegates_nothing_has_zeros_of_nhash() {
    let app = TestApp::start().await;
    let answer = ask(&app, "fetch_total_delegation_data", about(PLAIN)).await;
    for (field, value) in answer.as_object().unwrap() {
        let expected = match field.as_str() {
            "staking_validators" => json!(0),
            "incomplete" => json!([]),
            _ => nhash("0"),
        };
        assert_eq!(*value, expected, "{field}");
    }
    assert_eq!(answer.as_object().unwrap().len(), 9);
}

#[tokio::test]
async fn rewards_in_other_denoms_are_not_counted() {
    let total = r#"{"rewards": [], "total": [{"amount": "5", "denom": "uusd.trading"}, {"amount": "7", "denom": "nhash"}]}"#;
    let app = answering(&of_wallet("v2", PLAIN, "/rewards"), Canned::json(total)).await;
    let answer = ask(&app, "fetch_delegated_rewards_amount", about(PLAIN)).await;
    assert_eq!(answer["delegated_rewards_amount"], nhash("7"));
}

#[tokio::test]
async fn the_committed_amount_is_the_nhash_of_market_one() {
    let app = TestApp::start().await;
    for (wallet, amount) in [(VESTING, "122911906691"), (PLAIN, "0"), (MOVING, "0")] {
        let expected = json!({"market_id": 1, "available_committed_amount": nhash(amount)});
        let answer = ask(&app, "fetch_available_committed_amount", about(wallet)).await;
        assert_eq!(answer, expected, "{wallet}");
    }
}

#[tokio::test]
async fn an_address_that_the_node_refuses_is_an_invalid_argument() {
    let refusal = Canned::status(
        400,
        "application/json",
        recorded!("lcd_400_invalid_account"),
    );
    let app = answering("/lcd/", refusal).await;
    let failure = fail(&app, "fetch_available_committed_amount", about(PLAIN)).await;
    assert_eq!(failure.status, Some(StatusCode::BAD_REQUEST));
    assert_eq!(failure.detail["kind"], "invalid_argument");
    assert_eq!(failure.detail["field"], "wallet_address");
}

#[tokio::test]
async fn the_liquid_balance_is_the_bank_balance_of_nhash() {
    let app = TestApp::start().await;
    for (wallet, amount) in [(VESTING, "8607553982838339"), (PLAIN, "0")] {
        let answer = ask(&app, "fetch_wallet_liquid_balance", about(wallet)).await;
        assert_eq!(answer, json!({"wallet_liquid_balance": nhash(amount)}));
    }
}

#[tokio::test]
async fn the_liquid_balance_is_searched_on_every_page() {
    let page = |denom: &str, pages: Value| {
        let row = json!({"amount": "41", "denom": denom, "pricePerToken": null});
        let body = json!({"pages": pages, "results": [row], "total": 3, "rollupTotals": {}});
        Canned::json(body.to_string())
    };
    for (second, third, amount, asked) in [
        ("nhash", "uylds.fcc", "41", 2),
        ("uusd.trading", "nhash", "41", 3),
        ("uusd.trading", "uylds.fcc", "0", 3),
    ] {
        let app = TestApp::start().await;
        for (number, canned) in [
            (1, page("neth.figure.se", json!(3))),
            (2, page(second, json!("3"))),
            (3, page(third, json!(3))),
        ] {
            let rest = format!("/balances?count=100&page={number}");
            app.replay.answer(&of_wallet("v2", PLAIN, &rest), canned);
        }
        let expected = json!({"wallet_liquid_balance": nhash(amount)});
        let answer = ask(&app, "fetch_wallet_liquid_balance", about(PLAIN)).await;
        assert_eq!(answer, expected, "{second}, {third}");
        // By GET and by POST.
        assert_eq!(app.replay.seen().len(), 2 * asked, "{second}, {third}");
    }
}

#[tokio::test]
async fn whole_numbers_beyond_64_bits_keep_their_digits() {
    let account = r#"{"accountNumber": 18446744073709551617, "sequence": "99999999999999999999"}"#;
    let delegations = r#"{"total": 36893488147419103233, "results": [], "rollupTotals": {"bondedTotal": {"amount": 340282366920938463463374607431768211455, "denom": "nhash"}}}"#;
    let app = answering(
        &of_wallet("v2", PLAIN, "/delegations"),
        Canned::json(delegations),
    )
    .await;
    app.replay
        .answer(&of_wallet("v2", PERIODIC, ""), Canned::json(account));
    let account = ask_raw(&app, "fetch_account_info", &about(PERIODIC)).await;
    assert!(
        account
            .contains(r#""account_number":18446744073709551617,"sequence":99999999999999999999,"#)
    );
    let staked = ask_raw(&app, "fetch_delegated_staked_amount", &about(PLAIN)).await;
    assert_eq!(
        staked,
        r#"{"staking_validators":36893488147419103233,"delegated_staked_amount":{"amount":"340282366920938463463374607431768211455","denom":"nhash"}}"#
    );
}

#[tokio::test]
async fn amounts_whose_sum_exceeds_128_bits_are_an_upstream_failure() {
    let most = r#"{"amount": "340282366920938463463374607431768211455", "denom": "nhash"}"#;
    let total = format!(r#"{{"rewards": [], "total": [{most}, {most}]}}"#);
    let app = answering(&of_wallet("v2", PERMANENT, "/rewards"), Canned::json(total)).await;
    let failure = fail(&app, "fetch_delegated_rewards_amount", about(PERMANENT)).await;
    assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}
