//! Candles, the order book and average prices: golden values, and what a hostile exchange may send.

use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::arguments::assert_refused;
use super::ask::{answering, ask, ask_raw, fail};
use crate::support::TestApp;

const CANDLES: &str = "fetch_market_candles";
const BOOK: &str = "fetch_order_book";
const VWAP: &str = "fetch_recent_trades_vwap";
const JULY: [&str; 2] = ["2025-07-18T00:00:00Z", "2025-07-20T00:00:00Z"];

fn of_july() -> Value {
    json!({"token_pair": "HASH-USD", "from": JULY[0], "to": JULY[1]})
}

fn book_of(bids: Value, asks: Value) -> Canned {
    Canned::json(json!({"timestamp": null, "bids": bids, "asks": asks}).to_string())
}

#[tokio::test]
async fn candles_are_oldest_first_with_the_change_over_them() {
    let app = TestApp::start().await;
    let answer = ask(&app, CANDLES, of_july()).await;
    let first = json!({
        "start": "2025-07-18T00:00:00Z",
        "open": "0.031", "high": "0.032", "low": "0.030", "close": "0.031", "volume": "120331.5",
    });
    assert_eq!(
        (&answer["token_pair"], &answer["interval"]),
        (&json!("HASH-USD"), &json!("1d"))
    );
    assert_eq!(answer["candles"].as_array().unwrap().len(), 3);
    assert_eq!(answer["candles"][0], first);
    let last = &answer["candles"][2];
    assert_eq!(
        (&last["open"], &last["close"]),
        (&json!("0.030"), &json!("0.027"))
    );
    assert_eq!(answer["change"], "-0.12903226");
}

#[tokio::test]
async fn the_exchange_is_asked_for_the_range_in_its_own_words() {
    let app = TestApp::start().await;
    let mut asked = of_july();
    asked["interval"] = json!("4h");
    asked["price"] = json!("mid");
    ask(&app, CANDLES, asked).await;
    let target = "/exchange/markets/HASH-USD/candles?start_date=2025-07-18T00:00:00Z&end_date=2025-07-20T00:00:00Z&interval_in_minutes=240&candle_type=MID_MARKET&size=1000";
    let mut seen = app.replay.seen();
    seen.dedup();
    assert_eq!(seen, [target]);
    // By default 100 intervals up to now.
    app.replay.forget();
    ask(&app, CANDLES, json!({"token_pair": "HASH-USD"})).await;
    let seen = app.replay.seen();
    assert!(seen[0].contains("start_date=2025-08-10T12:00:00Z&end_date=2025-11-18T12:00:00Z&interval_in_minutes=1440&candle_type=TRADE"), "{seen:?}");
}

