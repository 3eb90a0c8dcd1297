//! A wallet in detail: what it can send, and when the rest vests.

use bifold::provenance::replay::{DELAYED, PERIODIC, PERMANENT, PLAIN, VESTING};
use bifold::testing::Canned;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{about, answering, ask, fail, nhash, of_wallet};
use crate::support::TestApp;

const SPENDABLE: &str = "fetch_wallet_spendable";
const CALENDAR: &str = "fetch_vesting_calendar";

fn amount(coin: &Value) -> u128 {
    assert_eq!(coin["denom"], "nhash");
    coin["amount"].as_str().unwrap().parse().unwrap()
}

async fn calendar(app: &TestApp, wallet: &str, more: Value) -> Value {
    let mut arguments = about(wallet);
    for (name, value) in more.as_object().unwrap() {
        if !value.is_null() {
            arguments[name] = value.clone();
        }
    }
    ask(app, CALENDAR, arguments).await
}

/// The rows, after a check that they add up.
fn rows(calendar: &Value) -> &[Value] {
    let rows = calendar["periods"].as_array().unwrap();
    for pair in rows.windows(2) {
        let so_far = amount(&pair[0]["vested_so_far"]) + amount(&pair[1]["vests"]);
        assert_eq!(so_far, amount(&pair[1]["vested_so_far"]));
        assert!(pair[0]["date"].as_str() < pair[1]["date"].as_str());
    }
    rows
}

