//! Records in a table: what every store keeps to, over a connection that breaks, hangs, and says what is not so.

use std::time::Duration;

use bifold::{App, Change, Config, Deadline, Error, Kind, Record, Server, Store};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use super::table::{Fate, Table, store_at};
use super::{LONG, contract, held, read};
use crate::support::refusing;
use crate::support::{Log, pass, stop_clock};

fn inside(error: &Error) -> String {
    use std::error::Error as _;

    error.source().unwrap().to_string()
}

#[tokio::test]
async fn keeps_to_the_contract_and_leaves_nothing() {
    let table = Table::start().await;
    let store = table.store();
    contract::holds(&store).await;
    assert_eq!((store.held(), table.len()), (0, 0));
}

/// `BIFOLD_TABLE`, `AWS_REGION`, the credentials and perhaps `AWS_ENDPOINT_URL_DYNAMODB` say where the table is.
#[tokio::test]
#[ignore = "needs a table at DynamoDB or an emulator"]
async fn keeps_to_the_contract_where_others_made_the_table() {
    let config = Config::from_env().unwrap();
    assert!(config.table.is_some(), "`BIFOLD_TABLE` is not set");
    let (one, two) = (Store::new(&config).unwrap(), Store::new(&config).unwrap());
    contract::holds(&one).await;
    two_processes_share(&one, &two).await;
    assert_eq!(one.held() + two.held(), 0);
}

#[tokio::test]
#[ignore = "needs DynamoDB or an emulator"]
async fn a_table_that_is_missing_is_named_where_others_answer() {
    let mut config = Config::from_env().unwrap();
    config.table = Some("bifold-no-such-table".to_owned());
    let store = Store::new(&config).unwrap();
    let error = store.get("a").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    let inside = inside(&error);
    assert!(
        inside.contains("`bifold-no-such-table`") && inside.contains("create it"),
        "{inside}"
    );
}

async fn two_processes_share(one: &Store, two: &Store) {
    let key = &format!("test#{:032x}", fastrand::u128(..));
    assert!(one.create(key, "a".into(), LONG).await.unwrap());
    assert!(!two.create(key, "b".into(), LONG).await.unwrap());
    assert_eq!(read(two, key).await, held("a", 1));
    let wait = one.changed(key, 1, Deadline::after(LONG));
    let (change, done) = tokio::join!(wait, two.replace(key, 1, "b".into(), LONG));
    assert!(done.unwrap());
    let second = Record {
        value: "b".into(),
        version: 2,
    };
    assert_eq!(change.unwrap(), Change::To(second));
    let wait = one.changed(key, 2, Deadline::after(LONG));
    let (change, done) = tokio::join!(wait, two.remove(key));
    done.unwrap();
    assert_eq!(change.unwrap(), Change::Gone);
}

#[tokio::test]
async fn two_processes_share_their_records_and_hear_of_each_others_changes() {
    let table = Table::start().await;
    two_processes_share(&table.store(), &table.store()).await;
}

#[tokio::test]
async fn two_hundred_in_two_processes_have_one_winner_for_each_version() {
    let table = Table::start().await;
    let stores = [table.store(), table.store()];
    let create = |writer: usize| stores[writer % 2].create("a", writer.to_string(), LONG);
    let done = join_all((0..200).map(create)).await;
    assert_eq!(
        done.into_iter().filter(|it| *it.as_ref().unwrap()).count(),
        1
    );
    let replace = |writer: usize| stores[writer % 2].replace("a", 1, writer.to_string(), LONG);
    let done = join_all((0..200).map(replace)).await;
    assert_eq!(
        done.into_iter().filter(|it| *it.as_ref().unwrap()).count(),
        1
    );
    assert_eq!(read(&stores[0], "a").await.unwrap().1, 2);
    assert_eq!((table.len(), stores[0].held(), stores[1].held()), (1, 0, 0));
}

