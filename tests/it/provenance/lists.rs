//! Lists page by page: every row once and in order, with any limit, from upstreams whose pages move meanwhile.

use std::collections::BTreeMap;

use bifold::provenance::replay::{MOVING, PLAIN, VESTING};
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::aggregates::{losing, lost};
use super::arguments::assert_refused;
use super::ask::{about, answering, ask, fail, nhash, of_wallet};
use crate::support::TestApp;

const VALIDATORS: &str = "fetch_validators";
const DELEGATIONS: &str = "fetch_wallet_delegations";
const PROPOSALS: &str = "fetch_governance_proposals";
const BALANCES: &str = "fetch_wallet_balances";
const TRANSACTIONS: &str = "fetch_wallet_transactions";
const DENOMS: &str = "fetch_ibc_denoms";
const ADDRESS: &str = "/explorer/api/v2/txs/address/";

/// The lists, each with the field that they page and their largest limit.
const LISTS: [(&str, &str, u64); 6] = [
    (VALIDATORS, "validators", 200),
    (DELEGATIONS, "delegations", 200),
    (PROPOSALS, "proposals", 100),
    (BALANCES, "balances", 200),
    (TRANSACTIONS, "transactions", 200),
    (DENOMS, "denoms", 200),
];

/// The field `of` of all rows of a list, read page by page with these limits in turn. `between` runs after each page.
async fn walked(
    app: &TestApp,
    (function, list): (&str, &str),
    mut arguments: Value,
    limits: &[u64],
    of: &str,
    mut between: impl FnMut(usize),
) -> Vec<Value> {
    let mut found = Vec::new();
    for number in 0..100 {
        let limit = limits[number % limits.len()];
        arguments["limit"] = json!(limit);
        let page = ask(app, function, arguments.clone()).await;
        let rows = page[list].as_array().unwrap();
        assert!(rows.len() as u64 <= limit, "{page}");
        found.extend(rows.iter().map(|row| row[of].clone()));
        match &page["next_cursor"] {
            Value::Null => return found,
            cursor => arguments["cursor"] = cursor.clone(),
        }
        between(number);
    }
    panic!("{function} has no end");
}

/// One page of the explorer's list of these rows.
fn page_of(rows: &[Value], count: usize, number: usize) -> String {
    let page = rows.chunks(count).nth(number - 1).unwrap_or_default();
    let pages = rows.len().div_ceil(count);
    json!({"pages": pages, "results": page, "total": rows.len(), "rollupTotals": {}}).to_string()
}

