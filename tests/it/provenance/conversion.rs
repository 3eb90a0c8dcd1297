//! Conversions between units: exact, and refused where they cannot be.

use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{answering, ask, fail, fail_each};
use crate::support::TestApp;

const CONVERT: &str = "convert_amount";

fn of(amount: &str, from: &str, to: &str) -> Value {
    json!({"amount": amount, "from": from, "to": to})
}

#[tokio::test]
async fn hash_and_nhash_are_converted_exactly_without_an_upstream_request() {
    let app = TestApp::start().await;
    let most = format!("{}.123456789", "9".repeat(51));
    for (amount, from, to, expected) in [
        ("1.5", "hash", "nhash", "1500000000"),
        ("1", "nhash", "hash", "0.000000001"),
        ("0", "nhash", "hash", "0"),
        ("0.00", "hash", "nhash", "0"),
        ("007.50", "hash", "hash", "7.5"),
        ("1.5000000000", "HASH", "nhash", "1500000000"),
        ("99978477857646380000", "nhash", "hash", "99978477857.64638"),
        (&most, "hash", "nhash", &most.replace('.', "")),
    ] {
        let answer = ask(&app, CONVERT, of(amount, from, to)).await;
        assert_eq!(
            answer,
            json!({"amount": expected, "unit": to}),
            "{amount} {from}"
        );
    }
    assert!(app.replay.seen().is_empty());
}

#[tokio::test]
async fn assets_are_converted_by_their_exponent() {
    let app = TestApp::start().await;
    for (amount, from, to, expected) in [
        ("0.5", "BTC", "nbtc.figure.se", "500000000"),
        ("1", "nbtc.figure.se", "BTC", "0.000000001"),
        ("2.5", "USD", "uusd.trading", "2500000"),
        ("3", "BTC", "BTC", "3"),
    ] {
        let answer = ask(&app, CONVERT, of(amount, from, to)).await;
        assert_eq!(answer["amount"], expected, "{amount} {from}");
    }
}

#[tokio::test]
async fn a_result_with_more_digits_than_its_unit_is_an_error_and_not_rounded() {
    let app = TestApp::start().await;
    for (amount, from, to) in [
        ("0.0000000001", "hash", "nhash"),
        ("0.0000000001", "hash", "hash"),
        ("0.5", "nhash", "hash"),
        ("1.5", "nhash", "nhash"),
    ] {
        assert_refused(&app, CONVERT, &of(amount, from, to), "amount").await;
    }
    let failure = fail(&app, CONVERT, of("0.0000001", "USD", "uusd.trading")).await;
    assert_eq!(failure.detail["field"], "amount");
}

#[tokio::test]
async fn units_of_different_assets_are_refused() {
    let app = TestApp::start().await;
    for (from, to) in [("hash", "BTC"), ("BTC", "nhash"), ("hash", "nhsah")] {
        assert_refused(&app, CONVERT, &of("1", from, to), "to").await;
    }
    let failure = fail(&app, CONVERT, of("1", "BTC", "neth.figure.se")).await;
    assert_eq!(failure.detail["field"], "to");
    let failure = fail(&app, CONVERT, of("1", "btc", "BTC")).await;
    assert_eq!(failure.detail["field"], "from");
    assert!(failure.message.contains("`BTC`"), "{}", failure.message);
}

#[tokio::test]
async fn an_amount_is_a_plain_decimal() {
    let app = TestApp::start().await;
    let long = "1".repeat(61);
    let pointed = format!("{}.1", "1".repeat(60));
    for bad in [
        "", " ", "-1", "+1", "1e3", ".5", "5.", "1.2.3", "1,5", "0x1", "NaN", "½", &long, &pointed,
    ] {
        assert_refused(&app, CONVERT, &of(bad, "hash", "nhash"), "amount").await;
    }
    for bad in ["", "ha sh", "ü", &"a".repeat(129)] {
        assert_refused(&app, CONVERT, &of("1", bad, "nhash"), "from").await;
    }
    for (_, failure) in fail_each(&app, CONVERT, &json!({"from": "hash", "to": "nhash"})).await {
        assert_eq!(failure.detail["field"], "amount");
    }
}

#[tokio::test]
async fn an_asset_without_a_possible_exponent_is_an_upstream_failure() {
    for exponent in ["null", "61", "340282366920938463463374607431768211455"] {
        let body = format!(
            r#"{{"data": [{{"name": "X", "exponent": {exponent}, "provenanceMarkerName": "nx"}}]}}"#
        );
        let app = answering("/exchange/assets", Canned::json(body)).await;
        let failure = fail(&app, CONVERT, of("1", "X", "nx")).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    }
    let app = answering("/exchange/assets", Canned::status(500, "", "")).await;
    let failure = fail(&app, CONVERT, of("1", "X", "nx")).await;
    assert_eq!(failure.detail["kind"], "upstream_error");
}
