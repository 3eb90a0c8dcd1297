//! The fees of the chain: in both units, rounded, and with the default of unlisted types.

use bifold::testing::Canned;
use serde_json::json;

use super::aggregates::losing;
use super::arguments::assert_refused;
use super::ask::{answering, ask, fail};
use crate::support::TestApp;

const FEES: &str = "fetch_fee_schedule";

#[tokio::test]
async fn fees_are_in_both_units_and_an_unlisted_type_has_the_default() {
    let app = TestApp::start().await;
    let fee = |kind: &str, musd: &str, nhash: &str, is_default: bool| json!({"message_type": kind, "musd": musd, "nhash": nhash, "is_default": is_default});
    let send = fee("/cosmos.bank.v1beta1.MsgSend", "25", "1000000000", false);
    let expected = json!({
        "default_cost": {"musd": "150", "nhash": "6000000000"},
        "fees": [
            send,
            fee("/cosmos.gov.v1.MsgVote", "0", "0", false),
            fee("/provenance.marker.v1.MsgAddMarkerRequest", "100000", "4000000000000", false),
        ],
    });
    assert_eq!(ask(&app, FEES, json!({})).await, expected);
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    let targets = [
        "/lcd/provenance/flatfees/v1/msgfee/all?do_not_convert=true&pagination.limit=1000",
        "/lcd/provenance/flatfees/v1/params",
    ];
    assert_eq!(seen, targets);
    for (kind, row) in [
        ("MsgSend", send.clone()),
        ("/cosmos.bank.v1beta1.MsgSend", send),
        ("MsgNew", fee("MsgNew", "150", "6000000000", true)),
    ] {
        let answer = ask(&app, FEES, json!({"message_type": kind})).await;
        assert_eq!(answer["fees"], json!([row]));
    }
    for bad in ["", "/", "a b", "ä", &"a".repeat(129)] {
        let fresh = TestApp::start().await;
        assert_refused(&fresh, FEES, &json!({"message_type": bad}), "message_type").await;
    }
}

#[tokio::test]
async fn fees_are_rounded_half_up_and_impossible_factors_are_an_upstream_failure() {
    let params = |defined: &str, converted: &str| {
        let coin = |amount: &str, denom: &str| json!({"amount": amount, "denom": denom});
        json!({"params": {
            "default_cost": coin("5", "musd"),
            "conversion_factor": {"definition_amount": coin(defined, "musd"), "converted_amount": coin(converted, "nhash")},
        }}).to_string()
    };
    for (defined, converted, nhash) in [
        ("10", "1", "1"),
        ("10", "3", "2"),
        ("1000", "3", "0"),
        ("3", "1", "2"),
    ] {
        let app = answering(
            "/lcd/provenance/flatfees/v1/params",
            Canned::json(params(defined, converted)),
        )
        .await;
        let answer = ask(&app, FEES, json!({})).await;
        assert_eq!(
            answer["default_cost"]["nhash"], nhash,
            "{converted} / {defined}"
        );
    }
    for body in [
        params("0", "1"),
        params("1", &u128::MAX.to_string()),
        "{}".to_owned(),
    ] {
        let app = answering("/lcd/provenance/flatfees/v1/params", Canned::json(body)).await;
        let failure = fail(&app, FEES, json!({})).await;
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    }
    let endless = r#"{"msg_fees": [], "pagination": {"next_key": "more"}}"#;
    let app = answering("/lcd/provenance/flatfees/v1/msgfee", Canned::json(endless)).await;
    let failure = fail(&app, FEES, json!({})).await;
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    let app = losing(&["/lcd/provenance/flatfees/v1/msgfee"]).await;
    let failure = fail(&app, FEES, json!({})).await;
    assert_eq!(failure.detail["kind"], "upstream_error");
}
