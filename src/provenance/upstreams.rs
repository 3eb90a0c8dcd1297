//! The upstreams of the bundled functions: their limits, how long their responses stay in the cache, their path classes.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Result;
use crate::upstream::{CachePolicy, Upstream};

/// The Provenance explorer's API.
pub(super) const EXPLORER: Upstream =
    Upstream::new("explorer", "https://service-explorer.provenance.io")
        .in_flight(4)
        .cache(cache_explorer)
        .classes(class_of_explorer);

/// A Provenance node's REST API, which accepts about thirty requests per minute.
pub(super) const LCD: Upstream = Upstream::new("lcd", "https://api.provenance.io")
    .rate(5, Duration::from_secs(2))
    .cache(cache_lcd)
    .classes(class_of_lcd);

/// The Figure Markets exchange's public API, which accepts fifty requests per minute, ten of them at once.
pub(super) const EXCHANGE: Upstream = Upstream::new(
    "exchange",
    "https://www.figuremarkets.com/service-hft-exchange/api/v1",
)
.rate(10, Duration::from_millis(1500))
.cache(cache_exchange)
.classes(class_of_exchange);

/// Cached data of a wallet, in seconds: fresh, and then usable if its upstream fails.
const WALLET: CachePolicy = CachePolicy::seconds(20, 300);
/// Data that never changes.
const FINAL: CachePolicy = CachePolicy::seconds(30 * 86_400, 0);

/// Reads JSON from the explorer, as one of several requests at once.
pub(super) async fn explorer<T: DeserializeOwned>(cx: &Context, path: &str) -> Result<T> {
    cx.get_json(&EXPLORER, path).await
}

/// Reads JSON from the node, as one of several requests at once.
pub(super) async fn lcd<T: DeserializeOwned>(cx: &Context, path: &str) -> Result<T> {
    cx.get_json(&LCD, path).await
}

fn cache_explorer(path: &str) -> CachePolicy {
    match path {
        _ if path.contains("/vesting") => CachePolicy::seconds(3_600, 86_400),
        _ if path.contains("/accounts/") => WALLET,
        _ if path.starts_with("/api/v2/blocks/height/") || is_transaction(path) => FINAL,
        _ => CachePolicy::seconds(60, 3_600),
    }
}

/// Whether the path is a transaction; the lists beside it change with every block.
fn is_transaction(path: &str) -> bool {
    let rest = path.strip_prefix("/api/v2/txs/").unwrap_or("");
    let hash = rest.split(['/', '?']).next().unwrap_or("");
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn cache_lcd(path: &str) -> CachePolicy {
    match path {
        _ if path.starts_with("/cosmos/tx/v1beta1/txs/") => FINAL,
        // There is a new block every four seconds.
        _ if path.ends_with("/blocks/latest") || path.ends_with("/syncing") => {
            CachePolicy::seconds(4, 300)
        }
        _ if path.starts_with("/provenance/flatfees/") => CachePolicy::seconds(60, 3_600),
        _ => WALLET,
    }
}

fn cache_exchange(path: &str) -> CachePolicy {
    match path {
        _ if path.starts_with("/assets") => CachePolicy::seconds(3_600, 86_400),
        _ => CachePolicy::seconds(10, 300),
    }
}

/// The explorer computes each part of a wallet from another source, and each source can be slow by itself.
fn class_of_explorer(path: &str) -> &'static str {
    const PARTS: [&str; 6] = [
        "vesting",
        "delegations",
        "rewards",
        "unbonding",
        "redelegations",
        "balances",
    ];
    let path = path.split('?').next().unwrap_or(path);
    let rest = path.split_once("/accounts/").map(|it| it.1);
    match rest.map(|it| it.split_once('/').map_or("", |it| it.1)) {
        Some("") => "account",
        Some("balances/utility_token") => "utility_token_balance",
        Some(part) => PARTS.into_iter().find(|it| *it == part).unwrap_or("part"),
        None if path.ends_with("/utility_token/stats") => "statistics",
        None => class_of_chain(path),
    }
}

/// Each kind of data that is not of a wallet by itself.
fn class_of_chain(path: &str) -> &'static str {
    const KINDS: [&str; 6] = ["validators", "gov", "blocks", "txs", "ibc", "utility_token"];
    let kind = path.split('/').nth(3).unwrap_or("");
    KINDS.into_iter().find(|it| *it == kind).unwrap_or("other")
}

fn class_of_lcd(path: &str) -> &'static str {
    match path {
        _ if path.starts_with("/provenance/exchange/v1/commitments/market/") => "market",
        _ if path.starts_with("/provenance/exchange/") => "commitments",
        _ if path.starts_with("/provenance/flatfees/") => "fees",
        _ if path.ends_with("/blocks/latest") => "blocks",
        _ => "other",
    }
}

fn class_of_exchange(path: &str) -> &'static str {
    match path {
        _ if path.starts_with("/trades/") => "trades",
        _ if path.contains("/candles") => "candles",
        _ if path.contains("/orderbook") => "orderbook",
        _ if path.starts_with("/markets") => "markets",
        _ if path.starts_with("/assets") => "assets",
        _ => "other",
    }
}
