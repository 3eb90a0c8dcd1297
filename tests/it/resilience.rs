//! Failures of upstreams and of functions are typed, in time, and the same on every protocol.

mod body;
mod classes;
mod connection;
mod heal;
mod late;
pub mod raw;
mod status;
mod time;
mod tool;

use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use serde_json::json;

use crate::provenance::ask::{Failure, about, answering, fail, of_wallet};

const ACCOUNT: &str = "fetch_account_info";
const STATISTICS: &str = "fetch_current_hash_statistics";
/// A body of the explorer that is sufficient for an account.
const GOOD: &str = r#"{"accountType": "Base Account"}"#;

/// The failure of an account if the explorer answers with `canned`.
async fn failing(canned: Canned) -> Failure {
    let app = answering(&of_wallet("v2", VESTING, ""), canned).await;
    fail(&app, ACCOUNT, about(VESTING)).await
}

/// Checks the kind of the explorer's failure, its status on REST, and the upstream's status.
fn assert_is(failure: &Failure, kind: &str, rest: u16, status: Option<u16>, retryable: bool) {
    let mut upstream = json!({"name": "explorer"});
    if let Some(status) = status {
        upstream["status"] = json!(status);
    }
    let detail = json!({"kind": kind, "upstream": upstream, "retryable": retryable});
    assert_eq!(failure.detail, detail, "{failure:?}");
    assert_eq!(failure.status.unwrap(), rest, "{failure:?}");
    assert!(failure.message.starts_with("upstream `explorer` "));
}
