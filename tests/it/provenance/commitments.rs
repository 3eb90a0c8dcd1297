//! The commitments to a market: added up over all pages, whose number is bounded.

use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::aggregates::lost;
use super::arguments::assert_refused;
use super::ask::{answering, ask, fail, nhash};
use crate::support::TestApp;

const COMMITMENTS: &str = "fetch_market_commitments";

#[tokio::test]
async fn commitments_are_added_up_by_denom_over_all_pages() {
    let app = TestApp::start().await;
    let expected = json!({
        "market_id": 1,
        "totals": [{"amount": "402495000", "denom": "neth.figure.se"}, nhash("123911906691")],
        "accounts": 2,
        "incomplete": [],
    });
    assert_eq!(ask(&app, COMMITMENTS, json!({})).await, expected);
    let target = "/lcd/provenance/exchange/v1/commitments/market/1?pagination.limit=1000";
    let page = |key: Value| {
        let row = json!({"account": "pb1", "amount": [nhash("5")]});
        json!({"commitments": [row], "pagination": {"next_key": key}}).to_string()
    };
    let app = answering(target, Canned::json(page(json!("a+b/c=")))).await;
    let second = format!("{target}&pagination.key=a%2Bb%2Fc%3D");
    app.replay.answer(&second, Canned::json(page(json!(""))));
    let answer = ask(&app, COMMITMENTS, json!({})).await;
    assert_eq!(
        (&answer["totals"], &answer["accounts"]),
        (&json!([nhash("10")]), &json!(2))
    );
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [target.to_owned(), second.clone()]);
    // A page that is missing is named, and the others count.
    app.replay.answer(&second, Canned::status(500, "", ""));
    let app = answering(target, Canned::json(page(json!("a+b/c=")))).await;
    app.replay.answer(&second, Canned::status(500, "", ""));
    let answer = ask(&app, COMMITMENTS, json!({})).await;
    assert_eq!(answer["totals"], json!([nhash("5")]));
    assert_eq!(answer["incomplete"], json!([lost("commitments", "lcd")]));
}

#[tokio::test]
async fn at_most_twenty_pages_of_commitments_are_read() {
    let page = r#"{"commitments": [{"amount": [{"amount": "1", "denom": "nhash"}]}], "pagination": {"next_key": "again"}}"#;
    let app = answering("/lcd/", Canned::json(page)).await;
    let answer = ask(&app, COMMITMENTS, json!({"market_id": 7})).await;
    assert_eq!(answer["accounts"], 20);
    let cut = json!([{"part": "commitments", "kind": "failed", "message": "only the first 20000 accounts were read"}]);
    assert_eq!(answer["incomplete"], cut);
    // A key that repeats is answered from the cache, so that the node is asked twice.
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[tokio::test]
async fn an_unknown_market_is_not_found_and_an_empty_one_has_no_totals() {
    let app = TestApp::start().await;
    let failure = fail(&app, COMMITMENTS, json!({"market_id": 9})).await;
    assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
    app.replay
        .answer("/lcd/provenance/exchange/v1/market/9", Canned::json("{}"));
    let answer = ask(&app, COMMITMENTS, json!({"market_id": 9})).await;
    assert_eq!(
        answer,
        json!({"market_id": 9, "totals": [], "accounts": 0, "incomplete": []})
    );
    let app = answering(
        "/lcd/provenance/exchange/v1/market/9",
        Canned::status(500, "", ""),
    )
    .await;
    let answer = ask(&app, COMMITMENTS, json!({"market_id": 9})).await;
    assert_eq!(answer["incomplete"], json!([lost("market", "lcd")]));
    for status in [400, 404] {
        let app = answering("/lcd/", Canned::status(status, "", "")).await;
        let failure = fail(&app, COMMITMENTS, json!({"market_id": 9})).await;
        assert_eq!(failure.detail["kind"], "not_found");
    }
    let app = TestApp::start().await;
    for bad in [json!(0), json!(-1), json!(4294967296u64), json!("one")] {
        assert_refused(&app, COMMITMENTS, &json!({"market_id": bad}), "market_id").await;
    }
    let most = json!({"amount": [{"amount": u128::MAX.to_string(), "denom": "nhash"}]});
    let body = json!({"commitments": [most, most]}).to_string();
    let app = answering("/lcd/", Canned::json(body)).await;
    let failure = fail(&app, COMMITMENTS, json!({})).await;
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}
