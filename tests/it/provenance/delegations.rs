//! The delegations of a wallet: shares, concentration, and what remains if a part is missing.

use bifold::provenance::replay::{MOVING, PLAIN};
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::aggregates::{losing, lost};
use super::ask::{about, answering, ask, fail, nhash, of_wallet};
use super::lists::{DELEGATIONS, walked};
use crate::support::TestApp;

#[tokio::test]
async fn delegations_have_their_rewards_their_shares_and_their_concentration() {
    let app = TestApp::start().await;
    let answer = ask(&app, DELEGATIONS, about(MOVING)).await;
    let rows = answer["delegations"].as_array().unwrap();
    assert_eq!(rows.len(), 7);
    let first = json!({
        "operator_address": "pbvaloper1aaaa",
        "amount": nhash("2000000000000000"),
        "rewards": nhash("2181697267770"),
        "share": "0.16666667",
    });
    assert_eq!(rows[0], first);
    let unbonding = json!([{
        "operator_address": "pbvaloper1aaaa",
        "amount": nhash("500000000000"),
        "completes_at": "2025-07-31T12:00:00Z",
    }]);
    let redelegations = json!([{
        "from": "pbvaloper1aaaa",
        "to": "pbvaloper1bbbb",
        "amount": nhash("1000000000000"),
        "completes_at": "2025-07-31T12:30:00Z",
    }]);
    let totals = json!({
        "staked": nhash("12000000000004030"),
        "rewards": nhash("12463572223207"),
        "unbonding": nhash("500000000000"),
    });
    assert_eq!(answer["unbonding"], unbonding);
    assert_eq!(answer["redelegations"], redelegations);
    assert_eq!(answer["totals"], totals);
    assert_eq!(answer["validators"], 7);
    assert_eq!(answer["largest_share"], "0.16666667");
    assert_eq!(answer["herfindahl"], "0.15277778");
    assert_eq!(answer["incomplete"], json!([]));
    let names = walked(
        &app,
        (DELEGATIONS, "delegations"),
        about(MOVING),
        &[2, 3],
        "operator_address",
        |_| (),
    )
    .await;
    assert_eq!(names.len(), 7);
    let nothing = ask(&app, DELEGATIONS, about(PLAIN)).await;
    assert_eq!(
        (&nothing["largest_share"], &nothing["herfindahl"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(nothing["totals"]["staked"], nhash("0"));
    assert_eq!(
        (&nothing["delegations"], &nothing["validators"]),
        (&json!([]), &json!(0))
    );
}

#[tokio::test]
async fn a_missing_part_of_the_delegations_is_named_and_what_depends_on_it_is_null() {
    let full = ask(&TestApp::start().await, DELEGATIONS, about(MOVING)).await;
    for part in ["delegations", "unbonding", "redelegations", "rewards"] {
        let app = losing(&[of_wallet("v2", MOVING, &format!("/{part}"))]).await;
        let answer = ask(&app, DELEGATIONS, about(MOVING)).await;
        let mut expected = full.clone();
        expected["incomplete"] = json!([lost(part, "explorer")]);
        match part {
            "delegations" => {
                expected["delegations"] = json!([]);
                expected["totals"]["staked"] = Value::Null;
                for place in ["validators", "largest_share", "herfindahl"] {
                    expected[place] = Value::Null;
                }
            }
            "unbonding" => {
                expected["unbonding"] = json!([]);
                expected["totals"]["unbonding"] = Value::Null;
            }
            "redelegations" => expected["redelegations"] = json!([]),
            _ => {
                expected["totals"]["rewards"] = Value::Null;
                for row in expected["delegations"].as_array_mut().unwrap() {
                    row["rewards"] = Value::Null;
                }
            }
        }
        assert_eq!(answer, expected, "{part}");
    }
    let failure = fail(&losing(&["/"]).await, DELEGATIONS, about(MOVING)).await;
    assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
    let most = json!({"amount": u128::MAX.to_string(), "denom": "nhash"});
    let rows = json!({"results": [{"amount": most}, {"amount": most, "validatorSrcAddr": "a"}]});
    let app = answering(
        &of_wallet("v2", MOVING, "/delegations"),
        Canned::json(rows.to_string()),
    )
    .await;
    let failure = fail(&app, DELEGATIONS, about(MOVING)).await;
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}
