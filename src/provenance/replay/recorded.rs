//! Selects the recorded body for a request; each upstream refuses unknown requests in its own way.

use serde_json::Value;

use super::{chain, wallets};
use crate::testing::Canned;

const MARKETS: &str = include_str!("recorded/fm_markets_uat_2026-10-02.json");
const ASSETS: &str = include_str!("recorded/fm_assets.json");
const TRADES: &str = include_str!("recorded/fm_trades_HASH-USD_size2.json");
const NO_TRADES: &str = include_str!("recorded/fm_trades_empty.json");
const NO_MARKET: &str = include_str!("recorded/fm_err_404_market.json");
const NO_PATH: &str = include_str!("recorded/fm_err_404_path.json");
const CANDLES: &str = include_str!("recorded/fm_candles_HASH-USD_1440.json");
const ORDER_BOOK: &str = include_str!("recorded/fm_orderbook_HASH-USD.json");
/// What the exchange has of markets that never traded.
const NO_CANDLES: &str = r#"{"symbol":"HASH-USD","matchHistoryData":[]}"#;
const NO_ORDERS: &str = r#"{"timestamp":"2025-07-20T22:02:11.638493000Z","asks":[],"bids":[]}"#;
const NO_BOOK: &str = r#"{"errors":["No market for NOPE-USD"]}"#;
const MARKET_NOT_FOUND: &str = r#"{"code":5,"message":"market not found","details":[]}"#;
const NOT_IMPLEMENTED: &str = include_str!("recorded/lcd_501_unknown_path.json");
const INVALID_ACCOUNT: &str = include_str!("recorded/lcd_400_invalid_account.json");

/// The response to a target such as `/explorer/api/v3/utility_token/stats`.
pub(super) fn answer(target: &str) -> Canned {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["explorer", rest @ ..] => explorer(rest),
        ["lcd", rest @ ..] => lcd(rest),
        ["exchange", rest @ ..] => exchange(rest, query),
        _ => Canned::status(404, "text/plain", "there is no recording of this upstream"),
    }
}

/// The explorer answers unknown paths and invalid addresses with an empty 404.
fn explorer(path: &[&str]) -> Canned {
    let unknown = || Canned::status(404, "", "");
    if let Some(body) = chain::explorer(path) {
        return Canned::json(body);
    }
    let (
        [
            "api",
            version @ ("v2" | "v3"),
            "accounts",
            address,
            rest @ ..,
        ],
        true,
    ) = (path, path.len() > 3)
    else {
        return unknown();
    };
    let Some(wallet) = wallets::find(address) else {
        return unknown();
    };
    let body = match (*version, rest) {
        ("v2", []) => wallet.account(),
        ("v2", ["delegations"]) => wallet.delegations.into(),
        ("v2", ["rewards"]) => wallet.rewards.into(),
        ("v2", ["unbonding"]) => wallet.unbonding.into(),
        ("v2", ["redelegations"]) => wallet.redelegations.into(),
        ("v2", ["balances"]) => wallet.balances.into(),
        ("v3", ["balances"]) => wallet.priced_balances.into(),
        ("v3", ["balances", "utility_token"]) => wallet.utility_token.into(),
        ("v3", ["vesting"]) => match wallet.vesting {
            Some(schedule) => schedule.into(),
            None => return unknown(),
        },
        _ => return unknown(),
    };
    Canned::json(wallets::addressed(body, address))
}

/// The node answers an invalid address with 400, and an unknown path with 501.
fn lcd(path: &[&str]) -> Canned {
    match path {
        [
            "provenance",
            "exchange",
            "v1",
            "commitments",
            "account",
            address,
        ] => match wallets::find(address) {
            Some(wallet) => Canned::json(wallet.commitments),
            None => Canned::status(400, "application/json", INVALID_ACCOUNT),
        },
        ["provenance", "exchange", "v1", "market", _] => {
            Canned::status(404, "application/json", MARKET_NOT_FOUND)
        }
        path => match chain::lcd(path) {
            Some(body) => Canned::json(body),
            None => Canned::status(501, "application/json", NOT_IMPLEMENTED),
        },
    }
}

fn exchange(path: &[&str], query: &str) -> Canned {
    match path {
        ["markets"] => Canned::json(MARKETS),
        ["assets"] => Canned::json(ASSETS),
        ["markets", "HASH-USD", "candles"] => Canned::json(CANDLES),
        ["markets", "HASH-USD", "orderbook"] => Canned::json(ORDER_BOOK),
        ["markets", symbol, "candles"] if is_listed(symbol) => {
            Canned::json(NO_CANDLES.replace("HASH-USD", symbol))
        }
        ["markets", symbol, "orderbook"] if is_listed(symbol) => Canned::json(NO_ORDERS),
        ["markets", symbol, "candles" | "orderbook"] => {
            Canned::status(404, "application/json", NO_BOOK.replace("NOPE-USD", symbol))
        }
        ["trades", "HASH-USD"] => Canned::json(newest(query)),
        ["trades", symbol] if is_listed(symbol) => {
            Canned::json(NO_TRADES.replace("FIGR_HELOC-USD", symbol))
        }
        ["trades", _] => Canned::status(404, "application/json", NO_MARKET),
        _ => Canned::status(404, "application/json", NO_PATH),
    }
}

fn is_listed(symbol: &str) -> bool {
    MARKETS.contains(&format!("\"symbol\": \"{symbol}\""))
}

/// The recorded trades, at most as many as `size` requests.
fn newest(query: &str) -> String {
    let size = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("size=")?.parse().ok())
        .unwrap_or(25);
    let mut list: Value = serde_json::from_str(TRADES).expect("the recorded trades are JSON");
    if let Some(trades) = list["matches"].as_array_mut() {
        trades.truncate(size);
    }
    list.to_string()
}
