//! Requests that run while the catalog changes: each keeps what it began with.

use std::sync::Arc;

use bifold::{Catalog, Content, Context, Error, Registry, Result, Server, Tool, batch};
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{Gate, Nothing, call, named, saying, server, tools};
use crate::support::{TestApp, on_socket};

/// Waits for the test, and then tells which tools its request knows.
async fn wait(cx: Context, _: Nothing) -> Result<Content> {
    let gate = cx.state::<Gate>()?;
    gate.entered.notify_one();
    gate.open.notified().await;
    let registry = Registry::of(&cx)?;
    let names: Vec<&str> = registry.tools().iter().map(|it| it.name()).collect();
    let nested = registry.call_named("one", cx.clone(), "{}").await?;
    Ok(Content::text(format!(
        "{}: {}",
        names.join(" "),
        nested.json()
    )))
}

/// Adds a tool, and looks for it in its own request.
async fn grow(cx: Context, _: Nothing) -> Result<Content> {
    let catalog = cx.state::<Catalog>()?;
    catalog.change(|functions| functions.add_tool(named("grown")))?;
    let known = Registry::of(&cx)?.get("grown").is_some();
    let offered = catalog.current().get("grown").is_some();
    Ok(Content::text(format!("{known} {offered}")))
}

fn waiting(gate: &Gate) -> Server {
    server()
        .tools(vec![Tool::new("wait", wait).get("/wait")])
        .state(gate.clone())
}

#[tokio::test]
async fn the_call_of_a_tool_that_is_removed_meanwhile_ends_with_the_catalog_it_began_with() {
    let gate = Gate::default();
    let app = Arc::new(TestApp::serving(waiting(&gate)).await);
    for protocol in ["mcp", "rest"] {
        let before = app.app.registry().functions().clone();
        let running = tokio::spawn({
            let app = app.clone();
            async move {
                match protocol {
                    "mcp" => call(&app, "wait").await,
                    _ => app.get("/api/wait").await.json()[0]["text"].take(),
                }
            }
        });
        gate.entered.notified().await;
        app.app
            .catalog()
            .replace_tools(vec![saying("one", "another"), named("three")])
            .unwrap();
        assert_eq!(tools(&app).await, ["one", "three"]);
        let gone = app.get("/api/wait").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        gate.open.notify_one();
        let said = running.await.unwrap();
        let said = said.as_str().unwrap();
        assert!(said.starts_with("one two wait: "), "{protocol}: {said}");
        assert!(!said.contains("another"), "{protocol}: {said}");
        app.app
            .catalog()
            .change(|functions| *functions = before)
            .unwrap();
    }
}

#[tokio::test]
async fn a_function_can_change_the_catalog_and_its_own_request_does_not_see_it() {
    let server = server().tools(vec![Tool::new("grow", grow)]);
    let app = TestApp::serving(server).await;
    assert_eq!(call(&app, "grow").await, "false true");
    assert_eq!(call(&app, "grown").await, "grown");
    // The name is taken now, which the function reports as its own failure.
    let said = call(&app, "grow").await;
    assert!(
        said.as_str().unwrap().contains("same name: `grown`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_batch_calls_the_functions_of_the_moment_it_began() {
    let server = server().tools(vec![batch::tool()]);
    let app = TestApp::serving(server).await;
    let batch = async || {
        let body = json!({"calls": [{"name": "one"}, {"name": "late"}]}).to_string();
        let mut report = app.post("/api/batch", body).await.json();
        (report["succeeded"].take(), report["failures"].take())
    };
    let (succeeded, failures) = batch().await;
    assert_eq!(succeeded, 1);
    assert_eq!(failures[0]["kind"], "unknown_function");
    app.app
        .catalog()
        .change(|functions| functions.add_tool(named("late")))
        .unwrap();
    assert_eq!(batch().await.0, 2);
}

#[tokio::test]
async fn each_message_of_an_open_websocket_sees_the_catalog_of_its_own_moment() {
    let app = TestApp::serving(server()).await;
    let (address, serving) = on_socket(&app.app).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let mut ask = async |name: &str| {
        let params = json!({"name": name, "arguments": {}});
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = Message::text(request.to_string());
        socket.send(request).await.unwrap();
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                let answer: Value = serde_json::from_str(&text).unwrap();
                if answer.get("id").is_some() {
                    break answer;
                }
            }
        }
    };
    assert!(ask("three").await["error"].is_object());
    let catalog = app.app.catalog();
    catalog.replace_tools(vec![named("three")]).unwrap();
    assert_eq!(ask("three").await["result"]["content"][0]["text"], "three");
    assert!(ask("one").await["error"].is_object());
    serving.abort();
}

#[tokio::test]
async fn calls_that_race_with_a_thousand_changes_see_one_catalog_each() {
    let app = Arc::new(TestApp::serving(server()).await);
    let catalog = app.app.catalog().clone();
    let old = Arc::downgrade(&catalog.current());
    let mut replaced = Vec::new();
    for round in 0..1000 {
        replaced.push(Arc::downgrade(&catalog.current()));
        let (first, second) = (format!("a{round}"), format!("b{round}"));
        catalog
            .replace_tools(vec![named(&first), named(&second)])
            .unwrap();
        if round % 100 == 0 {
            assert_eq!(tools(&app).await, [first.as_str(), &second]);
            assert_eq!(call(&app, &first).await, first.as_str());
            let path = format!("/api/say/{second}");
            assert_eq!(app.get(&path).await.status, StatusCode::OK);
            app.get("/openapi.json").await;
        }
    }
    assert!(old.upgrade().is_none());
    let kept = replaced.iter().filter(|it| it.strong_count() > 0).count();
    assert_eq!(kept, 0, "a registry is kept after it was replaced");
    let current = catalog.current();
    let tool = Arc::downgrade(&current.tools()[0]);
    drop(current);
    catalog.replace_tools(Vec::new()).unwrap();
    assert!(tool.upgrade().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_never_a_mixture_of_two_catalogs() {
    let app = Arc::new(TestApp::serving(server()).await);
    let catalog = app.app.catalog().clone();
    catalog
        .replace_tools(vec![named("a0"), named("b0")])
        .unwrap();
    let changing = tokio::task::spawn_blocking(move || {
        for round in 1..=200 {
            let (first, second) = (format!("a{round}"), format!("b{round}"));
            let changed = catalog.replace_tools(vec![named(&first), named(&second)]);
            changed.map_err(Error::from).unwrap();
        }
    });
    for _ in 0..100 {
        let list = tools(&app).await;
        assert_eq!(list.len(), 2);
        assert_eq!(list[0][1..], list[1][1..], "{list:?}");
    }
    changing.await.unwrap();
}
