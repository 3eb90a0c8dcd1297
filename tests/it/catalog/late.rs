//! When the functions of a server are made: at start, and on Lambda with the first request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{App, Config, Server};
use serde_json::json;

use super::{call, document, named, question, tools};
use crate::support::TestApp;

/// The settings of a process that is frozen between requests.
pub fn frozen() -> Config {
    let mut config = Config::default();
    config.function = Some("frozen".to_owned());
    config
}

/// A server that counts how often its functions are made.
fn counting() -> (Server, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let server = Server::new("late", "1.0.0")
        .tool(named("first"))
        .functions(move |all| {
            counter.fetch_add(1, Ordering::Relaxed);
            all.add_tool(named("second"));
            all.add_resource(document("late://document"));
            all.add_prompt(question("late"));
        })
        .tool(named("third"));
    (server, made)
}

#[tokio::test]
async fn functions_are_made_once_at_start_and_on_lambda_with_the_first_request() {
    for (config, at_start) in [(Config::default(), 1), (frozen(), 0)] {
        let (server, made) = counting();
        let app = TestApp::of(App::new(config, server).unwrap()).await;
        assert_eq!(made.load(Ordering::Relaxed), at_start);
        // Every list keeps the order in which they were added.
        assert_eq!(tools(&app).await, ["first", "second", "third"]);
        assert_eq!(call(&app, "second").await, "second");
        let said = app.get("/api/say/second").await.json();
        assert_eq!(said[0]["text"], "second");
        let read = json!({"uri": "late://document"});
        let read = app.mcp("resources/read", read).await.json();
        assert_eq!(read["result"]["contents"][0]["text"], "late_document");
        let prompts = app.mcp("prompts/list", json!({})).await.json();
        assert_eq!(prompts["result"]["prompts"][0]["name"], "late");
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_process_that_ends_before_its_first_request_makes_no_functions() {
    let (server, made) = counting();
    let app = App::new(frozen(), server).unwrap();
    app.close();
    app.stop(std::time::Duration::from_secs(1)).await;
    assert_eq!(made.load(Ordering::Relaxed), 0);
}

#[test]
fn functions_that_are_added_late_are_checked_at_every_start_but_one_on_lambda() {
    let twice = || {
        Server::new("late", "1.0.0")
            .tool(named("one"))
            .functions(|all| all.add_tool(named("one")))
    };
    let refused = App::new(Config::default(), twice()).err().unwrap();
    assert!(refused.to_string().contains("`one`"), "{refused}");
    assert!(App::new(frozen(), twice()).is_ok());
}

#[tokio::test]
async fn on_lambda_a_search_whose_names_are_taken_leaves_the_list_as_it_is() {
    let server = || {
        Server::new("late", "1.0.0")
            .search()
            .tools(["one", "search_tools"].map(named))
    };
    let refused = App::new(Config::default(), server()).err().unwrap();
    assert!(refused.to_string().contains("`search_tools`"), "{refused}");
    let app = TestApp::of(App::new(frozen(), server()).unwrap()).await;
    assert_eq!(tools(&app).await, ["one", "search_tools"]);
    assert_eq!(call(&app, "search_tools").await, "search_tools");
}
