//! Mounted servers that hang, refuse, lie and say too much: the others work, and everything ends in bounded time.

use std::time::Duration;

use bifold::{App, Config, Mount, Server, Tool};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::legacy::Legacy;
use super::modern::notes;
use super::{mounting, status, tools, until};
use crate::support::{TestApp, on_socket, refusing};

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_costs_the_first_list_a_second_and_later_ones_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let own = Tool::new("own", || "own").describe("Our own.");
    let server = Server::new("gateway", "1")
        .tool(own)
        .mount(Mount::http("hung", url));
    let app = TestApp::of(App::new(Config::default(), server).unwrap()).await;
    let since = Instant::now();
    assert_eq!(tools(&app).await, ["own"]);
    assert!(
        since.elapsed() <= Duration::from_millis(1_001),
        "{:?}",
        since.elapsed()
    );
    let since = Instant::now();
    assert_eq!(tools(&app).await, ["own"]);
    assert_eq!(
        app.tool("own", json!({})).await["content"][0]["text"],
        "own"
    );
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_named_and_the_others_are_there() {
    let (refused, _socket) = refusing();
    let (address, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let gone = Mount::http("gone", format!("{refused}/mcp"));
    let app = mounting([gone, Mount::http("n", format!("http://{address}/mcp"))]).await;
    let list = app.mcp("tools/list", json!({})).await.json();
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 5);
    assert_eq!(list["result"]["_meta"]["bifold/absent"], json!(["gone"]));
    let known = status(&app).await;
    assert_eq!(known["state"], "down");
    assert_eq!(known["error"], "upstream `gone` could not be reached");
    let health = app.get("/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(
        health.json()["mounts"],
        json!({ "gone": "down", "n": "up" })
    );
}

#[tokio::test]
async fn the_last_good_list_stays_while_a_server_is_away_and_calls_say_why_they_fail() {
    let legacy = Legacy::with_tools(&["one"]);
    let (address, serving) = legacy.on_socket().await;
    let app = mounting([Mount::http("old", format!("http://{address}/mcp"))]).await;
    assert_eq!(tools(&app).await, ["old_one"]);
    serving.abort();
    let _ = serving.await;
    legacy.restart();
    tokio::time::pause();
    let result = app.tool("old_one", json!({})).await;
    tokio::time::resume();
    assert_eq!(result["isError"], true, "{result}");
    let kind = &result["_meta"]["bifold/error"]["kind"];
    assert!(
        kind.as_str().unwrap().starts_with("upstream_un"),
        "{result}"
    );
    assert_eq!(tools(&app).await, ["old_one"]);
    // It comes back at the same place.
    let listener = TcpListener::bind(address).await.unwrap();
    legacy.serve(listener);
    let result = app.tool("old_one", json!({})).await;
    assert_eq!(result["content"][0]["text"], "called one", "{result}");
    until(&app, |it| it[0]["state"] == "up").await;
}

#[tokio::test]
async fn a_server_that_lies_fails_its_own_calls_and_no_others() {
    let legacy = Legacy::with_tools(&["lie", "garbage", "die", "good"]);
    let (address, _) = legacy.on_socket().await;
    let app = mounting([Mount::http("old", format!("http://{address}/mcp"))]).await;
    for (name, problem) in [
        ("old_lie", "answered a request that was not sent"),
        ("old_garbage", "sent a message that is not JSON-RPC"),
        ("old_die", "ended its answer without a result"),
    ] {
        let result = app.tool(name, json!({})).await;
        assert_eq!(result["isError"], true, "{result}");
        let said = result["content"][0]["text"].as_str().unwrap();
        assert!(said.contains(problem), "{said}");
        let kind = &result["_meta"]["bifold/error"]["kind"];
        assert_eq!(kind, "upstream_invalid_response");
        let good = app.tool("old_good", json!({})).await;
        assert_eq!(good["content"][0]["text"], "called good");
    }
    let calls = legacy.seen("tools/call");
    assert_eq!(calls.len(), 6, "what may have run is not made again");
}