#[tokio::test]
async fn candles_outside_the_range_are_left_out_and_gaps_stay_open() {
    let row = |date: &str| json!({"date": date, "open": 1, "close": "2e0"});
    let rows = [
        "2025-07-21T00:00:00",
        "2025-07-20T00:00:00",
        "2025-07-17T23:59:59Z",
        "2025-07-18T00:00:00",
    ];
    let body = json!({"matchHistoryData": rows.map(row)}).to_string();
    let app = answering("/exchange/markets/HASH-USD/candles", Canned::json(body)).await;
    let answer = ask(&app, CANDLES, of_july()).await;
    let starts: Vec<&Value> = answer["candles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["start"])
        .collect();
    assert_eq!(starts, JULY);
    assert_eq!(answer["candles"][0]["high"], Value::Null);
    assert_eq!(answer["change"], "1.00000000");
}

#[tokio::test]
async fn without_rows_or_with_an_open_of_zero_there_is_no_change() {
    for rows in [
        json!([]),
        json!([{"date": "2025-07-18T00:00:00", "open": "0.000", "close": 1}]),
        json!([{"date": "2025-07-18T00:00:00", "close": 1}]),
        json!([{"date": "2025-07-18T00:00:00", "open": 1}]),
        json!([{"date": "2025-07-18T00:00:00", "open": -1, "close": 1}]),
    ] {
        let body = json!({"matchHistoryData": rows}).to_string();
        let app = answering("/exchange/markets/HASH-USD/candles", Canned::json(body)).await;
        assert_eq!(
            ask(&app, CANDLES, of_july()).await["change"],
            Value::Null,
            "{rows}"
        );
    }
}

#[tokio::test]
async fn more_candles_than_an_answer_may_have_are_cut_to_the_newest() {
    let at = |number: i64| {
        bifold::Timestamp::from_unix(1_752_000_000 + number * 60)
            .unwrap()
            .to_string()
    };
    let rows: Vec<Value> = (0..1_500).map(|it| json!({"date": at(it)})).collect();
    let body = json!({"matchHistoryData": rows}).to_string();
    let app = answering("/exchange/markets/HASH-USD/candles", Canned::json(body)).await;
    let answer = ask(&app, CANDLES, json!({"token_pair": "HASH-USD"})).await;
    assert_eq!(answer["candles"].as_array().unwrap().len(), 1_000);
    assert_eq!(answer["candles"][0]["start"], at(500));
}

#[tokio::test]
async fn a_range_of_candles_is_bounded_and_in_order() {
    let app = TestApp::start().await;
    for (from, to, interval, field) in [
        ("2025-07-20T00:00:01Z", "2025-07-20T00:00:00Z", "1d", "from"),
        ("2020-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "1d", "from"),
        ("2025-01-01T00:00:00Z", "2025-02-11T16:00:00Z", "1h", "from"),
        ("2025-01-01", "2025-02-11T16:00:00Z", "1h", "from"),
        ("2025-01-01T00:00:00Z", "soon", "1h", "to"),
        (
            "2025-01-01T00:00:00Z",
            "2025-01-02T00:00:00Z",
            "1m",
            "interval",
        ),
    ] {
        let arguments =
            json!({"token_pair": "HASH-USD", "from": from, "to": to, "interval": interval});
        assert_refused(&app, CANDLES, &arguments, field).await;
    }
    let arguments = json!({"token_pair": "HASH-USD", "to": "0000-01-02T00:00:00Z"});
    assert_refused(&app, CANDLES, &arguments, "to").await;
    let arguments = json!({"token_pair": "HASH-USD", "price": "ask"});
    assert_refused(&app, CANDLES, &arguments, "price").await;
    for function in [CANDLES, BOOK, VWAP] {
        assert_refused(
            &app,
            function,
            &json!({"token_pair": "../assets"}),
            "token_pair",
        )
        .await;
    }
}

#[tokio::test]
async fn the_book_has_both_sides_their_spread_and_their_middle() {
    let app = TestApp::start().await;
    let answer = ask(&app, BOOK, json!({"token_pair": "HASH-USD", "depth": 2})).await;
    let expected = json!({
        "token_pair": "HASH-USD",
        "bids": answer["bids"],
        "asks": [
            {"price": "0.031", "quantity": "20803.150", "total_quantity": "20803.150"},
            {"price": "0.032", "quantity": "295000.829", "total_quantity": "315803.979"},
        ],
        "best_bid": "0.030",
        "best_ask": "0.031",
        "spread": "0.001",
        "mid_price": "0.0305",
        "as_of": "2025-07-20T22:02:11.638493000Z",
        "buy": null,
        "sell": null,
    });
    assert_eq!(answer, expected);
    assert_eq!(answer["bids"].as_array().unwrap().len(), 2);
    assert_eq!(answer["bids"][0]["price"], "0.030");
}

#[tokio::test]
async fn a_quote_walks_the_whole_book() {
    let app = TestApp::start().await;
    let quote = json!({"token_pair": "HASH-USD", "depth": 1, "quote_size": "100000"});
    let answer = ask(&app, BOOK, quote).await;
    let buy = json!({
        "average_price": "0.0317919685", "cost": "3179.19685", "slippage": "0.04235962",
        "filled": "100000", "unfilled": "0",
    });
    let sell = json!({
        "average_price": "0.02734521758", "cost": "2734.521758", "slippage": "0.10343549",
        "filled": "100000", "unfilled": "0",
    });
    assert_eq!(answer["buy"], buy);
    assert_eq!(answer["sell"], sell);
    assert_eq!(answer["asks"].as_array().unwrap().len(), 1);
    let more = json!({"token_pair": "HASH-USD", "quote_size": "99999999999999"});
    let answer = ask(&app, BOOK, more).await;
    assert_eq!(answer["sell"]["filled"], "2713237.577");
    assert_eq!(answer["sell"]["unfilled"], "99999997286761.423");
    let seen = app.replay.seen();
    let whole = "/exchange/markets/HASH-USD/orderbook?level=2&depth=0";
    assert!(seen.iter().all(|it| it == whole), "{seen:?}");
}

#[tokio::test]
async fn a_side_without_orders_has_no_best_price_and_fills_nothing() {
    let asks = json!([{"price": 2, "quantity": 1}, {"price": "1.50", "quantity": 3, "orders": 1}]);
    let app = answering(
        "/exchange/markets/HASH-USD/orderbook",
        book_of(json!([]), asks),
    )
    .await;
    let answer = ask(
        &app,
        BOOK,
        json!({"token_pair": "HASH-USD", "quote_size": "0.5"}),
    )
    .await;
    let nothing = json!({"average_price": null, "cost": "0", "slippage": null, "filled": "0", "unfilled": "0.5"});
    assert_eq!(answer["sell"], nothing);
    assert_eq!(answer["buy"]["average_price"], "1.5");
    assert_eq!(answer["buy"]["slippage"], Value::Null);
    assert_eq!(
        (&answer["best_bid"], &answer["best_ask"]),
        (&Value::Null, &json!("1.50"))
    );
    assert_eq!(
        (&answer["spread"], &answer["mid_price"]),
        (&Value::Null, &Value::Null)
    );
    let totals: Vec<&Value> = answer["asks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["total_quantity"])
        .collect();
    assert_eq!(totals, ["3", "4"]);
    assert_eq!(answer["as_of"], Value::Null);
}

#[tokio::test]
async fn numbers_beyond_128_bits_are_added_up_exactly() {
    let huge = "9".repeat(70);
    let asks = json!([{"price": huge, "quantity": huge}]);
    let app = answering(
        "/exchange/markets/HASH-USD/orderbook",
        book_of(asks.clone(), asks),
    )
    .await;
    let answer = ask(
        &app,
        BOOK,
        json!({"token_pair": "HASH-USD", "quote_size": "2"}),
    )
    .await;
    assert_eq!(answer["buy"]["cost"], format!("1{}8", "9".repeat(69)));
    assert_eq!(answer["buy"]["average_price"], huge);
    assert_eq!(answer["spread"], "0");
    let trade =
        json!({"id": "a", "price": huge, "quantity": huge, "created": "2025-07-20T00:00:00Z"});
    let body = json!({"matches": [trade]}).to_string();
    let app = answering("/exchange/trades/HASH-USD", Canned::json(body)).await;
    let answer = ask(&app, VWAP, json!({"token_pair": "HASH-USD"})).await;
    assert_eq!(answer["vwap"], format!("{huge}.{}", "0".repeat(18)));
    assert_eq!(answer["notional"].as_str().unwrap().len(), 140);
}

#[tokio::test]
async fn a_quote_size_is_positive_and_a_depth_is_bounded() {
    let app = TestApp::start().await;
    for (field, bad) in [
        ("quote_size", json!("0")),
        ("quote_size", json!("0.00")),
        ("quote_size", json!("-1")),
        ("quote_size", json!("1e3")),
        ("quote_size", json!("")),
        ("quote_size", json!("1".repeat(61))),
        ("depth", json!(0)),
        ("depth", json!(201)),
        ("depth", json!("all")),
    ] {
        let mut arguments = json!({"token_pair": "HASH-USD"});
        arguments[field] = bad;
        assert_refused(&app, BOOK, &arguments, field).await;
    }
}

#[tokio::test]
async fn the_average_price_is_weighted_by_volume_to_18_digits() {
    let body = Canned::json(recorded!("fm_trades_HASH-USD_2025-07-20"));
    let app = answering("/exchange/trades/HASH-USD", body).await;
    let text = ask_raw(&app, VWAP, &json!({"token_pair": "HASH-USD"})).await;
    let expected = json!({
        "token_pair": "HASH-USD",
        "vwap": "0.027342012027576384",
        "volume": "101101",
        "notional": "2764.304758",
        "first_trade": "2025-07-20T22:08:20.506892716Z",
        "last_trade": "2025-07-20T22:30:16.483846505Z",
        "trade_count": 5,
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    let mut seen = app.replay.seen();
    seen.dedup();
    assert_eq!(seen, ["/exchange/trades/HASH-USD?size=200"]);
}

#[tokio::test]
async fn without_trades_there_is_no_average() {
    let app = TestApp::start().await;
    let answer = ask(&app, VWAP, json!({"token_pair": "FIGR_HELOC-USD"})).await;
    let expected = json!({
        "token_pair": "FIGR_HELOC-USD", "vwap": null, "volume": "0", "notional": "0",
        "first_trade": null, "last_trade": null, "trade_count": 0,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn an_unknown_pair_is_not_found_and_a_similar_one_is_suggested() {
    let app = TestApp::start().await;
    for function in [CANDLES, BOOK, VWAP] {
        let failure = fail(&app, function, json!({"token_pair": "HASH-USDX"})).await;
        assert_eq!(failure.status, Some(StatusCode::NOT_FOUND), "{function}");
        assert!(
            failure.message.contains("`HASH-USD`"),
            "{}",
            failure.message
        );
    }
}

#[tokio::test]
async fn impossible_figures_and_bodies_are_an_upstream_failure() {
    let negative = json!([{"price": -1, "quantity": 1}]);
    let trade = r#"{"matches": [{"id": "a", "price": "1", "quantity": "-2", "created": "2025-07-20T00:00:00Z"}]}"#;
    for (function, target, canned) in [
        (
            BOOK,
            "markets/HASH-USD/orderbook",
            book_of(negative, json!([])),
        ),
        (
            BOOK,
            "markets/HASH-USD/orderbook",
            book_of(json!([{"price": "x", "quantity": 1}]), json!([])),
        ),
        (BOOK, "markets/HASH-USD/orderbook", Canned::json("{}")),
        (
            CANDLES,
            "markets/HASH-USD/candles",
            Canned::json(r#"{"matchHistoryData": [{"open": 1}]}"#),
        ),
        (CANDLES, "markets/HASH-USD/candles", Canned::json("null")),
        (VWAP, "trades/HASH-USD", Canned::json(trade)),
        (VWAP, "trades/HASH-USD", Canned::json("[]")),
    ] {
        let app = answering(&format!("/exchange/{target}"), canned).await;
        let failure = fail(&app, function, json!({"token_pair": "HASH-USD"})).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY), "{function}");
        assert_eq!(
            failure.detail["kind"], "upstream_invalid_response",
            "{function}"
        );
    }
}
