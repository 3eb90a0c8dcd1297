//! The store of tasks and questions, after its idle connections died: one request finds out for all.

use std::time::Duration;

use bifold::{App, Content, Server};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

use super::tasks::{client, once, task};
use super::{Events, function, greet, legacy, named, reply, text};
use crate::store::table::Table;
use crate::support::pass;
use crate::support::peers::settle;

const CALLERS: usize = 50;
const QUIET: Duration = Duration::from_secs(31);
const SECOND: Duration = Duration::from_secs(1);

/// A separate process that uses the table.
fn process(table: &Table) -> App {
    let long = function("long", async |cx| {
        cx.detach().await;
        Ok(Content::text("done"))
    });
    let tools = vec![long.task(), function("greet", greet)];
    let server = Server::new("healing", "1.0.0").tools(tools);
    App::new(table.settings(), server).unwrap()
}

#[tokio::test]
async fn all_calls_that_need_a_task_get_one() {
    let table = Table::start().await;
    let app = process(&table);
    let client = client(&app);
    let id = task(&client.call("long", json!({})).await);
    once(&client, &id, "completed").await;
    let all = async || {
        table.peers.gather(CALLERS);
        join_all((0..CALLERS).map(|_| once(&client, &id, "completed"))).await;
        table.peers.scatter();
        settle().await;
    };
    settle().await;
    all().await;
    let before = table.peers.count();

    table.peers.cut();
    pass(QUIET).await;
    let passing = async {
        table.asked("look", 1).await;
        pass(SECOND).await;
    };
    tokio::join!(all(), passing);
    assert_eq!(table.peers.lost(), ["look"]);
    assert_eq!(table.peers.count(), before + CALLERS);
    all().await;
    assert_eq!(table.peers.count(), before + CALLERS);
    assert_eq!(table.count("look"), 1);
}

#[tokio::test]
async fn all_answers_of_clients_reach_the_functions_that_wait_in_another_process() {
    let table = Table::start().await;
    let (asking, answering) = (process(&table), process(&table));
    let mut streams = Vec::new();
    for _ in 0..CALLERS {
        let mut events = Events::open(&asking, legacy("2025-11-25", "greet")).await;
        streams.push((events.next().await, events));
    }
    // The other process has a connection too.
    let (question, mut events) = streams.pop().unwrap();
    let first = reply(&answering, &question, named("Ada")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(text(&events.next().await["result"]), "Hello, Ada!");
    let questions: Vec<_> = streams.iter().map(|it| it.0.clone()).collect();

    table.peers.cut();
    pass(QUIET).await;
    let deliveries = questions
        .iter()
        .map(|question| reply(&answering, question, named("Eve")));
    let passing = async {
        table.asked("look", 1).await;
        pass(SECOND).await;
    };
    let (answers, ()) = tokio::join!(join_all(deliveries), passing);
    assert!(answers.iter().all(|it| it.status == StatusCode::ACCEPTED));
    assert_eq!(table.peers.lost(), ["look"]);

    // The waiting calls have been idle as long, and find out by themselves.
    let results = streams.iter_mut().map(|(_, events)| events.next());
    let passing = async {
        table.asked("look", 2).await;
        pass(SECOND).await;
    };
    let (results, ()) = tokio::join!(join_all(results), passing);
    for result in results {
        assert_eq!(text(&result["result"]), "Hello, Eve!");
    }
    assert_eq!(table.peers.lost(), ["look"; 2]);
    assert_eq!(table.count("look"), 2);
}
