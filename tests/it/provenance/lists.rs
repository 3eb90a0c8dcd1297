//! Lists page by page: every row once and in order, with any limit, from upstreams whose pages move meanwhile.

use std::collections::BTreeMap;

use bifold::provenance::replay::{PLAIN, VESTING};
use bifold::testing::Canned;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{about, answering, ask, fail};
use super::transactions::history;
use crate::support::TestApp;

pub const VALIDATORS: &str = "fetch_validators";
pub const DELEGATIONS: &str = "fetch_wallet_delegations";
pub const PROPOSALS: &str = "fetch_governance_proposals";
pub const BALANCES: &str = "fetch_wallet_balances";
pub const TRANSACTIONS: &str = "fetch_wallet_transactions";
const DENOMS: &str = "fetch_ibc_denoms";
pub const ADDRESS: &str = "/explorer/api/v2/txs/address/";

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
pub async fn walked(
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
pub fn page_of(rows: &[Value], count: usize, number: usize) -> String {
    let page = rows.chunks(count).nth(number - 1).unwrap_or_default();
    let pages = rows.len().div_ceil(count);
    json!({"pages": pages, "results": page, "total": rows.len(), "rollupTotals": {}}).to_string()
}

/// Answers all pages of a list of the explorer.
pub fn serve(app: &TestApp, target: &str, query: &str, count: usize, rows: &[Value]) {
    for number in 1..=rows.len().div_ceil(count) + 1 {
        // The `&` behind the number keeps page 1 from answering for page 10.
        let end = if query.is_empty() { "" } else { query };
        let prefix = format!("{target}?count={count}&page={number}{end}");
        app.replay
            .answer(&prefix, Canned::json(page_of(rows, count, number)));
    }
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
