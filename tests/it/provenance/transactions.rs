//! The transactions of a wallet: each once, filtered, and with a bounded number of requests.

use bifold::provenance::replay::PLAIN;
use bifold::testing::Canned;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{about, answering, ask, fail, nhash};
use super::lists::{ADDRESS, TRANSACTIONS, serve, walked};
use crate::support::TestApp;

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
pub fn history(count: u64) -> Vec<Value> {
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
    /// Whether the transaction of a number is one of those that are asked for.
    type Kept = fn(u64) -> bool;
    let cases: [(Value, &str, Kept); 4] = [
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
