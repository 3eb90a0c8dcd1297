//! What is prepared of the bundled tools for lists on Lambda.

use bifold::{App, Config, provenance};
use serde_json::json;

use crate::support::TestApp;

const FILE: &str = "src/provenance/prepared.tsv";

const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

async fn started(config: Config) -> TestApp {
    TestApp::of(App::new(config, provenance::server()).unwrap()).await
}

#[tokio::test]
async fn what_is_prepared_of_the_bundled_tools_is_what_they_are() {
    let app = App::new(Config::default(), provenance::server()).unwrap();
    let now = app.registry().prepared();
    let path = format!("{}/{FILE}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BIFOLD_RENEW").is_some_and(|it| it == "1") {
        return std::fs::write(path, now).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == now,
        "write it anew: cargo run -- prepare --file {FILE}"
    );
}

#[tokio::test]
async fn prepared_lists_are_the_same_bytes_in_every_revision() {
    let made = started(Config::default()).await;
    let mut frozen = Config::default();
    frozen.function = Some("frozen".to_owned());
    let prepared = started(frozen).await;
    for version in VERSIONS {
        let list = async |app: &TestApp| app.legacy(version, "tools/list", json!({})).await.text();
        assert_eq!(list(&prepared).await, list(&made).await, "{version}");
    }
    let list = async |app: &TestApp| app.mcp("tools/list", json!({})).await.text();
    assert_eq!(list(&prepared).await, list(&made).await);
}
