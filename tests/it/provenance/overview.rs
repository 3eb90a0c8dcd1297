//! The market overview: its lists, the prices of the listed key pairs, and what remains if a part is missing.

use bifold::testing::Canned;
use serde_json::json;

use super::aggregates::{OVERVIEW, losing, lost, without};
use super::ask::ask;
use crate::support::TestApp;

#[tokio::test]
async fn a_market_overview_has_the_results_of_its_functions_and_the_listed_key_prices() {
    let app = TestApp::start().await;
    let markets = ask(&app, "fetch_current_fm_data", json!({})).await;
    let assets = ask(&app, "fetch_figure_markets_assets_info", json!({})).await;
    let price = json!({"last_price": "0.024", "created": "2025-06-05T16:59:38.975344995Z"});
    let expected = json!({
        "markets": markets["markets"],
        "hash_statistics": ask(&app, "fetch_current_hash_statistics", json!({})).await,
        "assets": assets["assets"],
        "key_token_prices": {"HASH-USD": price},
        "unavailable": ["BTC-USD", "ETH-USD"],
        "incomplete": [],
    });
    app.replay.forget();
    assert_eq!(ask(&app, OVERVIEW, json!({})).await, expected);
    let asked_for_prices = app.replay.seen().into_iter();
    let asked: Vec<_> = asked_for_prices
        .filter(|it| it.contains("trades"))
        .collect();
    assert!(asked.iter().all(|it| it.contains("HASH-USD")), "{asked:?}");
}

#[tokio::test]
async fn every_listed_key_pair_has_a_price_or_null_if_it_never_traded() {
    let app = TestApp::start().await;
    let markets = Canned::json(recorded!("fm_markets_2025-06-05"));
    app.replay.answer("/exchange/markets", markets);
    let trade = r#"{"matches": [{"id": "1", "price": 103535.08, "quantity": 1, "created": "2025-06-05T16:59:38Z"}]}"#;
    app.replay
        .answer("/exchange/trades/BTC-USD", Canned::json(trade));
    let none = Canned::json(recorded!("fm_trades_empty"));
    app.replay.answer("/exchange/trades/ETH-USD", none);
    let answer = ask(&app, OVERVIEW, json!({})).await;
    let prices = json!({
        "BTC-USD": {"last_price": "103535.08", "created": "2025-06-05T16:59:38Z"},
        "ETH-USD": {"last_price": null, "created": null},
        "HASH-USD": {"last_price": "0.024", "created": "2025-06-05T16:59:38.975344995Z"},
    });
    assert_eq!(answer["key_token_prices"], prices);
    assert_eq!(answer["unavailable"], json!([]));
}

#[tokio::test]
async fn a_missing_part_of_a_market_overview_is_named_and_null() {
    let full = ask(&TestApp::start().await, OVERVIEW, json!({})).await;
    for (prefix, place, part, upstream) in [
        ("/exchange/markets", "/markets", "markets", "exchange"),
        (
            "/explorer/api/v3/utility_token",
            "/hash_statistics",
            "hash_statistics",
            "explorer",
        ),
        ("/exchange/assets", "/assets", "assets", "exchange"),
        (
            "/exchange/trades/HASH-USD",
            "/key_token_prices/HASH-USD",
            "prices.HASH-USD",
            "exchange",
        ),
    ] {
        let expected = without(&full, &[place], json!([lost(part, upstream)]));
        let app = losing(&[prefix]).await;
        assert_eq!(ask(&app, OVERVIEW, json!({})).await, expected);
    }
}
