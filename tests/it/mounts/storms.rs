//! Mounted servers whose lists have no end or never stay the same, and several servers that fail at once.

use std::collections::BTreeSet;
use std::time::Duration;

use bifold::{App, Config, Mount};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, advance};

use super::eras::settled;
use super::legacy::Legacy;
use super::modern::notes;
use super::{mounting, status, tools, until};
use crate::support::{TestApp, on_socket, refusing, stop_clock};

fn entry(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

/// Lets everything run that needs no time to pass.
async fn breathe() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The states that `/health` tells, which waits for no server.
async fn states(app: &TestApp) -> Value {
    app.get("/health").await.json()["mounts"].take()
}

#[tokio::test]
async fn a_list_without_an_end_is_cut_and_what_came_before_is_offered() {
    let page = |names: Vec<String>, next: String| {
        let tools: Vec<Value> = names.iter().map(|it| entry(it)).collect();
        json!({ "tools": tools, "nextCursor": next })
    };
    let number = |cursor: Option<&str>| cursor.map_or(0, |it| it.parse::<usize>().unwrap());
    let limits = "a list has at most 2000 entries, 200 pages and 33554432 bytes";
    let anew = "the server begins the list anew, without an end";
    type Lister = Box<dyn Fn(Option<&str>, usize) -> Value + Send + Sync>;
    let cases: [(&str, Lister, usize, usize, &str); 5] = [
        (
            "always another page",
            Box::new(move |cursor, _| {
                let at = number(cursor);
                page(vec![format!("t{at}")], (at + 1).to_string())
            }),
            200,
            200,
            limits,
        ),
        (
            "always the same page",
            Box::new(move |_, _| page(vec!["t".to_owned()], "1".to_owned())),
            1,
            2,
            anew,
        ),
        (
            "pages in a circle",
            Box::new(move |cursor, _| {
                let at = number(cursor);
                page(vec![format!("t{at}")], ((at + 1) % 3).to_string())
            }),
            3,
            4,
            anew,
        ),
        (
            "pages of 1,500",
            Box::new(move |cursor, _| {
                let at = number(cursor);
                let names = (0..1500).map(|it| format!("t{at}_{it}")).collect();
                page(names, (at + 1).to_string())
            }),
            2000,
            2,
            limits,
        ),
        (
            "pages of 7 MB",
            Box::new(move |cursor, _| {
                let at = number(cursor);
                let tools: Vec<Value> = (0..35)
                    .map(|it| {
                        let mut tool = entry(&format!("t{at}_{it}"));
                        tool["description"] = "x".repeat(200_000).into();
                        tool
                    })
                    .collect();
                json!({ "tools": tools, "nextCursor": (at + 1).to_string() })
            }),
            5 * 35,
            5,
            limits,
        ),
    ];
    for (name, lister, offered, requests, why) in cases {
        let legacy = Legacy::default();
        legacy.list_with(lister);
        let (address, _) = legacy.on_socket().await;
        let app = mounting([Mount::http("old", format!("http://{address}/mcp"))]).await;
        until(&app, |it| it[0]["state"] == "up").await;
        let status = status(&app).await;
        assert_eq!(status["tools"], offered, "{name}: {}", status["refused"]);
        assert_eq!(legacy.seen("tools/list").len(), requests, "{name}");
        let refused = status["refused"].as_array().unwrap();
        assert_eq!(refused[0]["what"], "the rest of `tools/list`", "{name}");
        assert_eq!(refused[0]["why"], why, "{name}");
        assert!(refused.len() <= 100, "{name}: {}", refused.len());
    }
}

#[tokio::test]
async fn lists_that_change_all_the_time_are_read_ever_more_rarely_and_others_do_not_notice() {
    let _stopped = stop_clock();
    let legacy = Legacy::default();
    legacy.list_with(|_, number| json!({ "tools": [entry(&format!("t{number}"))] }));
    let (address, _) = legacy.on_socket().await;
    let (honest, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let restless = Mount::http("old", format!("http://{address}/mcp"));
    let app = mounting([restless, Mount::http("n", format!("http://{honest}/mcp"))]).await;
    until(&app, |it| it[0]["state"] == "up" && it[1]["state"] == "up").await;
    settled(|| legacy.streams() == 1).await;
    let mut seen = BTreeSet::new();
    // Ten minutes, in each second of which it says 20 times that its list has changed.
    for _ in 0..600 {
        for _ in 0..20 {
            legacy.announce();
        }
        breathe().await;
        seen.extend(
            tools(&app)
                .await
                .into_iter()
                .filter(|it| it.starts_with("old_")),
        );
        let sum = app.tool("n_add", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(sum["structuredContent"]["sum"], 3, "{sum}");
        advance(Duration::from_secs(1)).await;
    }
    let readings = legacy.seen("tools/list").len();
    // The waits grow from a quarter of a second to a minute.
    assert!((5..=25).contains(&readings), "{readings} readings");
    assert!(seen.len() >= 3, "{seen:?}");
    let now = tools(&app).await;
    assert_eq!(
        now.iter().filter(|it| it.starts_with("old_")).count(),
        1,
        "{now:?}"
    );
}

#[cfg(all(unix, feature = "provenance"))]
#[tokio::test]
async fn five_servers_of_which_four_fail_at_once_cost_a_list_a_second_and_the_fifth_nothing() {
    let stopped = stop_clock();
    let hung = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hung = format!("http://{}/mcp", hung.local_addr().unwrap());
    let (refused, _socket) = refusing();
    let liar = Legacy::default();
    liar.list_with(|_, number| {
        let names = [format!("t{number}"), "x".repeat(300), "a b".to_owned()];
        let tools: Vec<Value> = names.iter().map(|it| entry(it)).collect();
        json!({ "tools": tools, "nextCursor": (number % 3).to_string() })
    });
    let (liar, _) = liar.on_socket().await;
    let (honest, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let app = mounting([
        Mount::http("hung", hung),
        Mount::stdio("crashing", "false"),
        Mount::http("refusing", format!("{refused}/mcp")),
        Mount::http("lying", format!("http://{liar}/mcp")),
        Mount::http("n", format!("http://{honest}/mcp")),
    ])
    .await;
    let since = Instant::now();
    let listing = app.mcp("tools/list", json!({}));
    tokio::pin!(listing);
    let others = json!({ "hung": "starting", "crashing": "down", "refusing": "down", "lying": "up", "n": "up" });
    // The end of a process is noticed a moment after it.
    let answered = async {
        for _ in 0..100_000 {
            if states(&app).await == others {
                return;
            }
            let passed = since.elapsed() < Duration::from_millis(900);
            advance(Duration::from_millis(u64::from(passed))).await;
        }
        panic!("{}", states(&app).await);
    };
    tokio::select! {
        biased;
        _ = &mut listing => panic!("the list has not waited for the server that hangs"),
        () = answered => {}
    }
    // Timers count in whole milliseconds.
    advance(Duration::from_millis(1_001).saturating_sub(since.elapsed())).await;
    let list = listing.await.json();
    assert!(
        since.elapsed() <= Duration::from_millis(1_001),
        "{:?}",
        since.elapsed()
    );
    let names = list["result"]["tools"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|it| it["name"].as_str().unwrap()).collect();
    for expected in ["n_add", "n_ask", "lying_t1"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    assert_eq!(
        list["result"]["_meta"]["bifold/absent"],
        json!(["crashing", "refusing"])
    );
    let since = Instant::now();
    tools(&app).await;
    for _ in 0..50 {
        let sum = app.tool("n_add", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(sum["structuredContent"]["sum"], 3, "{sum}");
    }
    assert_eq!(since.elapsed(), Duration::ZERO);
    drop(stopped);
    app.app.stop(Duration::from_secs(10)).await;
}
