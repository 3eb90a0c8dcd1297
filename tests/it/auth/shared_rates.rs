//! Rate limits that processes share in a table: together they allow what one of them would, approximately, and the table is
//! asked seldom.

use std::time::Duration;

use bifold::{App, Principal, RequestInfo};

use super::{closed, get};
use crate::store::table::{Fate, Table};
use crate::support::{Answer, Log, pass, serve};

/// A process that shares a limit of so many calls an hour.
fn process(table: &Table, calls: u32) -> App {
    let mut config = table.settings();
    config.rate_limit_shared = true;
    let limit = super::config(&[("BIFOLD_RATE_LIMIT", &format!("{calls}/h"))]).rate_limit;
    config.rate_limit = limit;
    App::new(config, closed().0).unwrap()
}

async fn ask(app: &App, caller: &str) -> Answer {
    let mut info = RequestInfo::default();
    info.principal = Some(Principal::new(caller));
    Answer::read(serve(app, get("/api/any"), info).await).await
}

async fn status(app: &App, caller: &str) -> u16 {
    ask(app, caller).await.status.as_u16()
}

#[tokio::test]
async fn processes_allow_together_what_one_would() {
    let table = Table::start().await;
    let processes: Vec<App> = (0..4).map(|_| process(&table, 10)).collect();
    let mut allowed = 0;
    for _ in 0..5 {
        for app in &processes {
            allowed += usize::from(status(app, "ada").await == 200);
        }
        pass(Duration::from_secs(1)).await;
    }
    assert_eq!(allowed, 10);
    assert_eq!(
        table.count("PutItem"),
        10,
        "each allowed call is written once"
    );
    for app in &processes {
        assert_eq!(status(app, "ada").await, 429);
        assert_eq!(status(app, "eve").await, 200, "another caller has its own");
    }
}

#[tokio::test]
async fn an_allowance_is_exchanged_once_a_second_at_most() {
    let table = Table::start().await;
    let (one, two) = (process(&table, 100), process(&table, 100));
    for _ in 0..30 {
        assert_eq!(status(&one, "ada").await, 200);
    }
    assert_eq!(table.operations(), ["GetItem", "PutItem"]);
    // What was not written yet is written with the next exchange.
    pass(Duration::from_secs(1)).await;
    assert_eq!(status(&one, "ada").await, 200);
    let answer = ask(&two, "ada").await;
    assert_eq!(answer.header("ratelimit").split(';').nth(1), Some("r=68"));
    assert_eq!(table.count("GetItem") + table.count("PutItem"), 6);
    assert_eq!(table.len(), 1);
}

#[tokio::test]
async fn processes_that_write_at_once_lose_no_call() {
    let table = Table::start().await;
    let processes: Vec<App> = (0..3).map(|_| process(&table, 100)).collect();
    let asking = processes.iter().map(|app| status(app, "ada"));
    let answers = futures_util::future::join_all(asking).await;
    assert_eq!(answers, [200, 200, 200]);
    pass(Duration::from_secs(1)).await;
    let answer = ask(&process(&table, 100), "ada").await;
    assert_eq!(answer.header("ratelimit").split(';').nth(1), Some("r=96"));
}

#[tokio::test]
async fn without_the_table_each_process_keeps_to_its_own_limit() {
    let table = Table::start().await;
    let app = process(&table, 3);
    table.fate(&[Fate::Hung]);
    let log = Log::default();
    let guard = log.keep();
    let answers = [
        status(&app, "ada").await,
        status(&app, "ada").await,
        status(&app, "ada").await,
        status(&app, "ada").await,
    ];
    drop(guard);
    assert_eq!(answers, [200, 200, 200, 429]);
    assert_eq!(
        table.count("GetItem"),
        1,
        "it is left alone after a failure"
    );
    let message = "the rate limits are those of this process alone for a moment";
    assert_eq!(log.lines(message).len(), 1);
    // What was used meanwhile is shared afterwards.
    pass(Duration::from_secs(6)).await;
    assert_eq!(status(&app, "ada").await, 429);
    assert_eq!(status(&process(&table, 3), "ada").await, 429);
}

#[tokio::test]
async fn the_table_holds_no_name_of_a_caller() {
    let table = Table::start().await;
    assert_eq!(status(&process(&table, 3), "ada@example.com").await, 200);
    let keys = table.keys();
    assert_eq!(keys.len(), 1);
    assert!(
        keys[0].starts_with("rate#") && !keys[0].contains("ada"),
        "{keys:?}"
    );
}

#[tokio::test]
async fn limits_are_in_memory_unless_the_setting_says_otherwise() {
    let table = Table::start().await;
    let mut config = table.settings();
    config.rate_limit = super::config(&[("BIFOLD_RATE_LIMIT", "1/h")]).rate_limit;
    let app = App::new(config, closed().0).unwrap();
    assert_eq!(
        [status(&app, "ada").await, status(&app, "ada").await],
        [200, 429]
    );
    assert_eq!(table.operations(), [""; 0]);
}

#[test]
fn limits_are_shared_in_a_table_only() {
    let variables = [
        ("BIFOLD_RATE_LIMIT", "1/h"),
        ("BIFOLD_RATE_LIMIT_SHARED", "true"),
    ];
    let refused = App::new(super::config(&variables), closed().0);
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("needs `BIFOLD_TABLE`"), "{refused}");
}