#[tokio::test]
async fn who_waits_looks_less_and_less_often_and_at_once_when_its_own_process_writes() {
    let table = Table::start().await;
    let store = table.store();
    assert!(store.create("a", "a".into(), LONG).await.unwrap());
    let clock = stop_clock();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.changed("a", 1, Deadline::after(LONG)).await }
    });
    for (looks, pause) in [100, 200, 400, 800, 1_000, 1_000].into_iter().enumerate() {
        table.asked("GetItem", looks + 1).await;
        // By the time that another request is answered, the one before it is too.
        store.remove("b").await.unwrap();
        tokio::time::advance(Duration::from_millis(pause - 50)).await;
        store.remove("b").await.unwrap();
        assert_eq!(table.count("GetItem"), looks + 1);
        // Timers end on whole milliseconds.
        tokio::time::advance(Duration::from_millis(51)).await;
    }
    table.asked("GetItem", 7).await;
    store.remove("b").await.unwrap();
    drop(clock);
    assert!(store.replace("a", 1, "b".into(), LONG).await.unwrap());
    assert!(matches!(waiting.await.unwrap().unwrap(), Change::To(record) if record.version == 2));
    assert_eq!(table.count("GetItem"), 8);
    assert_eq!(store.held(), 0);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_a_condition_that_does_not_hold_is_not() {
    let table = Table::start().await;
    let store = table.store();
    table.fate(&[
        Fate::Refused(400, "ThrottlingException"),
        Fate::Refused(400, "ProvisionedThroughputExceededException"),
        Fate::Refused(500, "InternalServerError"),
        Fate::Said(503, "<html>busy</html>"),
    ]);
    assert!(store.create("a", "a".into(), LONG).await.unwrap());
    assert_eq!(table.count("PutItem"), 5);
    assert!(!store.create("a", "b".into(), LONG).await.unwrap());
    assert!(!store.replace("a", 2, "b".into(), LONG).await.unwrap());
    assert_eq!(table.count("PutItem"), 7);
    assert_eq!(read(&store, "a").await, held("a", 1));
}

#[tokio::test]
async fn a_table_that_stays_down_is_told_as_what_may_pass_and_does() {
    let table = Table::start().await;
    let store = table.store();
    table.fate(&[Fate::Refused(500, "InternalServerError"); 5]);
    let log = Log::default();
    let guard = log.keep();
    let error = store.get("a").await.unwrap_err();
    drop(guard);
    let lines = log.lines("a request to AWS failed");
    assert_eq!((lines.len(), &lines[0]["status"]), (1, &json!(500)));
    assert_eq!(
        (error.kind(), error.attempts()),
        (Kind::StoreUnavailable, 5)
    );
    assert!(
        error.retryable() && inside(&error).contains("HTTP 500"),
        "{error:?}"
    );
    assert_eq!(read(&store, "a").await, None);
    assert_eq!(table.count("GetItem"), 6);
    let (url, _socket) = refusing();
    let error = store_at(&url).remove("a").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (Kind::StoreUnavailable, 5)
    );
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_as_its_own() {
    let table = Table::start().await;
    let store = table.store();
    table.fate(&[Fate::Broken]);
    assert!(store.create("a", "a".into(), LONG).await.unwrap());
    table.fate(&[Fate::Broken]);
    assert!(store.replace("a", 1, "b".into(), LONG).await.unwrap());
    assert_eq!(read(&store, "a").await, held("b", 2));
    table.fate(&[Fate::Said(200, "lost"), Fate::Broken]);
    assert!(store.replace("a", 2, "c".into(), LONG).await.unwrap());
    // The same value of another writer is another write.
    assert!(!store.replace("a", 2, "c".into(), LONG).await.unwrap());
    assert_eq!(read(&store, "a").await, held("c", 3));
    table.fate(&[Fate::Broken]);
    store.remove("a").await.unwrap();
    assert_eq!(read(&store, "a").await, None);
}

#[tokio::test]
async fn a_body_that_is_no_record_is_no_success() {
    let lies = [
        "",
        "<html>",
        "[]",
        "\"OK\"",
        "{\"Item\": {}}",
        r#"{"Item": {"value": {"S": 1}, "version": {"N": "1"}, "expires": {"N": "9"}}}"#,
        r#"{"Item": {"value": {"S": "a"}, "version": {"N": "-1"}, "expires": {"N": "9"}}}"#,
        r#"{"Item": {"value": {"S": "a"}, "version": {"N": "1"}}}"#,
    ];
    let believe = async |lie| {
        let table = Table::start().await;
        table.fate(&[Fate::Said(200, lie); 5]);
        let store = table.store();
        let error = store.get("a").await.unwrap_err();
        assert_eq!(error.kind(), Kind::StoreUnavailable, "{lie}");
        assert_eq!(error.attempts(), 5, "{lie}");
        assert_eq!(read(&store, "a").await, None);
    };
    join_all(lies.map(believe)).await;
}

