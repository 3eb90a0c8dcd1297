//! What every store keeps to, wherever its records are.

use std::time::Duration;

use bifold::{Change, Deadline, Record, Store};
use futures_util::future::{join, join_all};

use super::{LONG, held, read};

/// Proves all of it with keys that nobody else uses.
pub async fn holds(store: &Store) {
    let run = format!("test#{:032x}", fastrand::u128(..));
    let key = |name: &str| format!("{run}#{name}");
    a_record_lives_until_it_is_removed(store, &key("life")).await;
    a_value_comes_back_as_it_was(store, &key("text")).await;
    what_has_expired_is_absent(store, &key("past")).await;
    one_of_many_creates(store, &key("create")).await;
    one_of_many_replaces(store, &key("replace")).await;
    who_waits_is_told(store, &key("wait")).await;
}

async fn a_record_lives_until_it_is_removed(store: &Store, key: &str) {
    assert_eq!(read(store, key).await, None);
    assert!(!store.replace(key, 1, "b".into(), LONG).await.unwrap());
    store.remove(key).await.unwrap();
    assert!(store.create(key, "a".into(), LONG).await.unwrap());
    assert_eq!(read(store, key).await, held("a", 1));
    assert!(!store.create(key, "b".into(), LONG).await.unwrap());
    assert!(!store.replace(key, 2, "b".into(), LONG).await.unwrap());
    assert_eq!(read(store, key).await, held("a", 1));
    assert!(store.replace(key, 1, "b".into(), LONG).await.unwrap());
    assert!(!store.replace(key, 1, "c".into(), LONG).await.unwrap());
    assert_eq!(read(store, key).await, held("b", 2));
    store.remove(key).await.unwrap();
    assert_eq!(read(store, key).await, None);
    assert!(!store.replace(key, 2, "c".into(), LONG).await.unwrap());
}

async fn a_value_comes_back_as_it_was(store: &Store, key: &str) {
    for value in [
        "{\"a\": [1, \"ሴ\\n\"]}",
        "\"\\\u{1}",
        &"x".repeat(300 << 10),
    ] {
        assert!(store.create(key, value.into(), LONG).await.unwrap());
        assert_eq!(read(store, key).await, held(value, 1));
        store.remove(key).await.unwrap();
    }
}

async fn what_has_expired_is_absent(store: &Store, key: &str) {
    let now = Duration::ZERO;
    assert!(store.create(key, "a".into(), now).await.unwrap());
    assert_eq!(read(store, key).await, None);
    assert!(!store.replace(key, 1, "b".into(), LONG).await.unwrap());
    assert!(store.create(key, "c".into(), LONG).await.unwrap());
    assert!(store.replace(key, 1, "d".into(), now).await.unwrap());
    assert_eq!(read(store, key).await, None);
    let gone = store.changed(key, 2, Deadline::after(LONG)).await.unwrap();
    assert_eq!(gone, Change::Gone);
    // No clock overflows, and the record is there.
    assert!(store.create(key, "e".into(), Duration::MAX).await.unwrap());
    assert_eq!(read(store, key).await, held("e", 1));
    store.remove(key).await.unwrap();
}

async fn one_of_many_creates(store: &Store, key: &str) {
    let create = |writer: usize| store.create(key, writer.to_string(), LONG);
    let done = join_all((0..100).map(create)).await;
    let winners: Vec<usize> = (0..100).filter(|&it| *done[it].as_ref().unwrap()).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(read(store, key).await, held(&winners[0].to_string(), 1));
    store.remove(key).await.unwrap();
}

async fn one_of_many_replaces(store: &Store, key: &str) {
    assert!(store.create(key, "0".into(), LONG).await.unwrap());
    for version in 1..=5 {
        let replace = |writer: usize| store.replace(key, version, writer.to_string(), LONG);
        let done = join_all((0..20).map(replace)).await;
        let winners: Vec<usize> = (0..20).filter(|&it| *done[it].as_ref().unwrap()).collect();
        assert_eq!(winners.len(), 1);
        let value = winners[0].to_string();
        assert_eq!(read(store, key).await, held(&value, version + 1));
    }
    store.remove(key).await.unwrap();
}

async fn who_waits_is_told(store: &Store, key: &str) {
    let wait = |seen| store.changed(key, seen, Deadline::after(LONG));
    assert_eq!(wait(1).await.unwrap(), Change::Gone);
    assert!(store.create(key, "a".into(), LONG).await.unwrap());
    let first = Record {
        value: "a".into(),
        version: 1,
    };
    assert_eq!(wait(0).await.unwrap(), Change::To(first));
    let passed = Deadline::after(Duration::ZERO);
    assert_eq!(store.changed(key, 1, passed).await.unwrap(), Change::None);
    let (change, done) = join(wait(1), store.replace(key, 1, "b".into(), LONG)).await;
    assert!(done.unwrap());
    let second = Record {
        value: "b".into(),
        version: 2,
    };
    assert_eq!(change.unwrap(), Change::To(second));
    let (change, done) = join(wait(2), store.remove(key)).await;
    done.unwrap();
    assert_eq!(change.unwrap(), Change::Gone);
}
