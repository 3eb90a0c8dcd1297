//! Committed snapshots of what clients see.

use serde_json::{Value, json};

use crate::support::TestApp;

/// Set to 1, this writes the snapshots instead of comparing them.
const RENEW: &str = "BIFOLD_RENEW";

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
async fn the_tools_match_the_committed_snapshot() {
    let app = TestApp::start().await;
    let mut list = app.mcp("tools/list", json!({})).await.json();
    assert_snapshot("tools_list", &list["result"]["tools"].take());
}

/// What an agent reads before its first call.
#[tokio::test]
async fn the_list_of_tools_stays_under_60_kilobytes() {
    let app = TestApp::start().await;
    let list = app.mcp("tools/list", json!({})).await;
    let tools = list.json()["result"]["tools"].as_array().unwrap().len();
    assert_eq!(tools, 38);
    let bytes = list.body.len();
    assert!(bytes < 60_000, "{bytes} bytes");
}

#[tokio::test]
async fn the_rest_api_matches_the_committed_snapshot() {
    let app = TestApp::start().await;
    let mut document = app.get("/openapi.json").await.json();
    // A new version alone does not change the contract.
    document["info"]["version"] = json!("0.0.0");
    assert_snapshot("openapi", &document);
}