#[tokio::test]
async fn entries_that_clients_would_refuse_are_left_out_each_with_its_reason() {
    let legacy = Legacy::default();
    let object = json!({ "type": "object" });
    let deep = (0..60).fold(json!({}), |it, _| json!({ "properties": { "x": it } }));
    let entries = [
        ("good", object.clone()),
        ("good", object.clone()),
        (&"x".repeat(300), object.clone()),
        ("with space", object.clone()),
        ("text", json!({ "type": "string" })),
        ("none", json!(null)),
        (
            "properties",
            json!({ "type": "object", "properties": { "x": 1 } }),
        ),
        ("required", json!({ "type": "object", "required": "x" })),
        (
            "deep",
            json!({ "type": "object", "properties": { "x": deep } }),
        ),
        (
            "large",
            json!({ "type": "object", "description": "x".repeat(300 << 10) }),
        ),
    ];
    let entries = entries
        .iter()
        .map(|(name, schema)| json!({ "name": name, "inputSchema": schema }));
    legacy.set_entries(entries.collect());
    let (address, _) = legacy.on_socket().await;
    let app = mounting([Mount::http("old", format!("http://{address}/mcp"))]).await;
    assert_eq!(tools(&app).await, ["old_good"]);
    let status = status(&app).await;
    let reasons = status["refused"].as_array().unwrap().iter();
    let reasons: Vec<&str> = reasons.map(|it| it["why"].as_str().unwrap()).collect();
    let expected = [
        "the server lists it twice",
        "304 characters",
        "a name has only characters",
        "has not the type `object`",
        "has not the type `object`",
        "are not schemas",
        "is not a list of names",
        "levels deep",
        "bytes",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason}: {expected}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let text = "x".repeat(100 << 10);
    let large = Tool::new("large", move || text.clone()).describe("Says much.");
    let server = Server::new("large", "1").tool(large);
    let (address, _) = on_socket(&App::new(Config::default(), server).unwrap()).await;
    let mut config = Config::default();
    config.max_upstream_bytes = 64 << 10;
    let server =
        Server::new("gateway", "1").mount(Mount::http("n", format!("http://{address}/mcp")));
    let app = TestApp::of(App::new(config, server).unwrap()).await;
    let result = app.tool("n_large", json!({})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["_meta"]["bifold/error"]["kind"], "upstream_invalid_response",
        "{result}"
    );
}

#[test]
fn a_mount_that_cannot_work_is_refused_at_start() {
    let problems = |config: Config, mounts: Vec<Mount>| {
        let server = mounts
            .into_iter()
            .fold(Server::new("it", "1"), Server::mount);
        App::new(config, server).err().unwrap().to_string()
    };
    let http = |name: &str| Mount::http(name, "http://127.0.0.1:1/mcp");
    let cases = [
        (
            vec![http("a b")],
            "mounted server `a b`: its name must have",
        ),
        (
            vec![http("a"), http("a")],
            "mounted server `a`: there are two of that name",
        ),
        (
            vec![Mount::http("a", "ftp://x/y")],
            "must begin with `https://` or `http://`",
        ),
        (
            vec![Mount::http("a", "http://u:p@x/")],
            "has a user name or a password",
        ),
        (
            vec![http("a").header("mcp-session-id", "x")],
            "is set by the protocol",
        ),
        (
            vec![http("a").header("x-key", "\n")],
            "the header `x-key` has characters",
        ),
        (
            vec![http("a").client_credentials("http://example.com/token", "id", "key", "")],
            "its `tokenUrl` must begin with `https://`",
        ),
        (
            vec![http("a").header("authorization", "x").client_credentials(
                "https://example.com/token",
                "id",
                "key",
                "",
            )],
            "it has the header `Authorization` and `oauth`: remove one of them",
        ),
        (vec![Mount::stdio("a", "")], "its command is empty"),
    ];
    for (mounts, problem) in cases {
        let said = problems(Config::default(), mounts);
        assert!(said.contains(problem), "{said}");
        assert!(!said.contains("u:p"), "{said}");
    }
    let mut lambda = Config::default();
    lambda.function = Some("f".to_owned());
    let said = problems(lambda, vec![Mount::stdio("a", "npx")]);
    assert!(said.contains("cannot have a child process"), "{said}");
}

#[tokio::test]
async fn the_page_about_mounts_is_for_callers_where_callers_are_checked() {
    let (refused, _socket) = refusing();
    let server = Server::new("gateway", "1").mount(Mount::http("gone", format!("{refused}/mcp")));
    let mut config = Config::default();
    // The hash of no key at all: nobody has the right one.
    config.api_keys = Some(format!("nobody {}", "0".repeat(64)));
    let app = TestApp::of(App::new(config, server).unwrap()).await;
    let answer = app.get("/mounts").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    assert!(!answer.text().contains("gone"));
    assert_eq!(app.get("/health").await.json()["mounts"]["gone"], "down");
}
