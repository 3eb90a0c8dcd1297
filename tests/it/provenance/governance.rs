//! Proposals: what they do, what they need, and how the vote stands.

use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{answering, ask, ask_raw, fail, nhash};
use crate::support::TestApp;

const PROPOSAL: &str = "fetch_proposal";
const TARGET: &str = "/explorer/api/v2/gov/proposals/";
const RECORDED: &str = recorded!("explorer_v2_gov_proposals_ID");

/// The answer about a proposal whose recorded body is changed so.
async fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body: Value = serde_json::from_str(RECORDED).unwrap();
    change(&mut body);
    let app = answering(TARGET, Canned::json(body.to_string())).await;
    ask(&app, PROPOSAL, json!({"proposal_id": 99})).await
}

#[tokio::test]
async fn a_proposal_has_its_messages_its_deposit_and_its_votes() {
    let app = TestApp::start().await;
    let votes = |amount: &str, share: &str| json!({"amount": nhash(amount), "share": share});
    let expected = json!({
        "id": 99,
        "title": "Upgrade",
        "type": "SoftwareUpgrade",
        "status": "voting",
        "description": "…",
        "proposer": "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8",
        "messages": [{
            "type": "SoftwareUpgrade",
            "plan": {"name": "mango", "height": "123456", "info": ""},
            "params": null,
        }],
        "deposit": {
            "initial": nhash("50000000000000"),
            "current": nhash("50000000000000"),
            "needed": nhash("50000000000000"),
        },
        "submit_time": "2025-07-20T15:00:00Z",
        "deposit_end_time": "2025-08-03T15:00:00Z",
        "voting_start_time": "2025-07-20T15:00:00Z",
        "voting_end_time": "2025-07-27T15:00:00Z",
        "tally": {
            "yes": votes("900000000000000000", "1.00000000"),
            "no": votes("1000000000", "0.00000000"),
            "no_with_veto": votes("0", "0.00000000"),
            "abstain": votes("0", "0.00000000"),
        },
        "quorum_reached": false,
        "would_pass": false,
    });
    let answer = ask(&app, PROPOSAL, json!({"proposal_id": 99})).await;
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_vote_passes_by_quorum_threshold_and_veto_and_nothing_is_judged_while_it_is_unknown() {
    let vote = |yes: &'static str, veto: &'static str| {
        move |body: &mut Value| {
            let tally = &mut body["timings"]["voting"]["tally"];
            tally["yes"]["amount"]["amount"] = json!(yes);
            tally["noWithVeto"]["amount"]["amount"] = json!(veto);
        }
    };
    let verdict = |answer: &Value| {
        (
            answer["quorum_reached"].clone(),
            answer["would_pass"].clone(),
        )
    };
    let most = with(vote("9000000000000000000", "0")).await;
    assert_eq!(verdict(&most), (json!(true), json!(true)));
    let vetoed = with(vote("5000000000000000000", "4000000000000000000")).await;
    assert_eq!(verdict(&vetoed), (json!(true), json!(false)));
    let unknown = (json!(null), json!(null));
    let without = |place: &'static str| {
        move |body: &mut Value| *body.pointer_mut(place).unwrap() = json!(null)
    };
    for place in [
        "/timings/voting",
        "/timings/voting/params",
        "/timings/voting/params/quorumThreshold",
        "/timings/voting/params/totalEligibleAmount",
        "/timings/voting/tally",
        "/timings/voting/tally/abstain",
        "/timings",
    ] {
        assert_eq!(verdict(&with(without(place)).await), unknown, "{place}");
    }
    let deposit =
        |body: &mut Value| body["header"]["status"] = json!("PROPOSAL_STATUS_DEPOSIT_PERIOD");
    assert_eq!(verdict(&with(deposit).await), unknown);
    let zero = |body: &mut Value| {
        body["timings"]["voting"]["params"]["totalEligibleAmount"]["amount"] = json!("0")
    };
    assert_eq!(verdict(&with(zero).await), unknown);
}

#[tokio::test]
async fn before_the_first_vote_there_are_no_shares() {
    let none = |body: &mut Value| {
        for option in ["yes", "no", "noWithVeto", "abstain"] {
            body["timings"]["voting"]["tally"][option]["amount"]["amount"] = json!("0");
        }
    };
    let answer = with(none).await;
    assert_eq!(
        answer["tally"]["yes"],
        json!({"amount": nhash("0"), "share": null})
    );
    assert_eq!(
        (&answer["quorum_reached"], &answer["would_pass"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn messages_of_any_kind_keep_their_plan_and_parameters_as_they_came() {
    let details = r#"[{"@type": "/x.v1.MsgUpdateParams", "params": {"big": 123456789012345678901234567890, "plan": []}}, {"@type": 7, "plan": "soon"}, {}]"#;
    let body = format!(
        r#"{{"header": {{"proposalId": "99", "status": "PROPOSAL_STATUS_SNOOZED", "details": {details}}}}}"#
    );
    let app = answering(TARGET, Canned::json(body)).await;
    let text = ask_raw(&app, PROPOSAL, &json!({"proposal_id": 99})).await;
    assert!(text.contains(r#"{"type":"UpdateParams","plan":null,"params":{"big": 123456789012345678901234567890, "plan": []}}"#), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["status"], "snoozed");
    assert_eq!(
        answer["messages"][1],
        json!({"type": null, "plan": null, "params": null})
    );
    assert_eq!(answer["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_unknown_proposal_is_not_found_and_other_failures_are_the_upstreams() {
    let app = TestApp::start().await;
    let failure = fail(&app, PROPOSAL, json!({"proposal_id": 100})).await;
    assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
    assert_eq!(failure.message, "there is no proposal 100");
    for (body, kind) in [
        (Canned::status(500, "", ""), "upstream_error"),
        (Canned::json("{}"), "upstream_invalid_response"),
        (Canned::json("<html>"), "upstream_invalid_response"),
        (
            Canned::json(RECORDED.replace("2025-07-20T15:00:00", "tomorrow")),
            "upstream_invalid_response",
        ),
        (
            Canned::json(RECORDED.replace("\"900000000000000000\"", "-9")),
            "upstream_invalid_response",
        ),
    ] {
        let app = answering(TARGET, body).await;
        let failure = fail(&app, PROPOSAL, json!({"proposal_id": 99})).await;
        assert_eq!(failure.detail["kind"], kind);
    }
}

#[tokio::test]
async fn a_proposal_number_is_a_whole_number_from_1() {
    let app = TestApp::start().await;
    for bad in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("first"),
        json!(4294967296u64),
    ] {
        assert_refused(&app, PROPOSAL, &json!({"proposal_id": bad}), "proposal_id").await;
    }
}
