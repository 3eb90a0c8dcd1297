//! The balances of a wallet: sorted by value, and bounded.

use bifold::provenance::replay::{PLAIN, VESTING};
use bifold::testing::Canned;
use serde_json::{Value, json};

use super::ask::{about, ask, of_wallet};
use super::lists::{BALANCES, page_of, serve, walked};
use crate::support::TestApp;

#[tokio::test]
async fn balances_are_sorted_by_value_with_unpriced_ones_last_and_the_value_of_all() {
    let app = TestApp::start().await;
    let answer = ask(&app, BALANCES, about(VESTING)).await;
    let expected = json!({
        "denom": "nhash",
        "total": "8607553982838339",
        "spendable": "13773576656",
        "locked": "8607540209261683",
        "usd_value": "146328.417708251763",
    });
    assert_eq!(answer["balances"][0], expected);
    assert_eq!(answer["total_usd"], "147357.818795501763");
    let coin = |denom: &str, value: Option<&str>| {
        let price = value.map(|it| json!({"amount": it, "denom": "USD"}));
        let coin = json!({"amount": "1", "denom": denom, "totalBalancePrice": price});
        json!({"total": coin, "spendable": coin, "locked": coin})
    };
    let rows = [
        coin("z", None),
        coin("c", Some("5")),
        coin("a", None),
        coin("b", Some("5.0")),
        coin("d", Some("100.5")),
        coin("e", Some("20")),
        coin("c", Some("5")),
    ];
    let app = TestApp::start().await;
    serve(&app, &of_wallet("v3", PLAIN, "/balances"), "", 100, &rows);
    let denoms = walked(
        &app,
        (BALANCES, "balances"),
        about(PLAIN),
        &[2, 1, 3],
        "denom",
        |_| (),
    )
    .await;
    assert_eq!(denoms, ["d", "e", "b", "c", "a", "z"]);
    let answer = ask(&app, BALANCES, json!({"wallet_address": PLAIN, "limit": 1})).await;
    assert_eq!(answer["total_usd"], "130.5");
}

#[tokio::test]
async fn a_wallet_with_more_than_a_thousand_denoms_is_named_incomplete() {
    let coin = |number: usize| {
        let coin = json!({"amount": "1", "denom": format!("d{number:05}")});
        json!({"total": coin, "spendable": coin, "locked": coin})
    };
    let rows: Vec<Value> = (0..1_050).map(coin).collect();
    let app = TestApp::start().await;
    let target = of_wallet("v3", PLAIN, "/balances");
    for number in 1..=10 {
        let prefix = format!("{target}?count=100&page={number}");
        app.replay
            .answer(&prefix, Canned::json(page_of(&rows, 100, number)));
    }
    let answer = ask(&app, BALANCES, about(PLAIN)).await;
    assert_eq!(
        answer["incomplete"][0]["message"],
        "only the first 1000 rows were read"
    );
    assert_eq!(answer["total_usd"], "0");
}
