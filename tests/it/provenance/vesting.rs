//! Vesting: how much has vested at a given time, by the rule of each account type.

use bifold::provenance::replay::{DELAYED, PERIODIC, PERMANENT, PLAIN, VESTING};
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{answering, ask, fail, nhash, of_wallet};
use crate::support::TestApp;

const FUNCTION: &str = "fetch_vesting_total_unvested_amount";
const START: &str = "2025-06-22T21:30:09Z";
const END: &str = "2029-05-22T21:30:09Z";
const GRANT: u128 = 20_607_331_274_614_469;

fn at(wallet: &str, date_time: &str) -> Value {
    json!({"wallet_address": wallet, "date_time": date_time})
}

/// The answer for a wallet with a grant of nhash only.
fn granted(question: &Value, original: u128, vested: u128, start: Value, end: Value) -> Value {
    json!({
        "wallet_address": question["wallet_address"],
        "date_time": question["date_time"],
        "has_schedule": true,
        "vesting_original_amount": nhash(&original.to_string()),
        "vesting_total_vested_amount": nhash(&vested.to_string()),
        "vesting_total_unvested_amount": nhash(&(original - vested).to_string()),
        "start_time": start,
        "end_time": end,
        "other_denoms": [],
    })
}

/// Replaces the account type of the wallet.
fn become_a(app: &TestApp, wallet: &str, account_type: &str) {
    let schedule = Canned::json(recorded!("explorer_v3_accounts_ADDR_vesting_2025-11-18"));
    let account = json!({"accountType": account_type, "isVesting": true}).to_string();
    app.replay
        .answer(&of_wallet("v2", wallet, ""), Canned::json(account));
    app.replay
        .answer(&of_wallet("v3", wallet, "/vesting"), schedule);
}

#[tokio::test]
async fn a_continuous_grant_vests_in_proportion_to_whole_seconds_rounded_half_to_even() {
    for schedule in [
        recorded!("explorer_v3_accounts_ADDR_vesting"),
        recorded!("explorer_v3_accounts_ADDR_vesting_2025-11-18"),
    ] {
        let path = of_wallet("v3", VESTING, "/vesting?continuousPeriod=MONTH");
        let app = answering(&path, Canned::json(schedule)).await;
        for (moment, vested) in [
            ("2025-06-05T21:06:31Z", 0),
            (START, 0),
            ("2025-06-22T21:30:10Z", 166_790_754),
            ("2025-07-22T00:00:00Z", 419_410_529_632_576),
            ("2025-11-18T12:00:00Z", 2_141_491_709_574_135),
            ("2026-11-21T00:00:00Z", 7_437_431_739_938_343),
            ("2029-05-22T21:30:08Z", 20_607_331_107_823_715),
            (END, GRANT),
            ("2029-05-22T21:30:10Z", GRANT),
            ("9999-12-31T23:59:59Z", GRANT),
        ] {
            let question = at(VESTING, moment);
            let expected = granted(&question, GRANT, vested, json!(START), json!(END));
            assert_eq!(ask(&app, FUNCTION, question).await, expected);
        }
    }
}

#[tokio::test]
async fn the_default_time_is_now() {
    let app = TestApp::start().await;
    let now = ask(&app, FUNCTION, json!({"wallet_address": VESTING})).await;
    let named = ask(&app, FUNCTION, at(VESTING, "2025-11-18T12:00:00Z")).await;
    assert_eq!(now, named);
    let unvested = &now["vesting_total_unvested_amount"];
    assert_eq!(*unvested, nhash("18465839565040334"));
}

#[tokio::test]
async fn a_missing_zone_means_utc_a_zone_is_applied_and_a_fraction_is_dropped() {
    let app = TestApp::start().await;
    let expected = ask(&app, FUNCTION, at(VESTING, "2025-07-22T00:00:00Z")).await;
    for text in [
        "2025-07-22T00:00:00",
        "2025-07-22T00:00:00.999999999",
        "2025-07-22T00:00:00.5Z",
        "2025-07-22T02:00:00+02:00",
        "2025-07-21T19:30:00-04:30",
        "2025-07-22t00:00:00z",
    ] {
        let answer = ask(&app, FUNCTION, at(VESTING, text)).await;
        assert_eq!(answer, expected, "{text}");
    }
}

#[tokio::test]
async fn a_periodic_grant_vests_on_its_dates() {
    let app = TestApp::start().await;
    for (moment, vested) in [
        ("2025-03-31T23:59:59Z", 0),
        ("2025-04-01T00:00:00Z", 1_000_000_000_000),
        ("2025-11-18T12:00:00Z", 2_000_000_000_000),
        ("2026-05-31T23:59:59Z", 2_000_000_000_000),
        ("2026-06-01T00:00:00Z", 3_000_000_000_000),
    ] {
        let question = at(PERIODIC, moment);
        let (start, end) = ("2025-01-01T00:00:00Z", "2026-06-01T00:00:00Z");
        let expected = granted(
            &question,
            3_000_000_000_000,
            vested,
            json!(start),
            json!(end),
        );
        assert_eq!(ask(&app, FUNCTION, question).await, expected);
    }
}

