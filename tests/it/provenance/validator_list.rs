//! All validators: sorted over all pages of the explorer, whose number is bounded.

use bifold::testing::Canned;
use serde_json::{Value, json};

use super::aggregates::{losing, lost};
use super::ask::{answering, ask, nhash};
use super::lists::{VALIDATORS, page_of, serve, walked};
use crate::support::TestApp;

fn validator(number: u32, bonded: u64) -> Value {
    json!({
        "moniker": format!("v{number}"),
        "addressId": format!("pbvaloper1{number:04}"),
        "status": "active",
        "bondedTokens": {"count": bonded.to_string(), "total": null, "denom": "nhash"},
        "votingPower": {"count": 1, "total": 3},
        "uptime": 99.5,
    })
}

#[tokio::test]
async fn validators_are_sorted_by_their_bonded_tokens_over_all_pages() {
    let app = TestApp::start().await;
    let expected = json!({
        "moniker": "figure-0",
        "operator_address": "pbvaloper1aaaa",
        "status": "active",
        "commission": "0.05",
        "bonded_tokens": nhash("5000000000000000000"),
        "delegators": 321,
        "voting_power_share": "0.31273399",
        "uptime": "100.00",
    });
    let answer = ask(&app, VALIDATORS, json!({})).await;
    assert_eq!(answer["validators"], json!([expected]));
    assert_eq!(answer["total"], 1);

    let mut rows: Vec<Value> = (0..120)
        .map(|it| validator(it, u64::from(it % 40)))
        .collect();
    rows.push(json!({"moniker": "empty", "addressId": "pbvaloper1x"}));
    rows.push(rows[3].clone());
    let app = TestApp::start().await;
    serve(
        &app,
        "/explorer/api/v3/validators/recent",
        "&status=JAILED",
        50,
        &rows,
    );
    let jailed = json!({"status": "jailed"});
    let names = walked(
        &app,
        (VALIDATORS, "validators"),
        jailed.clone(),
        &[7, 50, 1],
        "moniker",
        |_| (),
    )
    .await;
    assert_eq!(names.len(), 121);
    assert_eq!(names[..4], ["v39", "v79", "v119", "v38"]);
    assert_eq!(names[120], "empty");
    let answer = ask(&app, VALIDATORS, jailed).await;
    assert_eq!(
        (
            &answer["total"],
            answer["validators"].as_array().unwrap().len()
        ),
        (&json!(121), 50)
    );
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "three pages of the explorer: {seen:?}");
}

#[tokio::test]
async fn validators_of_a_missing_page_are_named_and_the_number_of_pages_is_bounded() {
    let rows: Vec<Value> = (0..120).map(|it| validator(it, 1)).collect();
    let app = TestApp::start().await;
    let target = "/explorer/api/v3/validators/recent";
    serve(&app, target, "&status=ACTIVE", 50, &rows);
    let second = format!("{target}?count=50&page=2");
    app.replay.answer(&second, Canned::status(500, "", ""));
    let app = losing(&[second]).await;
    for number in [1, 3] {
        let prefix = format!("{target}?count=50&page={number}&");
        app.replay
            .answer(&prefix, Canned::json(page_of(&rows, 50, number)));
    }
    let answer = ask(&app, VALIDATORS, json!({"limit": 200})).await;
    assert_eq!(answer["validators"].as_array().unwrap().len(), 70);
    assert_eq!(answer["total"], 120);
    assert_eq!(
        answer["incomplete"],
        json!([lost("validators", "explorer")])
    );
    // A number of pages that nobody can read.
    let body = json!({"pages": u128::MAX.to_string(), "results": []}).to_string();
    let app = answering(target, Canned::json(body)).await;
    let answer = ask(&app, VALIDATORS, json!({})).await;
    assert_eq!(
        answer["incomplete"][0]["message"],
        "only the first 1000 rows were read"
    );
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20);
}
