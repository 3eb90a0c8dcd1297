//! The client of a table is replaced once for all when it gets no answers, and looked at after a quiet time.

use std::time::Duration;

use futures_util::future::join_all;

use super::table::Table;
use super::{LONG, held, read};
use crate::support::pass;
use crate::support::peers::settle;

const CALLERS: usize = 50;

/// All of them read at the same time, each on a connection of its own.
async fn read_at_once(table: &Table, store: &bifold::Store) {
    table.peers.gather(CALLERS);
    let records = join_all((0..CALLERS).map(|_| read(store, "a"))).await;
    assert!(records.into_iter().all(|it| it == held("a", 1)));
    table.peers.scatter();
    settle().await;
}

async fn filled(table: &Table) -> bifold::Store {
    let store = table.store();
    assert!(store.create("a", "a".into(), LONG).await.unwrap());
    settle().await;
    read_at_once(table, &store).await;
    assert_eq!(table.peers.count(), CALLERS);
    store
}

#[tokio::test]
async fn connections_that_die_in_use_are_replaced_once_for_all() {
    let table = Table::start().await;
    let store = filled(&table).await;
    table.peers.cut();
    let reading = tokio::spawn({
        let (table, store) = (table.clone(), store.clone());
        async move { read_at_once(&table, &store).await }
    });
    table.asked("GetItem", 2 * CALLERS).await;
    pass(Duration::from_secs(2)).await;
    reading.await.unwrap();
    assert_eq!(table.peers.lost(), ["GetItem"; CALLERS]);
    // One client holds all of the new connections.
    assert_eq!(table.peers.count(), 2 * CALLERS);
    read_at_once(&table, &store).await;
    assert_eq!(table.peers.count(), 2 * CALLERS);
    assert_eq!(table.count("look"), 0);
}

#[tokio::test]
async fn after_a_quiet_time_one_look_is_enough_for_all() {
    let table = Table::start().await;
    let store = filled(&table).await;
    pass(Duration::from_secs(29)).await;
    read_at_once(&table, &store).await;
    assert_eq!(table.count("look"), 0);
    for looks in 1..=2 {
        pass(Duration::from_secs(31)).await;
        read_at_once(&table, &store).await;
        assert_eq!(table.count("look"), looks);
        read_at_once(&table, &store).await;
        assert_eq!(table.count("look"), looks);
    }
    assert_eq!(table.peers.count(), CALLERS);
}

#[tokio::test]
async fn a_look_that_hangs_costs_a_second_and_no_request() {
    let table = Table::start().await;
    let store = filled(&table).await;
    table.peers.cut();
    pass(Duration::from_secs(31)).await;
    let reading = tokio::spawn({
        let (table, store) = (table.clone(), store.clone());
        async move { read_at_once(&table, &store).await }
    });
    table.asked("look", 1).await;
    pass(Duration::from_secs(1)).await;
    reading.await.unwrap();
    assert_eq!(table.peers.lost(), ["look"]);
    assert_eq!(table.count("GetItem"), 2 * CALLERS);
    assert_eq!(table.peers.count(), 2 * CALLERS);
    read_at_once(&table, &store).await;
    assert_eq!((table.peers.count(), table.count("look")), (2 * CALLERS, 1));
}