/// Answers all pages of a list of the explorer.
fn serve(app: &TestApp, target: &str, query: &str, count: usize, rows: &[Value]) {
    for number in 1..=rows.len().div_ceil(count) + 1 {
        // The `&` behind the number keeps page 1 from answering for page 10.
        let end = if query.is_empty() { "" } else { query };
        let prefix = format!("{target}?count={count}&page={number}{end}");
        app.replay
            .answer(&prefix, Canned::json(page_of(rows, count, number)));
    }
}

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
async fn every_list_has_an_end_and_bounded_limits() {
    for (function, list, most) in LISTS {
        let app = TestApp::start().await;
        let wallet = app
            .app
            .registry()
            .get(function)
            .unwrap()
            .is_required("wallet_address");
        let arguments = if wallet { about(VESTING) } else { json!({}) };
        let answer = ask(&app, function, arguments.clone()).await;
        assert!(!answer[list].as_array().unwrap().is_empty(), "{function}");
        assert_eq!(answer["next_cursor"], Value::Null, "{function}");
        let fresh = TestApp::start().await;
        for bad in [json!(0), json!(most + 1), json!(-1), json!("many")] {
            let mut arguments = arguments.clone();
            arguments["limit"] = bad;
            assert_refused(&fresh, function, &arguments, "limit").await;
        }
        let mut foreign = arguments.clone();
        foreign["cursor"] = json!("bm90IGEgY3Vyc29y");
        assert_refused(&fresh, function, &foreign, "cursor").await;
        let mut unknown = arguments.clone();
        unknown["fields"] = json!(format!("{list}.nothing_like_it"));
        assert_refused(&fresh, function, &unknown, "fields").await;
    }
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

#[tokio::test]
async fn balances_are_sorted_by_value_with_unpriced_ones_last_and_the_value_of_all() {
    let app = TestApp::start().await;
    let answer = ask(&app, BALANCES, about(VESTING)).await;
    let expected = json!({
        "denom": "nhash",
        "total": "8607553982838339",
        "spendable": "13773576656",
        "locked": "8607540209261683",
        "usd_value": "146328.417708251763",
    });
    assert_eq!(answer["balances"][0], expected);
    assert_eq!(answer["total_usd"], "147357.818795501763");
    let coin = |denom: &str, value: Option<&str>| {
        let price = value.map(|it| json!({"amount": it, "denom": "USD"}));
        let coin = json!({"amount": "1", "denom": denom, "totalBalancePrice": price});
        json!({"total": coin, "spendable": coin, "locked": coin})
    };
    let rows = [
        coin("z", None),
        coin("c", Some("5")),
        coin("a", None),
        coin("b", Some("5.0")),
        coin("d", Some("100.5")),
        coin("e", Some("20")),
        coin("c", Some("5")),
    ];
    let app = TestApp::start().await;
    serve(&app, &of_wallet("v3", PLAIN, "/balances"), "", 100, &rows);
    let denoms = walked(
        &app,
        (BALANCES, "balances"),
        about(PLAIN),
        &[2, 1, 3],
        "denom",
        |_| (),
    )
    .await;
    assert_eq!(denoms, ["d", "e", "b", "c", "a", "z"]);
    let answer = ask(&app, BALANCES, json!({"wallet_address": PLAIN, "limit": 1})).await;
    assert_eq!(answer["total_usd"], "130.5");
}

#[tokio::test]
async fn a_wallet_with_more_than_a_thousand_denoms_is_named_incomplete() {
    let coin = |number: usize| {
        let coin = json!({"amount": "1", "denom": format!("d{number:05}")});
        json!({"total": coin, "spendable": coin, "locked": coin})
    };
    let rows: Vec<Value> = (0..1_050).map(coin).collect();
    let app = TestApp::start().await;
    let target = of_wallet("v3", PLAIN, "/balances");
    for number in 1..=10 {
        let prefix = format!("{target}?count=100&page={number}");
        app.replay
            .answer(&prefix, Canned::json(page_of(&rows, 100, number)));
    }
    let answer = ask(&app, BALANCES, about(PLAIN)).await;
    assert_eq!(
        answer["incomplete"][0]["message"],
        "only the first 1000 rows were read"
    );
    assert_eq!(answer["total_usd"], "0");
}

/// A transaction of the explorer.
fn transaction(number: u64, height: u64) -> Value {
    let status = if number.is_multiple_of(4) {
        "failure"
    } else {
        "success"
    };
    json!({
        "txHash": format!("{number:064x}"),
        "block": height,
        "msg": {"msgCount": 1, "displayMsgType": "send"},
        "time": format!("2025-07-{:02}T12:00:00", 1 + height % 28),
        "fee": nhash("5"),
        "status": status,
    })
}

/// Transactions, newest first, three of each block.
fn history(count: u64) -> Vec<Value> {
    (0..count)
        .rev()
        .map(|it| transaction(it, 100 + it / 3))
        .collect()
}

#[tokio::test]
async fn a_transaction_of_a_wallet_has_its_types_its_fee_and_its_status() {
    let app = TestApp::start().await;
    let answer = ask(&app, TRANSACTIONS, about(PLAIN)).await;
    let row = json!({
        "hash": "D32E53660B19AB32F9FCA25D994FE5BAF241FC1B9E856A6604A9A7302C265694",
        "height": 10143182,
        "time": "2023-03-23T17:29:37.162Z",
        "types": ["instantiate_contract"],
        "fee": nhash("10700000000"),
        "status": "success",
    });
    assert_eq!(answer["transactions"], json!([row]));
}

#[tokio::test]
async fn transactions_come_once_with_any_limit_while_new_ones_arrive() {
    let target = format!("{ADDRESS}{PLAIN}");
    let app = TestApp::start().await;
    serve(&app, &target, "", 100, &history(250));
    // Blocks are complete when they are listed: three transactions arrive at a time.
    let grow = |number: usize| {
        serve(
            &app,
            &target,
            "",
            100,
            &history(252 + 30 * (number as u64).min(3)),
        )
    };
    let hashes = walked(
        &app,
        (TRANSACTIONS, "transactions"),
        about(PLAIN),
        &[20, 7, 200, 1],
        "hash",
        grow,
    )
    .await;
    let expected: Vec<Value> = (0..250u64)
        .rev()
        .map(|it| json!(format!("{it:064X}")))
        .collect();
    assert_eq!(hashes, expected);
}

#[tokio::test]
async fn transactions_are_filtered_by_the_explorer_and_again_here() {
    let target = format!("{ADDRESS}{PLAIN}");
    let app = TestApp::start().await;
    serve(&app, &target, "", 100, &history(60));
    let cases: [(Value, &str, fn(u64) -> bool); 4] = [
        (json!({"status": "failure"}), "&txStatus=FAILURE", |it| {
            it.is_multiple_of(4)
        }),
        (json!({"status": "success"}), "&txStatus=SUCCESS", |it| {
            !it.is_multiple_of(4)
        }),
        (
            json!({"from": "2025-07-20", "to": "2025-07-22"}),
            "&fromDate=2025-07-20&toDate=2025-07-22",
            |it| (19..=21).contains(&((100 + it / 3) % 28)),
        ),
        (json!({"message_type": "send"}), "&msgType=send", |_| true),
    ];
    for (filters, query, kept) in cases {
        app.replay.forget();
        let mut arguments = about(PLAIN);
        arguments
            .as_object_mut()
            .unwrap()
            .extend(filters.as_object().unwrap().clone());
        let hashes = walked(
            &app,
            (TRANSACTIONS, "transactions"),
            arguments,
            &[5, 8],
            "hash",
            |_| (),
        )
        .await;
        let expected: Vec<Value> = (0..60u64)
            .rev()
            .filter(|it| kept(*it))
            .map(|it| json!(format!("{it:064X}")))
            .collect();
        assert_eq!(hashes, expected, "{filters}");
        let seen = app.replay.seen();
        assert!(seen.iter().all(|it| it.ends_with(query)), "{seen:?}");
    }
    let app = TestApp::start().await;
    for (field, bad) in [
        ("from", json!("2025-07-02")),
        ("to", json!("yesterday")),
        ("status", json!("pending")),
        ("message_type", json!("send&page=9")),
    ] {
        let mut arguments = json!({"wallet_address": PLAIN, "to": "2025-07-01"});
        arguments[field] = bad;
        assert_refused(&app, TRANSACTIONS, &arguments, field).await;
    }
}

#[tokio::test]
async fn one_call_reads_at_most_five_pages_of_transactions_and_the_next_continues() {
    let target = format!("{ADDRESS}{PLAIN}");
    let app = TestApp::start().await;
    let rows: Vec<Value> = (0..700u64)
        .rev()
        .map(|it| {
            let mut row = transaction(it * 4 + 1, it);
            if it == 3 {
                row["status"] = json!("failure");
            }
            row
        })
        .collect();
    serve(&app, &target, "&txStatus=FAILURE", 100, &rows);
    let arguments = json!({"wallet_address": PLAIN, "status": "failure"});
    let first = ask(&app, TRANSACTIONS, arguments.clone()).await;
    assert_eq!(first["transactions"], json!([]));
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let mut next = arguments;
    next["cursor"] = first["next_cursor"].clone();
    let second = ask(&app, TRANSACTIONS, next).await;
    assert_eq!(second["transactions"][0]["height"], 3);
    assert_eq!(second["next_cursor"], Value::Null);
    // A liar whose every row is of one block gets an error, not an endless list.
    let rows: Vec<Value> = (0..100).map(|it| transaction(it, 7)).collect();
    let body = json!({"pages": 1_000_000, "results": rows}).to_string();
    let app = answering(&target, Canned::json(body)).await;
    let arguments = json!({"wallet_address": PLAIN, "status": "failure", "limit": 200});
    let first = ask(&app, TRANSACTIONS, arguments.clone()).await;
    let mut next = arguments;
    next["cursor"] = first["next_cursor"].clone();
    let failure = fail(&app, TRANSACTIONS, next).await;
    assert_eq!(failure.detail["kind"], "upstream_invalid_response");
}

#[tokio::test]
async fn ibc_denoms_are_sorted_by_denom_over_all_pages() {
    let app = TestApp::start().await;
    let answer = ask(&app, DENOMS, json!({})).await;
    let row = json!({
        "denom": "ibc/CE5BFF1D9BADA03BB5CCA5F56939392A761B53A10FBD03B37506669C3218D3B2",
        "supply": "1000000",
        "last_transaction_at": "2025-07-20T00:00:00Z",
    });
    assert_eq!(answer["denoms"], json!([row]));
    let rows: Vec<Value> = (0..120)
        .map(|it| json!({"marker": format!("ibc/{:03}", it * 7 % 120), "supply": null}))
        .collect();
    let app = TestApp::start().await;
    serve(&app, "/explorer/api/v2/ibc/denoms", "", 50, &rows);
    let denoms = walked(
        &app,
        (DENOMS, "denoms"),
        json!({}),
        &[50, 9],
        "denom",
        |_| (),
    )
    .await;
    let expected: Vec<Value> = (0..120).map(|it| json!(format!("ibc/{it:03}"))).collect();
    assert_eq!(denoms, expected);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_function_and_its_arguments_and_any_limit_may_follow() {
    let app = TestApp::start().await;
    serve(&app, &format!("{ADDRESS}{PLAIN}"), "", 100, &history(60));
    let mut arguments = json!({"wallet_address": PLAIN, "limit": 5});
    let first = ask(&app, TRANSACTIONS, arguments.clone()).await;
    arguments["cursor"] = first["next_cursor"].clone();
    arguments["limit"] = json!(30);
    let second = ask(&app, TRANSACTIONS, arguments.clone()).await;
    assert_eq!(second["transactions"].as_array().unwrap().len(), 30);
    app.replay.forget();
    for (function, field, value) in [
        (TRANSACTIONS, "status", json!("success")),
        (TRANSACTIONS, "wallet_address", json!(VESTING)),
        (
            TRANSACTIONS,
            "cursor",
            json!(format!("{}A", arguments["cursor"].as_str().unwrap())),
        ),
        (BALANCES, "limit", json!(3)),
        (DELEGATIONS, "limit", json!(3)),
    ] {
        let mut other = arguments.clone();
        other[field] = value;
        assert_refused(&app, function, &other, "cursor").await;
    }
}

#[tokio::test]
async fn fields_select_and_what_says_how_much_there_is_stays() {
    let app = TestApp::start().await;
    let answer = ask(&app, VALIDATORS, json!({"fields": "validators.moniker"})).await;
    let expected = json!({
        "validators": [{"moniker": "figure-0"}],
        "total": 1,
        "incomplete": [],
        "next_cursor": null,
    });
    assert_eq!(answer, expected);
    let failure = fail(
        &app,
        BALANCES,
        json!({"wallet_address": VESTING, "fields": "balances.denon"}),
    )
    .await;
    assert!(failure.message.contains("denom"), "{}", failure.message);
}

#[tokio::test]
async fn impossible_lists_are_an_upstream_failure() {
    let bodies: BTreeMap<&str, (&str, &str)> = BTreeMap::from([
        (
            VALIDATORS,
            (
                "/explorer/api/v3/validators",
                r#"{"results": [{"bondedTokens": {"count": -1}}]}"#,
            ),
        ),
        (
            DENOMS,
            ("/explorer/api/v2/ibc", r#"{"results": [{"supply": 1}]}"#),
        ),
        (TRANSACTIONS, (ADDRESS, r#"{"results": [{"txHash": "a"}]}"#)),
        (
            BALANCES,
            (
                "/explorer/api/v3/accounts",
                r#"{"results": [{"total": {}}]}"#,
            ),
        ),
    ]);
    for (function, (target, body)) in bodies {
        let app = answering(target, Canned::json(body.to_owned())).await;
        let arguments = match function {
            TRANSACTIONS | BALANCES => about(PLAIN),
            _ => json!({}),
        };
        let failure = fail(&app, function, arguments).await;
        assert_eq!(
            failure.detail["kind"], "upstream_invalid_response",
            "{function}"
        );
    }
}
