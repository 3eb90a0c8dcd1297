//! Markets, trades, assets and HASH statistics: correct rows and prices.

use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{answering, ask, fail, nhash};
use crate::support::TestApp;

const PRICE: &str = "fetch_last_crypto_token_price";
const TRADES: &str = recorded!("fm_trades_HASH-USD_2025-07-20");

/// The symbols of the rows in which `field` is not null.
fn with(markets: &Value, field: &str) -> Vec<String> {
    let rows = markets["markets"].as_array().unwrap().iter();
    rows.filter(|row| !row[field].is_null())
        .map(|row| row["symbol"].as_str().unwrap().to_owned())
        .collect()
}

fn row<'a>(markets: &'a Value, symbol: &str) -> &'a Value {
    let rows = markets["markets"].as_array().unwrap();
    rows.iter().find(|row| row["symbol"] == symbol).unwrap()
}

fn ids(price: &Value) -> Vec<&str> {
    let trades = price["trades"].as_array().unwrap().iter();
    trades.map(|trade| trade["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_market_is_listed_with_all_its_data() {
    let app = TestApp::start().await;
    let markets = ask(&app, "fetch_current_fm_data", json!({})).await;
    assert_eq!(markets["total"], 16);
    assert_eq!(with(&markets, "symbol").len(), 16);
    assert_eq!(with(&markets, "status").len(), 16);
    let bids = ["HASH-USD", "USDC-USD", "HASH-USDC", "FGRS-YLDS"];
    assert_eq!(with(&markets, "best_bid"), bids);
    assert_eq!(with(&markets, "best_ask"), [bids[0], bids[2], bids[3]]);
    let expected = json!({
        "symbol": "FIGR_HELOC-USD",
        "display_name": "FIGR_HELOC-USD",
        "base_denom": "FIGR_HELOC",
        "quote_denom": "USD",
        "best_bid": null,
        "best_ask": null,
        "mid_price": "1.0599000",
        "last_traded_price": "1.059900000100000000",
        "price_change_24h": "0.000000000000000000",
        "percentage_change_24h": "0.000000",
        "volume_24h": "242099.369104841718000000",
        "base_volume_24h": "228417.180000000000000000",
        "high_24h": "1.0599000",
        "low_24h": "1.0599000",
        "trade_count_24h": 1,
        "market_type": "CONNECT",
        "status": "OPEN",
    });
    assert_eq!(*row(&markets, "FIGR_HELOC-USD"), expected);
    assert_eq!(row(&markets, "YLDS-USD-2F")["display_name"], "YLDS-USD");
}

#[tokio::test]
async fn a_market_that_never_traded_has_no_last_price() {
    let app = TestApp::start().await;
    let markets = ask(&app, "fetch_current_fm_data", json!({})).await;
    for symbol in ["USDC-USD", "USDT-USD", "USDC-USDT"] {
        assert!(row(&markets, symbol)["last_traded_price"].is_null());
    }
    assert_eq!(with(&markets, "last_traded_price").len(), 13);
}

#[tokio::test]
async fn a_percentage_is_a_plain_decimal_string() {
    let app = TestApp::start().await;
    let markets = ask(&app, "fetch_current_fm_data", json!({})).await;
    for (symbol, percentage) in [
        ("HASH-USD", "-0.050000"),
        ("USDC-USD", "-0.000008"),
        ("HASH-USDC", "0.111111"),
    ] {
        assert_eq!(row(&markets, symbol)["percentage_change_24h"], percentage);
    }
}

#[tokio::test]
async fn markets_of_2025_have_neither_status_nor_fees() {
    let body = Canned::json(recorded!("fm_markets_2025-06-05"));
    let app = answering("/exchange/markets", body).await;
    let markets = ask(&app, "fetch_current_fm_data", json!({})).await;
    assert_eq!(markets["total"], 3);
    assert_eq!(with(&markets, "symbol"), ["BTC-USD", "ETH-USD", "HASH-USD"]);
    assert_eq!(with(&markets, "best_bid").len(), 3);
    assert!(with(&markets, "status").is_empty());
}

#[tokio::test]
async fn the_last_price_is_that_of_the_newest_trade() {
    let app = TestApp::start().await;
    let newest = json!({
        "id": "347D8T40020E",
        "price": "0.024",
        "quantity": "30889.599",
        "created": "2025-06-05T16:59:38.975344995Z",
    });
    let older = json!({
        "id": "347A322G820E",
        "price": "0.025",
        "quantity": "400",
        "created": "2025-06-05T16:50:12.459384564Z",
    });
    for (arguments, trades) in [
        (json!({}), json!([newest])),
        (json!({"token_pair": "HASH-USD"}), json!([newest])),
        (json!({"last_number_of_trades": 2}), json!([newest, older])),
        (
            json!({"token_pair": "HASH-USD", "last_number_of_trades": 200}),
            json!([newest, older]),
        ),
    ] {
        let expected = json!({"token_pair": "HASH-USD", "last_price": "0.024", "trades": trades});
        assert_eq!(ask(&app, PRICE, arguments).await, expected);
    }
    let mut seen = app.replay.seen();
    seen.dedup();
    let asked = [1, 2, 200].map(|size| format!("/exchange/trades/HASH-USD?size={size}"));
    assert_eq!(seen, asked);
}

#[tokio::test]
async fn trades_are_newest_first_without_repetition_and_at_most_as_many_as_requested() {
    let mut body: Value = serde_json::from_str(TRADES).unwrap();
    let matches = body["matches"].as_array_mut().unwrap();
    let recorded = ids_of(matches);
    // A page that was requested during trading: the oldest first, and two rows twice.
    matches.push(matches[1].clone());
    matches.push(matches[4].clone());
    matches.reverse();
    let app = answering("/exchange/trades/HASH-USD", Canned::json(body.to_string())).await;
    for count in [1, 2, 4, 5, 10] {
        let answer = ask(&app, PRICE, json!({"last_number_of_trades": count})).await;
        let trades = answer["trades"].as_array().unwrap();
        assert_eq!(trades.len(), count.min(5));
        assert_eq!(answer["last_price"], trades[0]["price"]);
        let times: Vec<_> = trades.iter().map(|it| it["created"].as_str()).collect();
        assert!(
            times.is_sorted_by(|newer, older| newer >= older),
            "{times:?}"
        );
        let mut unique = ids(&answer);
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), count.min(5));
        assert!(unique.iter().all(|id| recorded.iter().any(|it| it == id)));
    }
}