#[tokio::test]
async fn the_account_type_decides_between_bodies_that_look_the_same() {
    let app = TestApp::start().await;
    become_a(&app, PERIODIC, "Periodic Vesting Account");
    for (moment, vested) in [
        ("2025-07-23T07:30:08Z", "0"),
        ("2025-07-23T07:30:09Z", "438326102286380"),
        ("2025-08-22T17:30:08Z", "438326102286380"),
    ] {
        let answer = ask(&app, FUNCTION, at(PERIODIC, moment)).await;
        let amount = &answer["vesting_total_vested_amount"];
        assert_eq!(*amount, nhash(vested), "{moment}");
    }
}

#[tokio::test]
async fn a_schedule_with_an_unknown_rule_is_a_failure() {
    let app = TestApp::start().await;
    become_a(&app, PERIODIC, "Clawback Vesting Account");
    let failure = fail(&app, FUNCTION, at(PERIODIC, START)).await;
    assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}

#[tokio::test]
async fn a_delayed_grant_vests_at_its_end() {
    let app = TestApp::start().await;
    let (whole, end) = (4_000_000_000_000, "2026-06-01T00:00:00Z");
    for (moment, vested) in [
        ("2025-11-18T12:00:00Z", 0),
        ("2026-05-31T23:59:59Z", 0),
        (end, whole),
        ("2026-06-01T00:00:01Z", whole),
    ] {
        let question = at(DELAYED, moment);
        let expected = granted(&question, whole, vested, json!(null), json!(end));
        assert_eq!(ask(&app, FUNCTION, question).await, expected);
    }
}

#[tokio::test]
async fn a_permanently_locked_grant_never_vests() {
    let app = TestApp::start().await;
    for moment in [
        "1969-12-31T23:59:59Z",
        "2025-11-18T12:00:00Z",
        "9999-12-31T23:59:59Z",
    ] {
        let question = at(PERMANENT, moment);
        let expected = granted(&question, 5_000_000_000, 0, json!(null), json!(null));
        assert_eq!(ask(&app, FUNCTION, question).await, expected);
    }

    // The account type decides, whatever end the explorer writes.
    become_a(&app, PERIODIC, "Permanent Locked Account");
    let question = at(PERIODIC, "9999-12-31T23:59:59Z");
    let expected = granted(&question, GRANT, 0, json!(null), json!(null));
    assert_eq!(ask(&app, FUNCTION, question).await, expected);
}

#[tokio::test]
async fn a_wallet_without_a_schedule_has_nothing_unvested() {
    let app = TestApp::start().await;
    let question = at(PLAIN, "2025-11-18T12:00:00Z");
    let mut expected = granted(&question, 0, 0, json!(null), json!(null));
    expected["has_schedule"] = json!(false);
    assert_eq!(ask(&app, FUNCTION, question.clone()).await, expected);

    // The account is requested only if there is a schedule.
    app.replay
        .answer(&of_wallet("v2", PLAIN, ""), Canned::status(500, "", ""));
    assert_eq!(ask(&app, FUNCTION, question).await, expected);
}

#[tokio::test]
async fn a_schedule_without_its_account_is_a_failure() {
    let broken = Canned::status(500, "text/plain", "no");
    let app = answering(&of_wallet("v2", VESTING, ""), broken).await;
    let failure = fail(&app, FUNCTION, at(VESTING, START)).await;
    assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
    assert_eq!(failure.detail["kind"], "upstream_error");
}

#[tokio::test]
async fn grants_in_other_denoms_are_listed_beside_that_of_nhash() {
    let coins = |usd: &str, hash: &str| json!([{"amount": usd, "denom": "uusd.trading"}, {"amount": hash, "denom": "nhash"}]);
    let schedule = json!({
        "startTime": "2025-01-01T00:00:00",
        "endTime": "2026-01-01T00:00:00",
        "originalVestingList": coins("30", "300"),
        "periodicVestingList": [
            {"coins": coins("10", "100"), "vestingDate": "2025-06-01T00:00:00"},
            {"coins": coins("20", "200"), "vestingDate": "2026-01-01T00:00:00"},
        ],
    });
    let path = of_wallet("v3", PERIODIC, "/vesting");
    let app = answering(&path, Canned::json(schedule.to_string())).await;
    let question = at(PERIODIC, "2025-11-18T12:00:00Z");
    let (start, end) = ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let mut expected = granted(&question, 300, 100, json!(start), json!(end));
    let usd = |amount: &str| json!({"amount": amount, "denom": "uusd.trading"});
    expected["other_denoms"] =
        json!([{"original": usd("30"), "vested": usd("10"), "unvested": usd("20")}]);
    assert_eq!(ask(&app, FUNCTION, question).await, expected);
}
