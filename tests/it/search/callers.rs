//! Who may find what: the policy decides before anything is ranked.

use bifold::{App, Server};
use serde_json::{Value, json};

use super::{SEARCH, tool};
use crate::auth::issuer::{Issuer, Key};
use crate::auth::{ask, bearer, config};
use crate::support::modern;

fn server() -> Server {
    let tools = (0..5).map(|it| tool(format!("open_{it}")));
    Server::new("it", "1.0.0")
        .tools(tools)
        .tool(tool("open_secret").scopes(&["secrets"]))
}

async fn names(app: &App, token: &str) -> Vec<String> {
    let answer = ask(app, modern("tools/list", json!({})), &bearer(token)).await;
    let listed = answer.json()["result"]["tools"].take();
    let listed = listed
        .as_array()
        .unwrap_or_else(|| panic!("{}", answer.text()))
        .clone();
    listed
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn call(app: &App, token: &str, name: &str, arguments: Value) -> (u16, Value) {
    let request = modern("tools/call", json!({"name": name, "arguments": arguments}));
    let answer = ask(app, request, &bearer(token)).await;
    (answer.status.as_u16(), answer.json())
}

fn app(issuer: &Issuer, list: &str) -> App {
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", crate::auth::PUBLIC),
        ("BIFOLD_SEARCH_ABOVE", "4"),
        ("BIFOLD_AUTH_LIST", list),
    ];
    App::new(config(&settings), server()).unwrap()
}

#[tokio::test]
async fn only_what_the_caller_may_call_is_found_or_described() {
    let issuer = Issuer::start(Key::ed()).await;
    for list in ["all", "allowed"] {
        let app = app(&issuer, list);
        let (plain, trusted) = (issuer.token("notes:read"), issuer.token("secrets"));
        assert_eq!(names(&app, &plain).await, SEARCH);
        let found = async |token: &str| {
            let (_, answer) = call(&app, token, "search_tools", json!({"q": "open secret"})).await;
            answer["result"]["structuredContent"].clone()
        };
        assert_eq!(found(&plain).await["total"], 5);
        assert_eq!(found(&trusted).await["total"], 6);
        assert_eq!(found(&trusted).await["tools"][0]["name"], "open_secret");
        // One that the caller may not call is as one that does not exist.
        let (_, hidden) = call(
            &app,
            &plain,
            "describe_tool",
            json!({"name": "open_secret"}),
        )
        .await;
        let (_, unknown) = call(
            &app,
            &plain,
            "describe_tool",
            json!({"name": "open_nothing"}),
        )
        .await;
        let text = |it: &Value| {
            it["result"]["content"][0]["text"]
                .as_str()
                .unwrap()
                .replace("open_nothing", "open_secret")
        };
        assert_eq!(text(&hidden), text(&unknown));
        let (_, told) = call(
            &app,
            &trusted,
            "describe_tool",
            json!({"name": "open_secret"}),
        )
        .await;
        assert_eq!(told["result"]["structuredContent"]["name"], "open_secret");
    }
}

#[tokio::test]
async fn call_tool_needs_the_scopes_of_what_it_calls() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = app(&issuer, "all");
    let arguments = json!({"name": "open_secret", "arguments": {"id": "x"}});
    let (status, _) = call(
        &app,
        &issuer.token("notes:read"),
        "call_tool",
        arguments.clone(),
    )
    .await;
    assert_eq!(status, 403);
    let (status, answer) = call(&app, &issuer.token("secrets"), "call_tool", arguments).await;
    assert_eq!(
        (status, &answer["result"]["structuredContent"]),
        (200, &json!({"id": "x"}))
    );
}

#[tokio::test]
async fn the_scope_of_an_administrator_has_the_whole_list() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = app(&issuer, "all");
    let names = names(&app, &issuer.token("tools:list")).await;
    assert_eq!(names.len(), 6);
    assert!(!names.contains(&"search_tools".to_owned()));
}