#[tokio::test]
async fn a_connection_that_hangs_is_dropped_with_its_client_and_the_request_succeeds_on_a_new_one()
{
    let table = Table::start().await;
    let store = table.store();
    // Two at once leave two connections open.
    let both = join_all([store.get("a"), store.get("b")]).await;
    assert!(both.iter().all(Result::is_ok));
    assert_eq!(table.connections(), 2);
    table.fate(&[Fate::Hung]);
    let creating = tokio::spawn({
        let store = store.clone();
        async move { store.create("a", "a".into(), LONG).await }
    });
    table.asked("PutItem", 1).await;
    pass(Duration::from_secs(2)).await;
    assert!(creating.await.unwrap().unwrap());
    // The other one was still good, but it was the broken client's.
    assert_eq!((table.count("PutItem"), table.connections()), (2, 3));
    assert_eq!(read(&store, "a").await, held("a", 1));
    assert_eq!(table.connections(), 3);
}

#[tokio::test]
async fn a_table_that_always_hangs_holds_nobody_beyond_the_limit() {
    let table = Table::start().await;
    let store = table.store();
    table.fate(&[Fate::Hung; 3]);
    let since = Instant::now();
    let getting = tokio::spawn({
        let store = store.clone();
        async move { store.get("a").await }
    });
    for tries in 1..=3 {
        table.asked("GetItem", tries).await;
        pass(Duration::from_secs(2)).await;
    }
    let error = getting.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (Kind::StoreUnavailable, 3)
    );
    assert!(since.elapsed() < Duration::from_secs(7));
    assert_eq!(read(&store, "a").await, None);
}

#[tokio::test]
async fn a_value_that_no_item_holds_is_refused_before_anything_is_sent() {
    let table = Table::start().await;
    let store = table.store();
    let most = 350 * 1024;
    let value = |bytes| "x".repeat(bytes);
    assert!(store.create("a", value(most), LONG).await.unwrap());
    let create = store.create("b", value(most + 1), LONG).await;
    let replace = store.replace("a", 1, value(most + 1), LONG).await;
    for error in [create.unwrap_err(), replace.unwrap_err()] {
        assert_eq!(error.kind(), Kind::ValueTooLarge);
        assert!(
            !error.retryable() && error.message().contains("358401"),
            "{error}"
        );
    }
    assert_eq!(table.operations(), ["PutItem"]);
}

#[tokio::test]
async fn a_table_that_is_not_as_it_should_be_is_told_inside_with_what_to_do() {
    let table = Table::start().await;
    let store = table.store();
    for (class, advice) in [
        ("ResourceNotFoundException", "create it"),
        ("AccessDeniedException", "`dynamodb:PutItem`"),
        ("ExpiredTokenException", "`AWS_SESSION_TOKEN`"),
        ("ValidationException", "`pk`"),
    ] {
        table.fate(&[Fate::Refused(400, class)]);
        let log = Log::default();
        let guard = log.keep();
        let error = store.create("a", "a".into(), LONG).await.unwrap_err();
        drop(guard);
        assert_eq!((error.kind(), error.attempts()), (Kind::Internal, 1));
        let line = log.lines("a request to AWS failed").remove(0);
        let said = ["level", "service", "status", "code"].map(|field| line[field].clone());
        let expected = [json!("WARN"), json!("dynamodb"), json!(400), json!(class)];
        assert_eq!(said, expected);
        assert!(!line.to_string().contains("because"), "{line}");
        let inside = inside(&error);
        for part in [class, advice, "`bifold-test`", "`eu-west-1`", "because"] {
            assert!(inside.contains(part), "{inside}");
            assert!(!error.message().contains(part), "{error}");
        }
    }
    assert!(store.create("a", "a".into(), LONG).await.unwrap());
}

#[test]
fn a_setting_that_is_missing_or_wrong_is_named_at_start() {
    let good = [
        ("BIFOLD_TABLE", "bifold-test"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1/"),
    ];
    let start = |wrong: &str, value: &str| {
        let vars = good.map(|(name, good)| match name == wrong {
            true => (name.to_owned(), value.to_owned()),
            false => (name.to_owned(), good.to_owned()),
        });
        let config = Config::from_vars(vars.into_iter(), &[]).unwrap();
        let started = App::new(config, Server::new("it", "1"));
        started.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(start("", ""), Ok(()));
    for (name, value) in [
        ("AWS_REGION", ""),
        ("AWS_REGION", "a/b"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ENDPOINT_URL_DYNAMODB", "127.0.0.1:1"),
    ] {
        let said = start(name, value).unwrap_err();
        assert!(said.contains(&format!("`{name}`")), "{said}");
        assert!(
            said.contains("`BIFOLD_TABLE`") && !said.contains("hidden"),
            "{said}"
        );
    }
}
