//! Small changes of upstreams do not fail a call: other number forms, new values, missing and extra fields.

use bifold::provenance::replay::PLAIN;
use bifold::testing::Canned;
use serde_json::{Value, json};

use super::ask::{about, answering, ask, nhash, of_wallet};

/// The answer of `function` about the plain wallet if the explorer's v2 path ending in `rest` has this body.
async fn read(function: &str, rest: &str, body: &str) -> Value {
    let app = answering(&of_wallet("v2", PLAIN, rest), Canned::json(body.to_owned())).await;
    ask(&app, function, about(PLAIN)).await
}

#[tokio::test]
async fn a_number_may_replace_a_string_and_the_reverse() {
    for (function, rest, body, expected) in [
        (
            "fetch_delegated_rewards_amount",
            "/rewards",
            r#"{"rewards": [], "total": [{"amount": 12463572223207, "denom": "nhash"}]}"#,
            json!({"delegated_rewards_amount": nhash("12463572223207")}),
        ),
        (
            "fetch_delegated_staked_amount",
            "/delegations",
            r#"{"results": [], "total": "7", "rollupTotals": {"bondedTotal": {"amount": 99978477857646380000, "denom": "nhash"}}}"#,
            json!({"staking_validators": 7, "delegated_staked_amount": nhash("99978477857646380000")}),
        ),
        (
            "fetch_wallet_liquid_balance",
            "/balances",
            r#"{"pages": "1", "results": [{"amount": 8607553982838339, "denom": "nhash"}]}"#,
            json!({"wallet_liquid_balance": nhash("8607553982838339")}),
        ),
        (
            "fetch_account_info",
            "",
            r#"{"accountType": 5, "accountNumber": "2041", "sequence": "7", "accountAum": {"amount": 149462.412940341763, "denom": "USD"}}"#,
            json!({
                "wallet_address": PLAIN,
                "account_type": "5",
                "account_is_vesting": false,
                "account_number": 2041,
                "sequence": 7,
                "account_aum": {"amount": "149462.412940341763", "denom": "USD"},
            }),
        ),
    ] {
        assert_eq!(read(function, rest, body).await, expected);
    }
}

#[tokio::test]
async fn a_market_id_may_be_a_string() {
    let body = r#"{"commitments": [{"market_id": "1", "amount": [{"amount": 122911906691, "denom": "nhash"}]}]}"#;
    let app = answering("/lcd/", Canned::json(body)).await;
    let answer = ask(&app, "fetch_available_committed_amount", about(PLAIN)).await;
    assert_eq!(answer["available_committed_amount"], nhash("122911906691"));
}

#[tokio::test]
async fn trades_may_have_strings_for_numbers_numbers_for_ids_and_times_without_a_zone() {
    let body = r#"{"matches": [{"id": 41, "price": "2.40E-2", "quantity": "400", "created": "2025-06-05T16:59:38.975344995", "settlementTxHash": "A"}]}"#;
    let app = answering("/exchange/trades/HASH-USD", Canned::json(body)).await;
    let expected = json!({
        "token_pair": "HASH-USD",
        "last_price": "0.0240",
        "trades": [{"id": "41", "price": "0.0240", "quantity": "400", "created": "2025-06-05T16:59:38.975344995Z"}],
    });
    assert_eq!(
        ask(&app, "fetch_last_crypto_token_price", json!({})).await,
        expected
    );
}

