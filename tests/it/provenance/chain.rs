//! Blocks, transactions and the state of the chain.

use bifold::provenance::replay::TRANSACTION;
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::aggregates::{losing, lost, without};
use super::arguments::assert_refused;
use super::ask::{answering, ask, ask_raw, fail, nhash};
use crate::support::TestApp;

const BLOCK: &str = "fetch_block";
const TX: &str = "fetch_transaction";
const STATUS: &str = "fetch_chain_status";
const HASH: &str = "92C89D9853A2F5716D2A23633E86835AFAA5D4213580DBEE0844F53767D293C8";

#[tokio::test]
async fn a_block_is_the_same_from_the_explorer_and_the_newest_one_from_the_node() {
    let app = TestApp::start().await;
    let by_height = json!({
        "height": 25000000,
        "hash": HASH,
        "time": "2025-07-22T12:00:04.123Z",
        "proposer_address": "pbvaloper1aaaa",
        "proposer_moniker": "figure-0",
        "tx_count": 3,
    });
    assert_eq!(
        ask(&app, BLOCK, json!({"height": "25000000"})).await,
        by_height
    );
    let newest = json!({
        "height": 25000000,
        "hash": HASH,
        "time": "2025-07-22T12:00:04.123456789Z",
        "proposer_address": "pbvalcons104vrf5v4a9wn7ks2v2qykw7jzw9zt77tnzxyn9",
        "proposer_moniker": null,
        "tx_count": 0,
    });
    assert_eq!(ask(&app, BLOCK, json!({"height": "latest"})).await, newest);
    let mut seen = app.replay.seen();
    seen.dedup();
    let targets = [
        "/explorer/api/v2/blocks/height/25000000",
        "/lcd/cosmos/base/tendermint/v1beta1/blocks/latest",
    ];
    assert_eq!(seen, targets);
}

#[tokio::test]
async fn a_height_above_that_of_the_chain_is_not_found() {
    let app = TestApp::start().await;
    let failure = fail(&app, BLOCK, json!({"height": "25000001"})).await;
    assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
    assert_eq!(failure.message, "the chain has no block 25000001 yet");
    let other = recorded!("explorer_v2_blocks_height");
    for canned in [Canned::status(400, "text/plain", "no"), Canned::json(other)] {
        let app = answering("/explorer/api/v2/blocks", canned).await;
        let failure = fail(&app, BLOCK, json!({"height": "999999999999999999"})).await;
        assert_eq!(failure.detail["kind"], "not_found");
    }
}

#[tokio::test]
async fn a_height_is_a_whole_number_from_1_or_the_latest() {
    let app = TestApp::start().await;
    for bad in [
        json!("0"),
        json!("-1"),
        json!("1.5"),
        json!("01"),
        json!("LATEST"),
        json!("newest"),
        json!(" 1"),
        json!("1000000000000000000"),
        json!("1?x=1"),
        json!("../recent"),
    ] {
        assert_refused(&app, BLOCK, &json!({"height": bad}), "height").await;
    }
}

#[tokio::test]
async fn a_block_of_a_strange_node_keeps_what_it_says() {
    let block = r#"{"block_id": {"hash": "abc"}, "block": {"header": {"height": 36893488147419103232, "proposer_address": "??"}}}"#;
    let app = answering("/lcd/cosmos/base", Canned::json(block)).await;
    let text = ask_raw(&app, BLOCK, &json!({"height": "latest"})).await;
    assert_eq!(
        text,
        r#"{"height":36893488147419103232,"hash":"ABC","time":null,"proposer_address":"??","proposer_moniker":null,"tx_count":null}"#
    );
    for canned in [
        Canned::json("{}"),
        Canned::json(r#"{"block": {"header": {"height": "-1"}}}"#),
    ] {
        let app = answering("/lcd/cosmos/base", canned).await;
        let failure = fail(&app, BLOCK, json!({"height": "latest"})).await;
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    }
    let app = answering("/lcd/cosmos/base", Canned::status(404, "", "")).await;
    let failure = fail(&app, BLOCK, json!({"height": "latest"})).await;
    assert_eq!(failure.detail["kind"], "upstream_error");
}

fn about_tx() -> Value {
    json!({"tx_hash": TRANSACTION})
}

fn tx_target(rest: &str) -> String {
    format!("/explorer/api/v2/txs/{TRANSACTION}{rest}")
}

#[tokio::test]
async fn a_transaction_has_its_fee_its_messages_and_its_events_by_type() {
    let app = TestApp::start().await;
    let expected = json!({
        "hash": TRANSACTION,
        "status": "success",
        "height": 10037864,
        "time": "2023-03-16T17:05:27.529586273Z",
        "fee": nhash("107620000000"),
        "gas": {"used": 237957, "wanted": 4000000},
        "memo": "",
        "signers": ["pb1rjjcdl5tx422krdd2qzpxauhqafcntanysle7g"],
        "messages": ["add_marker"],
        "error": null,
        "events": [
            {"type": "coin_spent", "count": 1},
            {"type": "provenance.marker.v1.EventMarkerAdd", "count": 1},
            {"type": "tx", "count": 1},
        ],
        "incomplete": [],
    });
    assert_eq!(ask(&app, TX, about_tx()).await, expected);
    let lower = json!({"tx_hash": TRANSACTION.to_lowercase()});
    assert_eq!(ask(&app, TX, lower).await, expected);
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [tx_target(""), tx_target("/msgs?count=200&page=1")]);
}