#[tokio::test]
async fn the_spendable_balance_has_its_parts_and_its_value() {
    let app = TestApp::start().await;
    let expected = json!({
        "total": nhash("8607553982838339"),
        "spendable": nhash("13773576656"),
        "locked": nhash("8607540209261683"),
        "usd_value": "146328.417708251763",
    });
    assert_eq!(ask(&app, SPENDABLE, about(VESTING)).await, expected);
    let none = json!({"total": nhash("0"), "spendable": nhash("0"), "locked": nhash("0"), "usd_value": null});
    assert_eq!(ask(&app, SPENDABLE, about(PLAIN)).await, none);
    let mut seen = app.replay.seen();
    seen.dedup();
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[tokio::test]
async fn a_value_in_another_currency_or_without_an_amount_is_null() {
    let coin = |price: Value| json!({"amount": 5, "denom": "nhash", "totalBalancePrice": price});
    for (price, value) in [
        (json!({"amount": "1.50", "denom": "USD"}), json!("1.50")),
        (json!({"amount": 2}), json!("2")),
        (json!({"amount": "1", "denom": "EUR"}), json!(null)),
        (json!({"denom": "USD"}), json!(null)),
        (json!(null), json!(null)),
    ] {
        let body = json!({"total": coin(price), "spendable": coin(json!(null)), "locked": coin(json!(null))});
        let app = answering(
            &of_wallet("v3", PLAIN, "/balances"),
            Canned::json(body.to_string()),
        )
        .await;
        assert_eq!(ask(&app, SPENDABLE, about(PLAIN)).await["usd_value"], value);
    }
    let app = answering(&of_wallet("v3", PLAIN, "/balances"), Canned::json("{}")).await;
    let failure = fail(&app, SPENDABLE, about(PLAIN)).await;
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}

#[tokio::test]
async fn a_continuous_schedule_vests_in_equal_periods_up_to_its_end() {
    let app = TestApp::start().await;
    let answer = calendar(&app, VESTING, json!({})).await;
    assert_eq!(answer["has_schedule"], true);
    let rows = rows(&answer);
    assert_eq!(rows.len(), 48);
    let first = json!({
        "date": "2025-07-23T07:30:09Z",
        "vests": nhash("438326102286380"),
        "vested_so_far": nhash("438326102286380"),
        "unvested_after": nhash("20169005172328089"),
    });
    assert_eq!(rows[0], first);
    let last = json!({
        "date": "2029-05-22T21:30:09Z",
        "vests": nhash("6004467154608"),
        "vested_so_far": nhash("20607331274614469"),
        "unvested_after": nhash("0"),
    });
    assert_eq!(rows[47], last);
    let sum: u128 = rows.iter().map(|row| amount(&row["vests"])).sum();
    assert_eq!(sum, 20_607_331_274_614_469);
    // The rows are those that the explorer computes.
    let recorded: Value =
        serde_json::from_str(recorded!("explorer_v3_accounts_ADDR_vesting")).unwrap();
    for (row, period) in rows
        .iter()
        .zip(recorded["periodicVestingList"].as_array().unwrap())
    {
        assert_eq!(
            row["date"],
            format!("{}Z", period["vestingDate"].as_str().unwrap())
        );
        assert_eq!(row["vests"]["amount"], period["coins"][0]["amount"]);
    }
}

#[tokio::test]
async fn periods_of_every_length_end_with_the_same_sum() {
    let app = TestApp::start().await;
    for (period, count) in [("week", 205), ("month", 48), ("quarter", 16), ("year", 4)] {
        let answer = calendar(&app, VESTING, json!({"period": period})).await;
        let rows = rows(&answer);
        assert_eq!(rows.len(), count, "{period}");
        assert_eq!(
            amount(&rows[count - 1]["vested_so_far"]),
            20_607_331_274_614_469
        );
    }
}

#[tokio::test]
async fn a_range_selects_rows_by_their_date_with_both_ends() {
    let app = TestApp::start().await;
    let all = calendar(&app, VESTING, json!({})).await;
    let all = all["periods"].as_array().unwrap();
    for (from, to, selected) in [
        (None, None, 0..48),
        (Some("2025-07-23T07:30:09Z"), None, 0..48),
        (Some("2025-07-23T07:30:10Z"), None, 1..48),
        (None, Some("2025-08-22T17:30:09Z"), 0..2),
        (None, Some("2025-08-22T17:30:08Z"), 0..1),
        (
            Some("2029-05-22T21:30:09Z"),
            Some("2029-05-22T21:30:09Z"),
            47..48,
        ),
        (Some("2029-05-22T11:30:10Z"), None, 47..48),
        (None, Some("2029-05-22T21:30:08Z"), 0..47),
        (Some("2029-05-22T21:30:10Z"), None, 48..48),
        (None, Some("2025-07-23T07:30:08Z"), 0..0),
        (
            Some("2025-08-01T00:00:00Z"),
            Some("2025-08-02T00:00:00Z"),
            1..1,
        ),
        (
            Some("0000-01-01T00:00:00Z"),
            Some("9999-12-31T23:59:59Z"),
            0..48,
        ),
    ] {
        let answer = calendar(&app, VESTING, json!({"from": from, "to": to})).await;
        assert_eq!(
            answer["periods"],
            json!(all[selected]),
            "{from:?} to {to:?}"
        );
    }
}

#[tokio::test]
async fn schedules_with_dates_of_their_own_are_summed_into_the_periods() {
    let app = TestApp::start().await;
    let answer = calendar(&app, PERIODIC, json!({"period": "quarter"})).await;
    let periods: Vec<(&Value, u128)> = rows(&answer)
        .iter()
        .map(|row| (&row["date"], amount(&row["vests"])))
        .collect();
    let million = 1_000_000_000_000;
    let expected = [
        ("2025-04-02T06:00:00Z", million),
        ("2025-07-02T12:00:00Z", 0),
        ("2025-10-01T18:00:00Z", million),
        ("2026-01-01T00:00:00Z", 0),
        ("2026-04-02T06:00:00Z", 0),
        ("2026-06-01T00:00:00Z", million),
    ];
    let expected = expected.map(|(date, amount)| (json!(date), amount));
    assert_eq!(periods, expected.each_ref().map(|it| (&it.0, it.1)));
    let delayed = calendar(&app, DELAYED, json!({})).await;
    let row = json!({
        "date": "2026-06-01T00:00:00Z",
        "vests": nhash("4000000000000"),
        "vested_so_far": nhash("4000000000000"),
        "unvested_after": nhash("0"),
    });
    assert_eq!(delayed["periods"], json!([row]));
    let never = calendar(&app, PERMANENT, json!({})).await;
    assert_eq!(
        (&never["has_schedule"], &never["periods"]),
        (&json!(true), &json!([]))
    );
    let none = calendar(&app, PLAIN, json!({})).await;
    assert_eq!(
        none,
        json!({"wallet_address": PLAIN, "has_schedule": false, "periods": []})
    );
}

#[tokio::test]
async fn too_many_periods_are_an_error_that_names_a_longer_period() {
    let app = TestApp::start().await;
    let mut arguments = about(VESTING);
    arguments["period"] = json!("day");
    let failure = fail(&app, CALENDAR, arguments.clone()).await;
    assert_eq!(failure.detail["field"], "period");
    assert!(
        failure.message.contains("1430") && failure.message.contains("`week`"),
        "{}",
        failure.message
    );
    arguments["to"] = json!("2026-01-01T00:00:00Z");
    ask(&app, CALENDAR, arguments).await;
}

#[tokio::test]
async fn a_range_in_the_wrong_order_and_unknown_periods_are_refused() {
    let app = TestApp::start().await;
    for (field, from, to, period) in [
        (
            "from",
            "2026-01-02T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "month",
        ),
        ("from", "2026-01-02", "2026-01-01T00:00:00Z", "month"),
        (
            "period",
            "2026-01-01T00:00:00Z",
            "2026-01-02T00:00:00Z",
            "decade",
        ),
    ] {
        let arguments =
            json!({"wallet_address": VESTING, "from": from, "to": to, "period": period});
        assert_refused(&app, CALENDAR, &arguments, field).await;
    }
}

#[tokio::test]
async fn impossible_schedules_are_an_upstream_failure() {
    let most = u128::MAX.to_string();
    let schedule = |start: &str, end: &str, amount: &str| {
        json!({
            "startTime": start, "endTime": end,
            "originalVestingList": [{"amount": amount, "denom": "nhash"}],
            "periodicVestingList": [],
        })
        .to_string()
    };
    for body in [
        schedule("2029-01-01T00:00:00", "2025-01-01T00:00:00", "5"),
        schedule("2025-01-01T00:00:00", "2025-01-01T00:00:00", "5"),
        schedule("2025-01-01T00:00:00", "2029-01-01T00:00:00", &most),
        schedule("2025-01-01T00:00:00", "never", "5"),
        "[]".to_owned(),
    ] {
        let app = answering(&of_wallet("v3", VESTING, "/vesting"), Canned::json(body)).await;
        let failure = fail(&app, CALENDAR, about(VESTING)).await;
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    }
    // A grant of ten thousand years has too many periods, and none is computed.
    let long = schedule("0001-01-01T00:00:00", "9999-01-01T00:00:00", &most);
    let app = answering(&of_wallet("v3", VESTING, "/vesting"), Canned::json(long)).await;
    let failure = fail(&app, CALENDAR, about(VESTING)).await;
    assert_eq!(failure.detail["field"], "period");
}
