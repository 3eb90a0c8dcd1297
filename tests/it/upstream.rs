//! Between functions and upstreams: shared requests, cached answers, limits and breakers.

mod cache;
mod channel;
mod fair;
mod freshness;
mod single_flight;

mod once;

use std::time::Duration;

use bifold::testing::Canned;
use bifold::testing::Fault;
use serde_json::json;

use crate::support::{Answer, pass};

const STATS: &str = "/api/current_hash_statistics";

const STATS_UPSTREAM: &str = "/explorer/api/v3/utility_token/stats";

/// The statistics are fresh for a minute, and usable as a stale answer for an hour more.
const FRESH: Duration = Duration::from_secs(60);

const STALE: Duration = Duration::from_secs(3_600);

fn failing() -> Canned {
    Canned::status(500, "text/plain", "down")
}

fn stats(max_supply: &str) -> Canned {
    let coin = |amount: &str| json!({ "amount": amount, "denom": "nhash" });
    let body = json!({
        "maxSupply": coin(max_supply), "currentSupply": coin("10"), "circulation": coin("1"),
        "communityPool": coin("1"), "bonded": coin("1"), "burned": coin("0"),
    });
    Canned::json(body.to_string())
}

fn max_supply(answer: &Answer) -> String {
    answer.json()["maxSupply"]["amount"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The number after `key` in a header; the duration of the test may reduce it by one second.
fn seconds(answer: &Answer, header: &str, key: &str) -> i64 {
    let text = answer.header(header);
    let number = text.split_once(key).map(|it| it.1);
    number
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("`{header}: {text}` has no `{key}`"))
}

fn late_account(ms: u64) -> Canned {
    Canned::json(r#"{"accountType": "Base Account"}"#)
        .fault(Fault::Delay(Duration::from_millis(ms)))
}
