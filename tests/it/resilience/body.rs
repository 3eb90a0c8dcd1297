//! An upstream with an unexpected body: not JSON, other JSON, or too much of it.

use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::raw::Raw;
use super::{ACCOUNT, GOOD, STATISTICS, assert_is, failing};
use crate::provenance::ask::{CallForm, about, answering, ask, fail, of_wallet, put, said};
use crate::support::TestApp;

#[tokio::test]
async fn an_answer_that_is_not_json_is_invalid() {
    for (canned, status) in [
        (
            Canned::status(200, "text/html", "<h1>Maintenance</h1>"),
            200,
        ),
        (Canned::status(200, "text/plain", GOOD), 200),
        (Canned::status(200, "", GOOD), 200),
        (Canned::status(204, "", ""), 204),
        (Canned::json(""), 200),
        (Canned::json("<h1>Maintenance</h1>"), 200),
        (Canned::json(&GOOD[..12]), 200),
        (Canned::json(r#"{"accountType": "Base Account"} {}"#), 200),
        (Canned::json("[".repeat(10_000)), 200),
        // Also where the text that is not UTF-8 is in a field that is not read.
        (
            Canned::bytes(
                "application/json",
                &b"{\"accountType\": \"Base Account\", \"other\": \"\xff\"}"[..],
            ),
            200,
        ),
    ] {
        let failure = failing(canned).await;
        assert_is(
            &failure,
            "upstream_invalid_response",
            502,
            Some(status),
            false,
        );
        assert!(!failure.message.contains("Maintenance"));
    }
}

#[tokio::test]
async fn other_json_media_types_are_accepted() {
    for content_type in [
        "application/json",
        "Application/JSON;charset=UTF-8",
        "application/vnd.explorer+json ; v=2",
    ] {
        let canned = Canned::status(200, content_type, GOOD);
        let app = answering(&of_wallet("v2", VESTING, ""), canned).await;
        let answer = ask(&app, ACCOUNT, about(VESTING)).await;
        assert_eq!(answer["account_type"], "Base Account");
    }
}

#[tokio::test]
async fn json_of_another_type_is_invalid_and_its_path_is_named() {
    let stats = recorded("explorer_v3_utility_token_stats");
    for (function, prefix, body, place) in [
        (
            ACCOUNT,
            of_wallet("v2", VESTING, ""),
            r#"{"flags": {"isVesting": "perhaps"}}"#.to_owned(),
            "flags.isVesting",
        ),
        (
            ACCOUNT,
            of_wallet("v2", VESTING, ""),
            r#"{"sequence": -1}"#.to_owned(),
            "sequence",
        ),
        (
            STATISTICS,
            "/explorer/".to_owned(),
            stats.replace("\"15988028779719272091\"", "true"),
            "bonded.amount",
        ),
        (
            STATISTICS,
            "/explorer/".to_owned(),
            stats.replace("15988028779719272091", "1.5"),
            "bonded.amount",
        ),
        (
            "fetch_current_fm_data",
            "/exchange/markets".to_owned(),
            r#"{"data": [{}, {"bestBid": {"price": 1}}]}"#.to_owned(),
            "data[1].bestBid",
        ),
        (
            "fetch_last_crypto_token_price",
            "/exchange/trades".to_owned(),
            r#"{"matches": [{"id": "1", "price": "much", "quantity": 1, "created": "2025-06-05T16:59:38Z"}]}"#.to_owned(),
            "matches[0].price",
        ),
        (
            "fetch_delegated_rewards_amount",
            of_wallet("v2", VESTING, "/rewards"),
            r#"{"rewards": [], "total": [{"amount": [], "denom": "nhash"}]}"#.to_owned(),
            "total[0].amount",
        ),
    ] {
        let app = answering(&prefix, Canned::json(body)).await;
        let failure = fail(&app, function, sample(&app, function)).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
        let named = format!("at `{place}`");
        assert!(failure.message.contains(&named), "{}", failure.message);
    }
}

fn recorded(name: &str) -> String {
    let path = format!(
        "{}/src/provenance/replay/recorded/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_good_status_with_an_unexpected_body_is_a_failure_and_not_an_amount_of_zero() {
    let mut taken = Vec::new();
    for body in [
        "null",
        "[]",
        "{}",
        "0",
        r#""no""#,
        r#"{"errors": ["the index is being rebuilt"]}"#,
        r#"{"code": 2, "message": "rpc error", "details": []}"#,
    ] {
        let app = answering("/", Canned::json(body)).await;
        for function in [
            "fetch_account_info",
            "fetch_account_is_vesting",
            "fetch_delegated_rewards_amount",
            "fetch_delegated_staked_amount",
            "fetch_delegated_unbonding_amount",
            "fetch_delegated_redelegation_amount",
            "fetch_wallet_liquid_balance",
            "fetch_available_committed_amount",
            "fetch_vesting_total_unvested_amount",
            "fetch_total_delegation_data",
            STATISTICS,
            "fetch_current_fm_data",
            "fetch_figure_markets_assets_info",
            "fetch_last_crypto_token_price",
        ] {
            let arguments = sample(&app, function);
            match said(
                CallForm::Post,
                &put(&app, CallForm::Post, function, &arguments).await,
            ) {
                Ok(json) => taken.push(format!("{function} takes {body} for {json}")),
                Err(failure) => {
                    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
                    assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
                }
            }
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

/// Valid arguments of the function.
fn sample(app: &TestApp, function: &str) -> Value {
    let registry = app.app.registry();
    let tool = registry.get(function).unwrap();
    match tool.is_required("wallet_address") {
        true => about(VESTING),
        false => json!({}),
    }
}

#[tokio::test]
async fn a_body_of_the_maximum_size_is_read_and_one_byte_more_is_refused() {
    for (bytes, is_read) in [(GOOD.len(), true), (GOOD.len() - 1, false)] {
        let app = TestApp::with(|config| config.max_upstream_bytes = bytes).await;
        app.replay
            .answer(&of_wallet("v2", VESTING, ""), Canned::json(GOOD));
        if is_read {
            ask(&app, ACCOUNT, about(VESTING)).await;
        } else {
            let failure = fail(&app, ACCOUNT, about(VESTING)).await;
            assert_is(&failure, "upstream_invalid_response", 502, Some(200), false);
            assert!(
                failure
                    .message
                    .contains(&format!("more than {bytes} bytes"))
            );
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_size_is_read_only_up_to_the_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    // The connection stays open: waiting for the end of the body would never end.
    let raw = Raw::saying(format!("{head}{}", " ".repeat(101))).await;
    let url = raw.url.clone();
    let app = TestApp::with(|config| {
        config.max_upstream_bytes = 100;
        config.upstream_urls.insert("explorer".to_owned(), url);
    })
    .await;
    let failure = fail(&app, ACCOUNT, about(VESTING)).await;
    assert_is(&failure, "upstream_invalid_response", 502, Some(200), false);
    let expected = "upstream `explorer` answered with more than 100 bytes, the most that is read of it; ask for less, or \
                    raise `BIFOLD_MAX_UPSTREAM_BYTES`";
    assert_eq!(failure.message, expected);
}