#[tokio::test]
async fn all_events_are_given_with_their_attributes_on_request() {
    let app = TestApp::start().await;
    let answer = ask(&app, TX, json!({"tx_hash": TRANSACTION, "events": true})).await;
    let spent = json!({
        "type": "coin_spent",
        "count": 1,
        "attributes": [
            {"key": "spender", "value": "pb1rjjcdl5tx422krdd2qzpxauhqafcntanysle7g"},
            {"key": "amount", "value": "7620000000nhash"},
        ],
    });
    assert_eq!(answer["events"][0], spent);
    assert_eq!(answer["events"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_failed_transaction_has_its_error_and_a_cut_or_failed_list_of_messages_is_named() {
    let body = json!({
        "status": "FAILURE", "height": "5", "errorCode": 11, "codespace": "sdk", "errorLog": "out of gas",
        "events": [{"type": "tx"}, {"type": "tx", "attributes": null}, {}],
    });
    let app = answering(&tx_target(""), Canned::json(body.to_string())).await;
    let messages = r#"{"results": [{"type": "send"}, {}], "total": 201}"#;
    app.replay
        .answer(&tx_target("/msgs"), Canned::json(messages));
    let answer = ask(&app, TX, about_tx()).await;
    assert_eq!(answer["status"], "failure");
    assert_eq!(
        answer["error"],
        json!({"code": 11, "codespace": "sdk", "log": "out of gas"})
    );
    assert_eq!(answer["fee"], nhash("0"));
    assert_eq!(
        answer["events"],
        json!([{"type": "", "count": 1}, {"type": "tx", "count": 2}])
    );
    assert_eq!(answer["messages"], json!(["send", ""]));
    assert_eq!(answer["incomplete"][0]["part"], "messages");
    app.replay
        .answer(&tx_target("/msgs"), Canned::status(500, "", ""));
    let full = ask(&TestApp::start().await, TX, about_tx()).await;
    let app = losing(&[tx_target("/msgs")]).await;
    let expected = without(&full, &["/messages"], json!([lost("messages", "explorer")]));
    assert_eq!(ask(&app, TX, about_tx()).await, expected);
}

#[tokio::test]
async fn an_unknown_transaction_is_not_found_and_an_impossible_one_is_an_upstream_failure() {
    let app = TestApp::start().await;
    let failure = fail(&app, TX, json!({"tx_hash": "A".repeat(64)})).await;
    assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
    let most = u128::MAX.to_string();
    let fee =
        json!({"fees": [{"amount": most, "denom": "nhash"}, {"amount": most, "denom": "nhash"}]});
    for body in [
        json!({}),
        json!([]),
        json!({"status": "success", "fee": [fee]}),
    ] {
        let app = answering(&tx_target(""), Canned::json(body.to_string())).await;
        let failure = fail(&app, TX, about_tx()).await;
        assert_eq!(
            failure.detail["kind"], "upstream_invalid_response",
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_hash_has_64_hexadecimal_digits() {
    let app = TestApp::start().await;
    for bad in [
        &"A".repeat(63),
        &"A".repeat(65),
        &"G".repeat(64),
        &format!("0x{}", "A".repeat(62)),
        &format!("{}é", "A".repeat(62)),
    ] {
        assert_refused(&app, TX, &json!({"tx_hash": bad}), "tx_hash").await;
    }
}

#[tokio::test]
async fn the_state_of_the_chain_is_read_with_six_requests() {
    let app = TestApp::start().await;
    let expected = json!({
        "chain_id": "pio-mainnet-1",
        "height": 25000000,
        "block_time": "2025-07-22T12:00:04.123456789Z",
        "seconds_behind": 10281596,
        "is_syncing": false,
        "bonded_ratio": "0.99999923",
        "bonded_tokens": nhash("15988028779719272091"),
        "not_bonded_tokens": nhash("12345000000000"),
        "inflation": "0.000000000000000000",
        "node_version": "v1.30.0",
        "gas": {"delegate": 182004, "send": 81304},
        "incomplete": [],
    });
    assert_eq!(ask(&app, STATUS, json!({})).await, expected);
    let mut seen = app.replay.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(
        seen[0].ends_with("/gas/stats?fromDate=2025-11-17&toDate=2025-11-18"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_missing_part_of_the_state_is_named_and_null() {
    let full = ask(&TestApp::start().await, STATUS, json!({})).await;
    let base = "/lcd/cosmos/base/tendermint/v1beta1";
    let blocks = format!("{base}/blocks");
    let node = format!("{base}/node_info");
    let sync = format!("{base}/syncing");
    for (target, part, upstream, places) in [
        (
            blocks.as_str(),
            "block",
            "lcd",
            &["/height", "/block_time", "/seconds_behind"][..],
        ),
        (&node, "node", "lcd", &["/node_version"]),
        (&sync, "sync", "lcd", &["/is_syncing"]),
        (
            "/lcd/cosmos/staking",
            "pool",
            "lcd",
            &["/bonded_ratio", "/bonded_tokens", "/not_bonded_tokens"],
        ),
        ("/lcd/cosmos/mint", "inflation", "lcd", &["/inflation"]),
        ("/explorer/", "gas", "explorer", &["/gas"]),
    ] {
        let app = losing(&[target]).await;
        let expected = without(&full, places, json!([lost(part, upstream)]));
        assert_eq!(ask(&app, STATUS, json!({})).await, expected);
    }
    let app = losing(&["/"]).await;
    assert_eq!(
        fail(&app, STATUS, json!({})).await.detail["kind"],
        "upstream_error"
    );
}
