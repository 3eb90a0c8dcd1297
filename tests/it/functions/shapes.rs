//! A function takes nothing, its arguments, a context, or both, and is async or not.

use bifold::prelude::*;
use serde_json::json;

use crate::support::TestApp;

/// Greets someone by name.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
}

async fn greet(Greet { name }: Greet) -> Result<String> {
    Ok(format!("Hello, {name}!"))
}

fn greet_now(Greet { name }: Greet) -> Result<String> {
    Ok(format!("Hello, {name}!"))
}

async fn greet_within(cx: Context, Greet { name }: Greet) -> Result<String> {
    assert!(!cx.request_id().is_empty());
    Ok(format!("Hello, {name}!"))
}

fn greet_within_now(cx: Context, Greet { name }: Greet) -> String {
    assert!(!cx.request_id().is_empty());
    format!("Hello, {name}!")
}

async fn hello() -> Result<String> {
    Ok("Hello!".to_owned())
}

fn hello_now() -> &'static str {
    "Hello!"
}

async fn hello_within(cx: Context) -> String {
    assert!(!cx.request_id().is_empty());
    "Hello!".to_owned()
}

fn hello_within_now(cx: Context) -> Result<&'static str> {
    assert!(!cx.request_id().is_empty());
    Ok("Hello!")
}

/// Every shape, with the functions that greet by name first.
fn tools() -> (Vec<Tool>, Vec<Tool>) {
    let greeting = vec![
        Tool::new("a_async", greet),
        Tool::new("a_sync", greet_now),
        Tool::sync("a_sync_too", greet_now),
        Tool::new("cx_a_async", greet_within),
        Tool::new("cx_a_sync", greet_within_now),
        Tool::new("a_closure", async |it: Greet| greet(it).await),
    ];
    let plain = vec![
        Tool::new("async", hello),
        Tool::new("sync", hello_now),
        Tool::sync("sync_too", hello_now),
        Tool::new("cx_async", hello_within),
        Tool::new("cx_sync", hello_within_now),
        Tool::new("closure", async || hello().await),
    ];
    let plain = plain.into_iter().map(|it| it.describe("Says hello."));
    (greeting, plain.collect())
}

#[tokio::test]
async fn every_shape_of_a_function_answers_on_both_protocols() {
    let (greeting, plain) = tools();
    let of =
        |tools: &[Tool]| -> Vec<String> { tools.iter().map(|it| it.name().to_owned()).collect() };
    let cases = [
        (
            of(&greeting),
            json!({"name": "Ada"}),
            "?name=Ada",
            "Hello, Ada!",
        ),
        (of(&plain), json!({}), "", "Hello!"),
    ];
    let tools = greeting.into_iter().chain(plain).map(|tool| {
        let path = format!("/say/{}", tool.name());
        tool.get(path)
    });
    let app = TestApp::serving(Server::new("shapes", "1.0.0").tools(tools)).await;
    for (names, arguments, query, expected) in cases {
        for name in names {
            let result = app.tool(&name, arguments.clone()).await;
            assert_eq!(
                result["structuredContent"],
                json!({"result": expected}),
                "{name}"
            );
            let answer = app.get(&format!("/api/say/{name}{query}")).await;
            assert_eq!(answer.json(), expected, "{name}");
            let body = arguments.to_string();
            let answer = app.post(&format!("/api/{name}"), body).await;
            assert_eq!(answer.json(), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_function_without_arguments_takes_none_and_says_so() {
    let (_, plain) = tools();
    let names: Vec<String> = plain.iter().map(|it| it.name().to_owned()).collect();
    let plain = plain.into_iter().map(|tool| {
        let path = format!("/say/{}", tool.name());
        tool.get(path)
    });
    let app = TestApp::serving(Server::new("shapes", "1.0.0").tools(plain)).await;
    let list = app.mcp("tools/list", json!({})).await.json();
    for (tool, name) in list["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .zip(names)
    {
        let empty = json!({"type": "object", "properties": {}, "additionalProperties": false});
        assert_eq!(tool["inputSchema"], empty, "{name}");
        let result = app.tool(&name, json!({"name": "Ada"})).await;
        assert_eq!(result["isError"], true, "{name}");
        let answer = app.post(&format!("/api/{name}"), r#"{"name": 1}"#).await;
        assert_eq!(answer.status, 400, "{name}");
        assert_eq!(answer.json()["field"], "name", "{name}");
    }
}

#[tokio::test]
async fn names_of_both_cases_with_dots_and_hyphens_answer_on_both_protocols() {
    let names = ["getNote", "notes.get", "get-note", "Notes.Get_2"];
    let tools = names.map(|name| {
        Tool::new(name, hello)
            .describe("Says hello.")
            .post("/x/".to_owned() + name)
    });
    let app = TestApp::serving(Server::new("names", "1.0.0").tools(tools)).await;
    for name in names {
        assert_eq!(app.tool(name, json!({})).await["isError"], false, "{name}");
        for path in [format!("/api/{name}"), format!("/api/x/{name}")] {
            assert_eq!(app.post(&path, "{}").await.status, 200, "{path}");
        }
    }
    let document = app.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths
        .values()
        .flat_map(|it| it.as_object().unwrap().values());
    let mut ids: Vec<&str> = operations
        .map(|it| it["operationId"].as_str().unwrap())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (8, 8), "{ids:?}");
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
    assert!(ids.iter().all(|id| id.chars().all(is_plain)), "{ids:?}");
}

#[tokio::test]
async fn a_path_that_equals_the_name_is_listed_once() {
    let tool = Tool::new("show", hello)
        .describe("Says hello.")
        .post("/show");
    let app = TestApp::serving(Server::new("one", "1.0.0").tool(tool)).await;
    assert_eq!(app.post("/api/show", "{}").await.json(), "Hello!");
    let document = app.get("/openapi.json").await.json();
    assert_eq!(
        document["paths"]["/api/show"]["post"]["operationId"],
        "show"
    );
}
