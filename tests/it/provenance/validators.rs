//! One validator: its figures, its commission, and what remains without the latter.

use bifold::provenance::replay::OPERATOR;
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::aggregates::{losing, lost, without};
use super::arguments::assert_refused;
use super::ask::{answering, ask, ask_raw, fail, nhash};
use crate::support::TestApp;

const DETAIL: &str = "fetch_validator_detail";

fn about_operator() -> Value {
    json!({"operator_address": OPERATOR})
}

fn target(rest: &str) -> String {
    format!("/explorer/api/v2/validators/{OPERATOR}{rest}")
}

#[tokio::test]
async fn a_validator_has_its_figures_its_owner_and_its_commission() {
    let app = TestApp::start().await;
    let expected = json!({
        "moniker": "figure-0",
        "operator_address": OPERATOR,
        "status": "active",
        "commission": "0.05",
        "bonded_tokens": nhash("5000000000000000000"),
        "delegators": 321,
        "voting_power_share": "0.31273399",
        "uptime": "99.98",
        "owner": "pb1qyqszqgpqyqszqgpqyqszqgpqyqszqgpma2mqq",
        "description": "A validator",
        "website": "https://example.com",
        "jailed_until": null,
        "self_bonded": nhash("1000000000000000"),
        "delegator_bonded": nhash("4999000000000000000"),
        "commission_rates": {"rate": "0.05", "max_rate": "0.6", "max_change_rate": "0.01"},
        "incomplete": [],
    });
    assert_eq!(ask(&app, DETAIL, about_operator()).await, expected);
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [target(""), target("/commission")]);
}

#[tokio::test]
async fn without_the_commission_it_is_named_and_its_values_are_null() {
    let full = ask(&TestApp::start().await, DETAIL, about_operator()).await;
    let app = losing(&[target("/commission")]).await;
    let places = [
        "/commission",
        "/bonded_tokens",
        "/delegators",
        "/self_bonded",
        "/delegator_bonded",
        "/commission_rates",
    ];
    let expected = without(&full, &places, json!([lost("commission", "explorer")]));
    assert_eq!(ask(&app, DETAIL, about_operator()).await, expected);
}

#[tokio::test]
async fn a_failed_or_unknown_validator_fails_the_call() {
    for (canned, status, kind) in [
        (
            Canned::status(404, "", ""),
            StatusCode::NOT_FOUND,
            "not_found",
        ),
        (
            Canned::status(500, "", ""),
            StatusCode::BAD_GATEWAY,
            "upstream_error",
        ),
        (
            Canned::json("{}"),
            StatusCode::BAD_GATEWAY,
            "upstream_invalid_response",
        ),
        (
            Canned::json("[]"),
            StatusCode::BAD_GATEWAY,
            "upstream_invalid_response",
        ),
    ] {
        let app = answering(&target(""), canned).await;
        let failure = fail(&app, DETAIL, about_operator()).await;
        assert_eq!(failure.status, Some(status));
        assert_eq!(failure.detail["kind"], kind);
    }
}

#[tokio::test]
async fn huge_numbers_unknown_words_and_missing_fields_survive() {
    let body = json!({
        "moniker": 7,
        "status": "HIBERNATING",
        "votingPower": {"count": "36893488147419103232", "total": 73786976294838206464u128.to_string()},
        "jailedUntil": "2025-07-20T15:00",
    });
    let app = answering(&target(""), Canned::json(body.to_string())).await;
    app.replay.answer(
        &target("/commission"),
        Canned::json(r#"{"delegatorCount": 36893488147419103233}"#),
    );
    let text = ask_raw(&app, DETAIL, &about_operator()).await;
    assert!(
        text.contains(r#""delegators":36893488147419103233,"#),
        "{text}"
    );
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["moniker"], "7");
    assert_eq!(answer["status"], "hibernating");
    assert_eq!(answer["voting_power_share"], "0.50000000");
    assert_eq!(answer["jailed_until"], "2025-07-20T15:00:00Z");
    assert_eq!(answer["commission_rates"], Value::Null);
    // A share of nothing, and one beyond 128 bits.
    for power in [
        json!({"count": 1, "total": 0}),
        json!({"count": u128::MAX.to_string(), "total": 1}),
        json!({"count": 1}),
        json!(null),
    ] {
        let body = json!({"moniker": "a", "votingPower": power}).to_string();
        let app = answering(&target(""), Canned::json(body)).await;
        let answer = ask(&app, DETAIL, about_operator()).await;
        assert_eq!(answer["voting_power_share"], Value::Null, "{power}");
    }
}

#[tokio::test]
async fn an_operator_address_is_checked_before_any_upstream_request() {
    let app = TestApp::start().await;
    for bad in [
        json!(OPERATOR.to_uppercase()),
        json!(OPERATOR.replace("52xtp6", "52xtp7")),
        json!(format!("{OPERATOR} ")),
        json!("pbvaloper1aaaa"),
        json!("pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"),
        json!("tpvaloper1qyqszqgpqyqszqgpqyqszqgpqyqszqgphljrh0"),
        json!("pbvalcons104vrf5v4a9wn7ks2v2qykw7jzw9zt77tnzxyn9"),
        json!("../../blocks/height/1"),
        json!(7),
    ] {
        let arguments = json!({"operator_address": bad});
        assert_refused(&app, DETAIL, &arguments, "operator_address").await;
    }
}
