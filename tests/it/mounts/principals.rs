//! Principals and the child processes of mounted servers: what a process keeps for one of them is not for another.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::middleware::from_fn;
use bifold::{App, Config, Mount, Server};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::advance;

use super::eras::settled;
use super::liar::Era;
use super::stdio::{Folder, is_running, liar, pids, says};
use super::{call_as, named, until};
use crate::support::{TestApp, stop_clock};

/// The most processes of principals of one mount.
const MOST: usize = 16;

async fn gateway(folder: &Folder, change: fn(Mount) -> Mount) -> TestApp {
    let answers = vec![("pid", says("@PID@")), ("wait", says("waited"))];
    let mount = change(liar(folder, Era::Modern, &answers));
    let server = Server::new("gateway", "1")
        .mount(mount)
        .layer(from_fn(named));
    let app = TestApp::of(App::new(Config::default(), server).unwrap()).await;
    until(&app, |it| it[0]["state"] == "up").await;
    app
}

fn text(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{result}")).to_owned()
}

/// The process that answers the principal.
async fn process(app: &TestApp, user: &str) -> i32 {
    text(&call_as(app, user, "liar_pid").await).parse().unwrap()
}

fn running(folder: &Folder) -> Vec<i32> {
    let mut all = pids(&folder.path("pids"));
    all.retain(|it| is_running(*it));
    all
}

#[tokio::test]
async fn each_principal_has_a_process_of_its_own_and_callers_without_a_name_share_one() {
    let folder = Folder::new("principals");
    let app = gateway(&folder, |it| it).await;
    let shared = pids(&folder.path("pids"))[0];
    let nameless = async || text(&app.tool("liar_pid", json!({})).await);
    assert_eq!(nameless().await, shared.to_string());
    let (ada, bo) = (process(&app, "ada").await, process(&app, "bo").await);
    assert_eq!(BTreeSet::from([shared, ada, bo]).len(), 3);
    assert_eq!(process(&app, "ada").await, ada);

    // The end of one process is the end of no other.
    let killed = std::process::Command::new("kill")
        .args(["-9", &ada.to_string()])
        .status();
    assert!(killed.unwrap().success());
    settled(|| !is_running(ada)).await;
    // A call that comes before the end is noticed may be lost.
    call_as(&app, "ada", "liar_pid").await;
    let again = process(&app, "ada").await;
    assert_eq!(BTreeSet::from([shared, ada, bo, again]).len(), 4);
    assert_eq!(process(&app, "bo").await, bo);
    assert_eq!(nameless().await, shared.to_string());
    app.app.stop(Duration::from_secs(10)).await;
    assert!(running(&folder).is_empty());
}

#[tokio::test]
async fn processes_of_principals_are_bounded_and_the_one_that_is_idle_longest_makes_room() {
    let folder = Folder::new("bounded");
    let app = gateway(&folder, |it| it).await;
    let first = process(&app, "user0").await;
    for number in 1..MOST + 4 {
        process(&app, &format!("user{number}")).await;
        assert!(running(&folder).len() <= MOST + 1);
    }
    assert!(!is_running(first));
    assert_ne!(process(&app, "user0").await, first);

    // Where all are at work, another principal is refused and takes none from them.
    let users: Vec<String> = (0..MOST).map(|it| format!("busy{it}")).collect();
    let calls = join_all(users.iter().map(|it| call_as(&app, it, "liar_wait")));
    let refused = async {
        let waiting = || std::fs::read_to_string(folder.path("waiting")).unwrap_or_default();
        settled(|| waiting().lines().count() == MOST).await;
        let refused = call_as(&app, "late", "liar_pid").await;
        assert_eq!(
            refused["_meta"]["bifold/error"]["kind"], "busy",
            "{refused}"
        );
        assert_eq!(running(&folder).len(), MOST + 1);
        std::fs::write(folder.path("go"), "").unwrap();
    };
    let (results, ()) = tokio::join!(calls, refused);
    assert!(results.iter().all(|it| text(it) == "waited"), "{results:?}");
    process(&app, "late").await;
    app.app.stop(Duration::from_secs(10)).await;
    assert!(running(&folder).is_empty());
}

#[tokio::test]
async fn a_process_that_its_principal_does_not_use_any_more_ends() {
    let folder = Folder::new("idle");
    let app = gateway(&folder, |it| it).await;
    let ada = process(&app, "ada").await;
    let shared = pids(&folder.path("pids"))[0];
    let stopped = stop_clock();
    let readings = || {
        std::fs::read_to_string(folder.path("lists"))
            .unwrap()
            .lines()
            .count()
    };
    // What is not used is looked for whenever the lists are read, which is every five minutes.
    for _ in 0..8 {
        let before = readings();
        advance(Duration::from_secs(301)).await;
        settled(|| readings() > before).await;
        // It answers in order, so that the list has arrived too.
        app.tool("liar_pid", json!({})).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    settled(|| !is_running(ada)).await;
    assert_eq!(running(&folder), [shared]);
    drop(stopped);
    app.app.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_process_that_is_declared_as_shared_is_for_all() {
    let folder = Folder::new("shared");
    let app = gateway(&folder, Mount::shared).await;
    let shared = pids(&folder.path("pids"))[0];
    assert_eq!(process(&app, "ada").await, shared);
    assert_eq!(process(&app, "bo").await, shared);
    app.app.stop(Duration::from_secs(10)).await;
}