#[tokio::test]
async fn trades_without_ids_are_all_kept() {
    let trade = r#"{"price": 1, "quantity": 2, "created": "2025-06-05T16:59:38Z"}"#;
    let body = format!(r#"{{"matches": [{trade}, {trade}]}}"#);
    let app = answering("/exchange/trades/HASH-USD", Canned::json(body)).await;
    let question = json!({"last_number_of_trades": 2});
    let answer = ask(&app, "fetch_last_crypto_token_price", question).await;
    assert_eq!(answer["trades"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_market_accepts_new_values_missing_fields_extra_fields_and_other_number_forms() {
    let body = json!({
        "data": [
            {
                "id": "NEW-USD",
                "displayName": 5,
                "bestBid": 0.019,
                "lastTradedPrice": 0,
                "percentageChange24h": "-8E-06",
                "tradeCount24h": "12",
                "marketType": "QUANTUM",
                "status": "UPSIDE_DOWN",
                "somethingNew": {"deep": [1, null]},
            },
            {},
        ],
        "pagination": null,
    });
    let app = answering("/exchange/markets", Canned::json(body.to_string())).await;
    let answer = ask(&app, "fetch_current_fm_data", json!({})).await;
    assert_eq!(answer["total"], 2);
    for (field, value) in [
        ("symbol", json!("NEW-USD")),
        ("display_name", json!("5")),
        ("best_bid", json!("0.019")),
        ("best_ask", json!(null)),
        ("last_traded_price", json!(null)),
        ("percentage_change_24h", json!("-0.000008")),
        ("trade_count_24h", json!(12)),
        ("market_type", json!("QUANTUM")),
        ("status", json!("UPSIDE_DOWN")),
    ] {
        assert_eq!(answer["markets"][0][field], value, "{field}");
    }
    let bare = answer["markets"][1].as_object().unwrap();
    assert!(bare.values().all(Value::is_null), "{bare:?}");
}

#[tokio::test]
async fn an_asset_accepts_other_number_forms_and_new_values() {
    let body = r#"{"data": [{"name": "X", "type": "UNHEARD_OF", "exponent": "6", "haircutPercentage": "0", "new": []}]}"#;
    let app = answering("/exchange/assets", Canned::json(body)).await;
    let answer = ask(&app, "fetch_figure_markets_assets_info", json!({})).await;
    assert_eq!(answer["assets"][0]["asset_type"], "UNHEARD_OF");
    assert_eq!(answer["assets"][0]["asset_exponent"], 6);
}

#[tokio::test]
async fn an_account_accepts_an_unknown_type_and_nulls() {
    let body = r#"{"accountType": "Clawback Account", "accountNumber": null, "accountAum": null, "flags": {"isVesting": null, "isNew": 1}}"#;
    let expected = json!({
        "wallet_address": PLAIN,
        "account_type": "Clawback Account",
        "account_is_vesting": false,
        "account_number": null,
        "sequence": null,
        "account_aum": null,
    });
    assert_eq!(read("fetch_account_info", "", body).await, expected);
}

#[tokio::test]
async fn without_the_totals_over_all_pages_the_rows_are_added_up() {
    let row = r#"{"amount": {"amount": "20", "denom": "nhash"}, "isNew": true}"#;
    for (function, rest, body, field, amount) in [
        (
            "fetch_delegated_unbonding_amount",
            "/unbonding",
            format!(r#"{{"records": [{row}, {row}]}}"#),
            "delegated_unbonding_amount",
            "40",
        ),
        (
            "fetch_delegated_redelegation_amount",
            "/redelegations",
            format!(r#"{{"records": [{row}], "rollupTotals": {{}}}}"#),
            "delegated_redelegated_amount",
            "20",
        ),
        (
            "fetch_delegated_staked_amount",
            "/delegations",
            format!(r#"{{"results": [{row}, {row}, {row}], "rollupTotals": null}}"#),
            "delegated_staked_amount",
            "60",
        ),
    ] {
        assert_eq!(read(function, rest, &body).await[field], nhash(amount));
    }
}

#[tokio::test]
async fn a_schedule_accepts_a_zone_in_its_times_and_missing_or_extra_fields() {
    let schedule = r#"{"endTime": "2026-06-01T00:00:00.000Z", "originalVestingList": [{"amount": 5, "denom": "nhash"}], "isNew": 1}"#;
    let account = r#"{"accountType": "Delayed Vesting Account"}"#;
    let app = answering(&of_wallet("v2", PLAIN, ""), Canned::json(account)).await;
    app.replay
        .answer(&of_wallet("v3", PLAIN, "/vesting"), Canned::json(schedule));
    let answer = ask(&app, "fetch_vesting_total_unvested_amount", about(PLAIN)).await;
    assert_eq!(answer["vesting_total_unvested_amount"], nhash("5"));
    assert_eq!(answer["end_time"], "2026-06-01T00:00:00Z");
}
