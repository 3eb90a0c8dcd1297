//! The list of proposals: newest first, from the explorer or from the node.

use bifold::testing::Canned;
use serde_json::{Value, json};

use super::aggregates::losing;
use super::arguments::assert_refused;
use super::ask::{ask, fail, nhash};
use super::lists::{PROPOSALS, serve, walked};
use crate::support::TestApp;

/// A proposal of the explorer.
fn proposal(id: u64, status: &str) -> Value {
    json!({"header": {"proposalId": id, "status": status, "type": "/x.MsgY", "title": format!("p{id}")}})
}

fn proposals(count: u64) -> Vec<Value> {
    let status = |id: u64| {
        if id.is_multiple_of(3) {
            "PROPOSAL_STATUS_PASSED"
        } else {
            "PROPOSAL_STATUS_REJECTED"
        }
    };
    (1..=count)
        .rev()
        .map(|id| proposal(id, status(id)))
        .collect()
}

#[tokio::test]
async fn proposals_are_newest_first_with_their_votes() {
    let app = TestApp::start().await;
    let answer = ask(&app, PROPOSALS, json!({"status": "voting"})).await;
    let row = json!({
        "id": 99,
        "title": "Upgrade",
        "type": "SoftwareUpgrade",
        "status": "voting",
        "submit_time": "2025-07-20T15:00:00Z",
        "voting_end_time": "2025-07-27T15:00:00Z",
        "tally": {
            "yes": nhash("900000000000000000"),
            "no": nhash("1000000000"),
            "no_with_veto": nhash("0"),
            "abstain": nhash("0"),
        },
    });
    assert_eq!(answer["proposals"], json!([row]));
    let none = ask(&app, PROPOSALS, json!({"status": "failed"})).await;
    assert_eq!(none, json!({"proposals": [], "next_cursor": null}));
    assert_refused(
        &TestApp::start().await,
        PROPOSALS,
        &json!({"status": "open"}),
        "status",
    )
    .await;
}

#[tokio::test]
async fn proposals_come_once_with_any_limit_while_new_ones_are_made() {
    let target = "/explorer/api/v3/gov/proposals";
    let app = TestApp::start().await;
    serve(&app, target, "", 100, &proposals(230));
    let grow = |number: usize| {
        serve(
            &app,
            target,
            "",
            100,
            &proposals(230 + 40 * (number as u64 + 1).min(3)),
        )
    };
    let ids = walked(
        &app,
        (PROPOSALS, "proposals"),
        json!({}),
        &[30, 7, 100, 1],
        "id",
        grow,
    )
    .await;
    let expected: Vec<Value> = (1..=230).rev().map(|it| json!(it)).collect();
    assert_eq!(ids, expected);
    let app = TestApp::start().await;
    serve(&app, target, "", 100, &proposals(230));
    let passed = json!({"status": "passed"});
    let ids = walked(
        &app,
        (PROPOSALS, "proposals"),
        passed,
        &[20, 3],
        "id",
        |_| (),
    )
    .await;
    let expected: Vec<Value> = (1..=230)
        .rev()
        .filter(|it| it % 3 == 0)
        .map(|it| json!(it))
        .collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn where_the_explorer_fails_the_node_lists_proposals_without_a_tally_of_running_votes() {
    let app = losing(&["/explorer/"]).await;
    let answer = ask(&app, PROPOSALS, json!({})).await;
    let row = json!({
        "id": 99,
        "title": "Upgrade to v1.20",
        "type": "SoftwareUpgrade",
        "status": "voting",
        "submit_time": "2025-07-20T15:00:00Z",
        "voting_end_time": "2025-07-27T15:00:00Z",
        "tally": null,
    });
    assert_eq!(answer["proposals"], json!([row]));
    let seen = app.replay.seen();
    let target = "/lcd/cosmos/gov/v1/proposals?pagination.limit=100&pagination.offset=0&pagination.reverse=true";
    assert!(seen.iter().any(|it| it == target), "{seen:?}");
    let ended = recorded!("lcd_gov_v1_proposals")
        .replace("VOTING_PERIOD", "PASSED")
        .replace("\"yes_count\": \"0\"", "\"yes_count\": \"7\"");
    app.replay.answer("/lcd/cosmos/gov", Canned::json(ended));
    let answer = ask(&app, PROPOSALS, json!({"status": "passed"})).await;
    assert_eq!(answer["proposals"][0]["tally"]["yes"], nhash("7"));
    let failure = fail(&losing(&["/"]).await, PROPOSALS, json!({})).await;
    assert_eq!(failure.detail["upstream"]["name"], "explorer");
}
