//! The public contract: committed snapshots, portable schemas, and what is refused at start.

mod portable;
mod public;
mod registration;
mod schemas;
mod settings;

use serde_json::{Value, json};

use crate::support::TestApp;

/// Set to 1, this writes the snapshots instead of comparing them.
const RENEW: &str = "BIFOLD_RENEW";

/// Shows `see` the value and every value inside it.
pub fn walk<'v>(value: &'v Value, see: &mut impl FnMut(&'v Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|it| walk(it, see)),
        Value::Object(fields) => fields.values().for_each(|it| walk(it, see)),
        _ => {}
    }
}

/// Compares the value with the committed one of that name, and says where they part.
pub fn assert_snapshot(name: &str, value: &Value) {
    let path = format!(
        "{}/tests/it/snapshots/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = format!("{value:#}\n");
    if std::env::var_os(RENEW).is_some_and(|it| it == "1") {
        return std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = committed.lines().zip(text.lines());
    let parted = lines.position(|(committed, now)| committed != now);
    let line = parted.unwrap_or_else(|| committed.lines().count().min(text.lines().count())) + 1;
    assert!(
        committed == text,
        "the public contract changed, first in line {line} of {path}.\n\
         If that is meant, renew the snapshot with `{RENEW}=1 cargo test --test it` and commit it."
    );
}

#[tokio::test]
async fn the_tools_are_those_that_were_committed() {
    let app = TestApp::start().await;
    let mut list = app.mcp("tools/list", json!({})).await.json();
    assert_snapshot("tools_list", &list["result"]["tools"].take());
}

#[tokio::test]
async fn the_rest_api_is_the_one_that_was_committed() {
    let app = TestApp::start().await;
    let mut document = app.get("/openapi.json").await.json();
    // A release alone changes nothing of the contract.
    document["info"]["version"] = json!("0.0.0");
    assert_snapshot("openapi", &document);
}
