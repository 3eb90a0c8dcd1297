//! Processes that share a table.

use bifold::App;
use futures_util::future::join_all;
use serde_json::json;

use super::{Effects, rest, server};
use crate::store::table::{Fate, Table};
use crate::support::TestApp;

async fn process(table: &Table, effects: &Effects) -> TestApp {
    TestApp::of(App::new(table.settings(), server(effects)).unwrap()).await
}

#[tokio::test]
async fn a_call_is_made_once_by_all_processes_together() {
    let (table, effects) = (Table::start().await, Effects::default());
    let (one, other) = (
        process(&table, &effects).await,
        process(&table, &effects).await,
    );
    let arguments = json!({"id": 7, "turns": 3});
    let calls = (0..6).map(|turn| {
        let app = if turn % 2 == 0 { &one } else { &other };
        app.send(rest("pay", "k", &arguments))
    });
    let answers = join_all(calls).await;
    for answer in &answers {
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, answers[0].text())
        );
    }
    assert_eq!(effects.paid(), [(7, 1)].into());
    // The key itself is not in the table.
    assert!(
        table
            .keys()
            .iter()
            .all(|it| it.contains("once#") && it.len() > 40),
        "{:?}",
        table.keys()
    );
}

#[tokio::test]
async fn without_the_store_a_call_with_a_key_is_not_made() {
    let (table, effects) = (Table::start().await, Effects::default());
    let app = process(&table, &effects).await;
    table.fate(&[Fate::Refused(400, "AccessDeniedException"); 4]);
    let refused = app.send(rest("pay", "k", &json!({"id": 7}))).await;
    assert!(refused.status.is_server_error(), "{}", refused.text());
    assert!(effects.paid().is_empty());
}
