//! Records in the memory of one process, by a clock that the test moves.

use std::time::Duration;

use bifold::{Change, Config, Deadline, Kind, Record, Store};
use futures_util::future::join_all;
use futures_util::poll;
use tokio::time::{Instant, advance};

use super::{LONG, contract, held, read};

fn memory() -> Store {
    Store::new(&Config::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn keeps_to_the_contract_and_leaves_nothing() {
    let store = memory();
    let since = Instant::now();
    contract::holds(&store).await;
    assert_eq!(store.held(), 0);
    // Nothing of it waits for a clock.
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_record_expires_at_its_time_and_a_replacement_gives_it_a_new_one() {
    let store = memory();
    let ttl = Duration::from_secs(10);
    assert!(store.create("a", "1".into(), ttl).await.unwrap());
    advance(ttl - Duration::from_millis(1)).await;
    assert_eq!(read(&store, "a").await, held("1", 1));
    assert!(store.replace("a", 1, "2".into(), ttl).await.unwrap());
    advance(ttl - Duration::from_millis(1)).await;
    assert_eq!(read(&store, "a").await, held("2", 2));
    advance(Duration::from_millis(1)).await;
    assert_eq!(read(&store, "a").await, None);
    assert_eq!(store.held(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_woken_at_once_by_a_change_an_end_or_the_deadline() {
    let store = memory();
    let ttl = Duration::from_secs(10);
    assert!(store.create("a", "1".into(), ttl).await.unwrap());
    assert!(store.create("b", "1".into(), LONG).await.unwrap());
    let since = Instant::now();
    let wait = |key, seen| Box::pin(store.changed(key, seen, Deadline::after(LONG / 2)));
    let (mut one, mut two, mut other) = (wait("a", 1), wait("a", 1), wait("b", 1));
    assert!(poll!(&mut one).is_pending() && poll!(&mut two).is_pending());
    assert!(poll!(&mut other).is_pending());
    assert!(store.replace("a", 1, "2".into(), ttl).await.unwrap());
    let second = Change::To(Record {
        value: "2".into(),
        version: 2,
    });
    assert_eq!(one.await.unwrap(), second);
    assert_eq!(two.await.unwrap(), second);
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(wait("a", 2).await.unwrap(), Change::Gone);
    assert_eq!(since.elapsed(), ttl);
    assert_eq!(other.await.unwrap(), Change::None);
    assert_eq!(since.elapsed(), LONG / 2);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_leaves_nothing() {
    let store = memory();
    assert!(store.create("a", "1".into(), LONG).await.unwrap());
    let mut waiting: Vec<_> = (0..10)
        .map(|_| Box::pin(store.changed("a", 1, Deadline::after(LONG))))
        .collect();
    for wait in &mut waiting {
        assert!(poll!(wait).is_pending());
    }
    assert_eq!(store.held(), 2);
    let last = waiting.pop().unwrap();
    drop(waiting);
    assert_eq!(store.held(), 2);
    store.remove("a").await.unwrap();
    assert_eq!(last.await.unwrap(), Change::Gone);
    assert_eq!(store.held(), 0);
}

#[tokio::test]
async fn large_values_are_counted_and_none_is_larger_than_a_table_takes() {
    let store = Store::new(&Config::default()).unwrap();
    let value = |bytes| "x".repeat(bytes);
    let too_large = store.create("one", value(350 * 1024 + 1), LONG).await;
    assert_eq!(too_large.unwrap_err().kind(), Kind::ValueTooLarge);
    let mut kept = 0;
    let full = loop {
        let key = format!("large {kept}");
        match store.create(&key, value(350 * 1024), LONG).await {
            Ok(created) => assert!(created),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert_eq!(kept, (64 << 20) / (350 * 1024));
    assert_eq!(full.kind(), Kind::StoreUnavailable);
    assert!(full.message().contains("bytes"), "{full}");
    assert!(store.create("small", value(10), LONG).await.unwrap());
    let grown = store.replace("small", 1, value(350 * 1024), LONG).await;
    assert_eq!(grown.unwrap_err().kind(), Kind::StoreUnavailable);
    store.remove("large 0").await.unwrap();
    assert!(store.create("another", value(1024), LONG).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_full_store_says_so_until_something_expires() {
    let store = memory();
    for number in 0..10_000 {
        let ttl = Duration::from_secs(if number == 0 { 1 } else { 60 });
        let key = format!("{number}");
        assert!(store.create(&key, String::new(), ttl).await.unwrap());
    }
    let full = store.create("more", String::new(), LONG).await.unwrap_err();
    assert_eq!(full.kind(), Kind::StoreUnavailable);
    assert!(
        full.retryable() && full.message().contains("10000"),
        "{full}"
    );
    // What is there already is not turned away.
    assert!(store.replace("1", 1, "x".into(), LONG).await.unwrap());
    assert!(!store.create("1", "x".into(), LONG).await.unwrap());
    advance(Duration::from_secs(1)).await;
    assert!(store.create("more", String::new(), LONG).await.unwrap());
    assert!(store.create("most", String::new(), LONG).await.is_err());
    store.remove("more").await.unwrap();
    assert!(store.create("most", String::new(), LONG).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_each_version_has_one_writer() {
    let store = memory();
    assert!(store.create("a", "0".into(), LONG).await.unwrap());
    // Each of the thousand counts up by one, and tries until it has.
    let count = |_| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let record = store.get("a").await.unwrap().unwrap();
                let next = record.value.parse::<u64>().unwrap() + 1;
                let version = record.version;
                if store
                    .replace("a", version, next.to_string(), LONG)
                    .await
                    .unwrap()
                {
                    return version;
                }
                let wait = store.changed("a", version, Deadline::after(LONG));
                assert_ne!(wait.await.unwrap(), Change::None);
            }
        })
    };
    let mut versions: Vec<u64> = join_all((0..1_000).map(count))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(read(&store, "a").await, held("1000", 1_001));
    store.remove("a").await.unwrap();
    assert_eq!(store.held(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_more_than_is_left_for_all_others() {
    let store = memory();
    let fill = async |holder: &'static str| {
        let mut kept = 0;
        loop {
            let key = format!("{holder} {kept}");
            let created = store.create_for(Some(holder), &key, String::new(), LONG);
            match created.await {
                Ok(created) => assert!(created),
                Err(error) => return (kept, error),
            }
            kept += 1;
        }
    };
    for (holder, most) in [("a", 5_000), ("b", 2_500), ("c", 1_250)] {
        let (kept, error) = fill(holder).await;
        assert_eq!(kept, most, "{holder}");
        assert_eq!(error.kind(), Kind::StoreUnavailable);
        assert!(error.message().contains("for this caller"), "{error}");
    }
    // Who has nothing yet is served, and so is the application itself, for which nobody holds anything.
    let small = async |holder, key| store.create_for(holder, key, String::new(), LONG).await;
    assert!(small(Some("d"), "d").await.unwrap());
    assert!(small(None, "own").await.unwrap());
    assert!(small(Some("a"), "a more").await.is_err());
    store.remove("a 0").await.unwrap();
    store.remove("b 0").await.unwrap();
    for number in 1..=5_000 {
        store.remove(&format!("a {number}")).await.unwrap();
    }
    assert!(small(Some("a"), "a more").await.unwrap());
}

#[tokio::test]
async fn nobody_holds_more_bytes_than_are_left_for_all_others() {
    let store = memory();
    let large = || "x".repeat(350 * 1024);
    let mut kept = 0;
    let full = loop {
        let key = format!("a {kept}");
        match store.create_for(Some("a"), &key, large(), LONG).await {
            Ok(created) => assert!(created),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert_eq!(kept, (32 << 20) / (350 * 1024));
    assert!(full.message().contains("bytes for this caller"), "{full}");
    let small = store.create_for(Some("a"), "small", String::new(), LONG);
    assert!(small.await.unwrap());
    let grown = store.replace("small", 1, large(), LONG).await;
    assert_eq!(grown.unwrap_err().kind(), Kind::StoreUnavailable);
    let other = store.create_for(Some("b"), "b", large(), LONG);
    assert!(other.await.unwrap());
}

/// Fills as much of the store as that one may, with values that are as large as they can be.
async fn fill(store: &Store, holder: Option<&str>, ttl: Duration) -> usize {
    let name = holder.unwrap_or("own");
    for kept in 0.. {
        let key = format!("{name} {kept}");
        let created = store.create_for(holder, &key, "x".repeat(350 << 10), ttl);
        if created.await.is_err() {
            return kept;
        }
    }
    unreachable!("a store that takes everything")
}

#[tokio::test]
async fn what_does_not_grow_can_be_replaced_however_much_there_is() {
    let store = memory();
    let value = |kib: usize| "x".repeat(kib << 10);
    let replace = async |key, version, kib| store.replace(key, version, value(kib), LONG).await;
    assert!(store.create("brief", "1".into(), LONG).await.unwrap());
    fill(&store, Some("a"), LONG).await;
    assert!(replace("a 0", 1, 350).await.unwrap());
    // Others take of what was left, so that the first one holds more than is left now.
    fill(&store, Some("b"), LONG).await;
    fill(&store, None, LONG).await;
    assert!(replace("a 0", 2, 350).await.unwrap());
    assert!(replace("a 0", 3, 300).await.unwrap());
    let grown = replace("a 0", 4, 350).await.unwrap_err();
    assert_eq!(grown.kind(), Kind::StoreUnavailable);
    // Who is too late is told that, and not that there is no room.
    assert!(!replace("a 0", 3, 350).await.unwrap());
    assert!(!replace("nothing", 1, 350).await.unwrap());
    // A short word always finds its place: how a task has ended.
    assert!(replace("brief", 1, 5).await.unwrap());
}

#[tokio::test]
async fn who_has_no_room_to_grow_begins_nothing_new() {
    let store = memory();
    let create = async |holder, key: String| {
        let value = "x".repeat(1 << 10);
        store.create_for(holder, &key, value, LONG).await
    };
    fill(&store, Some("a"), LONG).await;
    let mut kept = 0;
    let full = loop {
        match create(Some("a"), format!("a small {kept}")).await {
            Ok(created) => assert!(created),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert!(kept < 350, "{kept}");
    assert!(full.message().contains("bytes for this caller"), "{full}");
    assert!(create(Some("b"), "b".into()).await.unwrap());
    store.remove("a 0").await.unwrap();
    assert!(create(Some("a"), "a more".into()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_makes_room_before_anything_is_refused() {
    let store = memory();
    let second = Duration::from_secs(1);
    assert!(store.create("small", "1".into(), LONG).await.unwrap());
    let kept = fill(&store, None, second).await;
    let large = || "x".repeat(350 << 10);
    assert!(store.replace("small", 1, large(), LONG).await.is_err());
    advance(second).await;
    assert!(store.replace("small", 1, large(), LONG).await.unwrap());
    assert_eq!(fill(&store, None, second).await, kept - 1);
    assert_eq!(store.held(), kept);
    advance(second).await;
    assert!(store.create("own 0", large(), LONG).await.unwrap());
    assert_eq!(store.held(), 2);
}