fn ids_of(matches: &[Value]) -> Vec<String> {
    let ids = matches.iter().map(|it| it["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn two_fills_at_the_same_time_are_two_trades_in_their_order() {
    let app = answering("/exchange/trades/HASH-USD", Canned::json(TRADES)).await;
    let answer = ask(&app, PRICE, json!({"last_number_of_trades": 5})).await;
    let body: Value = serde_json::from_str(TRADES).unwrap();
    assert_eq!(ids(&answer), ids_of(body["matches"].as_array().unwrap()));
    assert_eq!(answer["last_price"], "0.027");
    assert_eq!(answer["trades"][2]["quantity"], "7374.0");
}

#[tokio::test]
async fn a_pair_that_never_traded_has_no_last_price() {
    let app = TestApp::start().await;
    let answer = ask(&app, PRICE, json!({"token_pair": "FIGR_HELOC-USD"})).await;
    let expected = json!({"token_pair": "FIGR_HELOC-USD", "last_price": null, "trades": []});
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn an_unknown_pair_is_not_found_and_a_similar_pair_is_suggested() {
    let app = TestApp::start().await;
    for (pair, near) in [
        ("HASH-USDX", Some("`HASH-USD`")),
        ("hash-usd", Some("`HASH-USD`")),
        ("Figr_Heloc-Usd", Some("`FIGR_HELOC-USD`")),
        ("QQQ-ZZZ", None),
    ] {
        let failure = fail(&app, PRICE, json!({"token_pair": pair})).await;
        assert_eq!(failure.status, Some(StatusCode::NOT_FOUND));
        assert_eq!(failure.detail["kind"], "not_found");
        assert!(failure.message.contains(pair), "{}", failure.message);
        match near {
            Some(name) => assert!(failure.message.contains(name), "{}", failure.message),
            None => assert!(!failure.message.contains("mean"), "{}", failure.message),
        }
    }
}

#[tokio::test]
async fn an_unknown_pair_is_not_found_also_without_the_list_of_markets() {
    let app = answering("/exchange/markets", Canned::status(500, "", "")).await;
    let failure = fail(&app, PRICE, json!({"token_pair": "hash-usd"})).await;
    assert_eq!(failure.detail["kind"], "not_found");
}

#[tokio::test]
async fn every_asset_is_listed_with_all_its_data() {
    let app = TestApp::start().await;
    let answer = ask(&app, "fetch_figure_markets_assets_info", json!({})).await;
    let assets = answer["assets"].as_array().unwrap();
    assert_eq!(assets.len(), 5);
    let expected = json!({
        "asset_name": "HASH",
        "asset_display_name": "HASH",
        "asset_description": "<long text>",
        "asset_type": "CRYPTO",
        "asset_exponent": 9,
        "asset_denom": "nhash",
    });
    assert_eq!(assets[1], expected);
}

#[tokio::test]
async fn a_missing_field_of_an_asset_is_null_and_the_others_are_kept() {
    let body = Canned::json(recorded!("fm_assets_missing_fields"));
    let app = answering("/exchange/assets", body).await;
    let answer = ask(&app, "fetch_figure_markets_assets_info", json!({})).await;
    assert_eq!(answer["assets"].as_array().unwrap().len(), 2);
    assert_eq!(answer["assets"][0]["asset_denom"], "nbtc.figure.se");
    let expected = json!({
        "asset_name": "FUTURE",
        "asset_display_name": "Future asset",
        "asset_description": null,
        "asset_type": "FUND",
        "asset_exponent": 6,
        "asset_denom": null,
    });
    assert_eq!(answer["assets"][1], expected);
}

#[tokio::test]
async fn the_statistics_of_hash_name_every_part_of_the_supply() {
    let app = TestApp::start().await;
    let expected = json!({
        "maxSupply": nhash("100000000000000000000"),
        "currentSupply": nhash("99978477857646380000"),
        "circulation": nhash("51267390679232227090"),
        "communityPool": nhash("20233210917201848"),
        "bonded": nhash("15988028779719272091"),
        "burned": nhash("21522142353620000"),
        "locked": nhash("32702825187777678971"),
        "not_in_circulation": nhash("48711087178414152910"),
        "bonded_share_of_supply": "0.15991470",
    });
    let answer = ask(&app, "fetch_current_hash_statistics", json!({})).await;
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn parts_larger_than_the_supply_are_an_upstream_failure() {
    let stats = recorded!("explorer_v3_utility_token_stats");
    for (part, larger) in [
        ("51267390679232227090", "99978477857646380001"),
        ("15988028779719272091", "48711087178414152911"),
    ] {
        let body = Canned::json(stats.replace(part, larger));
        let app = answering("/explorer/api/v3/utility_token/stats", body).await;
        let failure = fail(&app, "fetch_current_hash_statistics", json!({})).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY));
        assert_eq!(failure.detail["kind"], "upstream_invalid_response");
    }
}

#[tokio::test]
async fn the_markets_come_in_pages_with_selected_fields_and_in_few_bytes() {
    let app = TestApp::start().await;
    let all = ask(&app, "fetch_current_fm_data", json!({})).await;
    assert_eq!(all["next_cursor"], json!(null));
    let mut arguments = json!({"fields": "markets.symbol,markets.best_bid", "max_bytes": 500});
    let mut symbols = Vec::new();
    for _ in 0..20 {
        let page = ask(&app, "fetch_current_fm_data", arguments.clone()).await;
        assert!(page.to_string().len() <= 500, "{page}");
        assert_eq!(page["total"], 16);
        symbols.extend(with(&page, "symbol"));
        let row = page["markets"][0].as_object().unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), ["best_bid", "symbol"]);
        match page["next_cursor"].as_str() {
            Some(cursor) => {
                assert_eq!(page["truncated"]["total"], 16);
                arguments["cursor"] = cursor.into();
            }
            None => break,
        }
    }
    assert_eq!(symbols, with(&all, "symbol"));
    let page = app
        .get("/api/figure_markets_data?limit=3&fields=total")
        .await;
    assert_eq!(page.json()["total"], 16);
    let wrong = json!({"fields": "markets.symbl"});
    let refused = app.tool("fetch_current_fm_data", wrong).await;
    assert!(
        refused.to_string().contains("`markets.symbol`"),
        "{refused}"
    );
}
