//! HASH as a token: its price day by day, and who holds it.

use bifold::testing::Canned;
use serde_json::{Value, json};

use super::aggregates::{losing, lost, without};
use super::arguments::assert_refused;
use super::ask::{answering, ask, fail, nhash};
use crate::support::TestApp;

const HISTORY: &str = "fetch_hash_price_history";
const DISTRIBUTION: &str = "fetch_hash_distribution";
const PRICING: &str = "/explorer/api/v3/utility_token/historical_pricing";

#[tokio::test]
async fn a_price_history_has_its_days_and_the_change_over_them() {
    let app = TestApp::start().await;
    let question = json!({"from": "2025-07-21", "to": "2025-07-21"});
    let day = json!({
        "date": "2025-07-21", "open": "0.03", "high": "0.031", "low": "0.027", "close": "0.029", "volume": "101087",
    });
    let expected = json!({"days": [day], "change": "-0.03333333"});
    assert_eq!(ask(&app, HISTORY, question).await, expected);
    app.replay.forget();
    ask(&app, HISTORY, json!({})).await;
    let target = format!("{PRICING}?fromDate=2025-10-19&toDate=2025-11-18");
    assert_eq!(app.replay.seen()[0], target);
}

#[tokio::test]
async fn days_are_oldest_first_and_within_the_range() {
    let row = |date: &str| json!({"time_open": date, "quote": {"USD": {"open": 2, "close": 1e-9}}});
    let rows = [
        "2025-07-23T00:00:00",
        "2025-07-21T00:00:00.000Z",
        "2025-07-22T00:00",
        "2025-07-20T00:00:00",
    ];
    let mut rows: Vec<Value> = rows.map(row).into();
    rows.push(json!({"time_open": "2025-07-22T00:00:00"}));
    let app = answering(PRICING, Canned::json(json!(rows).to_string())).await;
    let answer = ask(
        &app,
        HISTORY,
        json!({"from": "2025-07-21", "to": "2025-07-22"}),
    )
    .await;
    let dates: Vec<&Value> = answer["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["date"])
        .collect();
    assert_eq!(dates, ["2025-07-21", "2025-07-22", "2025-07-22"]);
    assert_eq!(answer["days"][0]["close"], "0.000000001");
    assert_eq!(answer["days"][2]["open"], Value::Null);
    assert_eq!(answer["change"], Value::Null);
    let app = answering(PRICING, Canned::json("[]")).await;
    assert_eq!(
        ask(&app, HISTORY, json!({})).await,
        json!({"days": [], "change": null})
    );
}

#[tokio::test]
async fn a_range_of_days_is_bounded_and_in_order() {
    let app = TestApp::start().await;
    for (from, to, field) in [
        ("2025-07-02", "2025-07-01", "from"),
        ("2024-01-01", "2025-01-01", "from"),
        ("0000-01-01", "9999-12-31", "from"),
        ("2025-7-1", "2025-07-02", "from"),
        ("2025-07-01", "2025-02-30", "to"),
        ("2025-07-01", "2025-07-01T00:00:00Z", "to"),
        ("2025-07-01", "", "to"),
    ] {
        assert_refused(&app, HISTORY, &json!({"from": from, "to": to}), field).await;
    }
    let leap_year = json!({"from": "2024-01-01", "to": "2024-12-31"});
    ask(&app, HISTORY, leap_year).await;
}

#[tokio::test]
async fn the_distribution_has_ranges_and_on_request_the_richest() {
    let app = TestApp::start().await;
    let range = |holders: &str, amount: &str, share: &str| json!({"holders": holders, "amount": nhash(amount), "share": share});
    let ranges = json!([
        range("1", "20000000000000000000", "0.2"),
        range("2", "15000000000000000000", "0.15"),
        range("3", "9000000000000000000", "0.09"),
        range("1001-", "100000000000000000", "0.001"),
    ]);
    let expected = json!({"ranges": ranges, "richest": [], "incomplete": []});
    assert_eq!(ask(&app, DISTRIBUTION, json!({})).await, expected);
    assert!(
        app.replay
            .seen()
            .iter()
            .all(|it| it.ends_with("/distribution"))
    );
    let answer = ask(&app, DISTRIBUTION, json!({"rich_list": 1})).await;
    let richest = json!([{
        "address": "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8",
        "amount": nhash("20607331274614469"),
        "share": "0.00020607",
    }]);
    assert_eq!(answer["richest"], richest);
    for bad in [json!(-1), json!(1001), json!(0.5), json!("all")] {
        let fresh = TestApp::start().await;
        assert_refused(
            &fresh,
            DISTRIBUTION,
            &json!({"rich_list": bad}),
            "rich_list",
        )
        .await;
    }
}

#[tokio::test]
async fn a_missing_part_of_the_distribution_is_named() {
    let question = json!({"rich_list": 5});
    let full = ask(&TestApp::start().await, DISTRIBUTION, question.clone()).await;
    for (target, part, place) in [
        (
            "/explorer/api/v3/utility_token/distribution",
            "distribution",
            "/ranges",
        ),
        (
            "/explorer/api/v3/utility_token/rich_list",
            "rich_list",
            "/richest",
        ),
    ] {
        let app = losing(&[target]).await;
        let expected = without(&full, &[place], json!([lost(part, "explorer")]));
        assert_eq!(ask(&app, DISTRIBUTION, question.clone()).await, expected);
    }
    let app = losing(&["/"]).await;
    for question in [json!({}), question] {
        let failure = fail(&app, DISTRIBUTION, question).await;
        assert_eq!(failure.detail["kind"], "upstream_error");
    }
}
