//! Log entries for the client: those of the requested levels, on the stream of the call, while the function runs.

use std::sync::Arc;

use axum::body::Body;
use bifold::{App, Content, Level, RequestInfo};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Client, Events, function, legacy, posted, serving};
use crate::support::{Answer, serve};

const LEVEL: &str = "io.modelcontextprotocol/logLevel";

const LEVELS: [(&str, Level); 8] = [
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("notice", Level::Notice),
    ("warning", Level::Warning),
    ("error", Level::Error),
    ("critical", Level::Critical),
    ("alert", Level::Alert),
    ("emergency", Level::Emergency),
];

/// Sends one entry at each level.
fn chatty() -> App {
    serving(vec![function("chatty", async |cx| {
        for (name, level) in LEVELS {
            cx.log(level, json!({"said": name, "text": "a\nb"}));
        }
        Ok(Content::text("done"))
    })])
}

/// The messages of a stream, or the single response.
fn messages(answer: &Answer) -> Vec<Value> {
    if answer.header("content-type") == "application/json" {
        return vec![answer.json()];
    }
    let events = answer.text();
    let data = events.split_terminator("\n\n").map(|event| {
        event
            .strip_prefix("event: message\ndata: ")
            .unwrap_or_else(|| panic!("{event}"))
            .to_owned()
    });
    data.map(|it| serde_json::from_str(&it).unwrap()).collect()
}

/// The levels of the entries, which must all be before the response.
fn levels(mut messages: Vec<Value>) -> Vec<String> {
    let response = messages.pop().unwrap();
    assert_eq!(
        response["result"]["content"][0]["text"], "done",
        "{response}"
    );
    let entries = messages.iter().map(|it| {
        assert_eq!(it["method"], "notifications/message");
        assert_eq!(it["params"]["data"]["said"], it["params"]["level"]);
        assert_eq!(it["params"]["data"]["text"], "a\nb");
        it["params"]["level"].as_str().unwrap().to_owned()
    });
    entries.collect()
}

#[tokio::test]
async fn a_modern_client_gets_entries_from_its_level_on_and_none_without_one() {
    let client = Client::of(&chatty());
    let call = |meta: Value| client.ask("tools/call", json!({"name": "chatty", "_meta": meta}));
    for (place, (name, _)) in LEVELS.iter().enumerate() {
        let heard = levels(messages(&call(json!({LEVEL: name})).await));
        let expected: Vec<&str> = LEVELS[place..].iter().map(|it| it.0).collect();
        assert_eq!(heard, expected, "{name}");
    }
    let answer = call(json!({})).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(levels(messages(&answer)).is_empty());
}

#[tokio::test]
async fn an_unknown_level_is_refused_before_anything_runs() {
    let client = Client::of(&chatty());
    for level in [
        json!("loud"),
        json!("INFO"),
        json!(1),
        json!({}),
        json!(["info"]),
    ] {
        let params = json!({"_meta": {LEVEL: level}});
        let refusal = client.refusal("chatty", params).await;
        assert_eq!(refusal, (200, -32602), "{level}");
    }
}

#[tokio::test]
async fn a_client_that_accepts_no_events_gets_only_the_result() {
    let client = Client::of(&chatty());
    let params = json!({"name": "chatty", "_meta": {LEVEL: "debug", "progressToken": 1}});
    let mut request = client.request("tools/call", params);
    request
        .headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    let answer = client.send(request).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(levels(messages(&answer)).is_empty());
}

#[tokio::test]
async fn a_legacy_client_that_accepts_events_gets_entries_from_info_on() {
    let app = chatty();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let response = serve(&app, legacy(version, "chatty"), RequestInfo::default()).await;
        let heard = levels(messages(&Answer::read(response).await));
        assert_eq!(heard.len(), 7, "{version}");
        assert!(!heard.contains(&"debug".to_owned()));
    }
    let set = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "error"}});
    let response = serve(&app, posted("2025-11-25", set), RequestInfo::default()).await;
    assert_eq!(Answer::read(response).await.json()["result"], json!({}));
}

#[tokio::test]
async fn a_log_entry_arrives_while_the_function_runs() {
    let gate = Arc::new(Notify::new());
    let opened = gate.clone();
    let app = serving(vec![function("wait", move |cx| {
        let gate = gate.clone();
        async move {
            cx.log(Level::Warning, "waiting");
            gate.notified().await;
            Ok(Content::text("done"))
        }
    })]);
    let client = Client::of(&app);
    let params = json!({"name": "wait", "_meta": {LEVEL: "info"}});
    let mut events = Events::open(&app, client.request("tools/call", params)).await;
    let entry = json!({"level": "warning", "data": "waiting"});
    assert_eq!(events.next().await["params"], entry);
    opened.notify_one();
    assert_eq!(events.next().await["result"]["content"][0]["text"], "done");
    assert!(events.has_ended().await);
}

#[tokio::test]
async fn a_response_has_the_exact_id_of_its_request() {
    let app = chatty();
    for id in [
        r#""a\"b\\c\nd""#,
        r#""\u00e9\u2028é""#,
        r#""""#,
        "0",
        "-9007199254740993",
    ] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"chatty"}}}}"#
        );
        let request = posted("2025-11-25", json!({})).map(|_| Body::from(body));
        let answer = Answer::read(serve(&app, request, RequestInfo::default()).await).await;
        let last = answer.text();
        let last = last.trim_end().rsplit("data: ").next().unwrap();
        assert!(
            last.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)),
            "{last}"
        );
    }
}
