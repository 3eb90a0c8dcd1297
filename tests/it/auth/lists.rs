//! What lists show: the scopes of functions, and, where the settings say so, only what the caller may call.

use bifold::{App, Prompt, Resource};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::issuer::{Issuer, Key};
use super::{PUBLIC, app, ask, bearer, open, tool};
use crate::support::modern;

fn listing(issuer: &Issuer, list: &str) -> App {
    let guarded = || tool("guarded").scopes(&["notes:write"]);
    let server = open()
        .0
        .prompts(vec![Prompt::new(guarded())])
        .resources(vec![Resource::new("notes://all", "text/plain", guarded())]);
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", PUBLIC),
        ("BIFOLD_AUTH_LIST", list),
    ];
    app(server, &settings)
}

async fn result(app: &App, method: &str, headers: &HeaderMap) -> Value {
    let answer = ask(app, modern(method, json!({})), headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["result"].take()
}

fn names(list: &Value) -> Vec<&str> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_shows_all_functions_with_their_scopes() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = listing(&issuer, "all");
    let result = result(&app, "tools/list", &HeaderMap::new()).await;
    let all = ["read", "write", "any", "whoami", "call_many", "open"];
    assert_eq!(names(&result["tools"]), all);
    assert_eq!(result["cacheScope"], "public");
    assert_eq!(
        result["tools"][0]["_meta"]["bifold/scopes"],
        json!(["notes:read"])
    );
    assert!(result["tools"][2].get("_meta").is_none());
}

#[tokio::test]
async fn a_list_may_show_only_what_the_caller_may_call() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = listing(&issuer, "allowed");
    let callers = [
        (HeaderMap::new(), vec!["open"], 0),
        (
            bearer(&issuer.token("notes:read")),
            vec!["read", "any", "whoami", "call_many", "open"],
            0,
        ),
        (
            bearer(&issuer.token("notes:write")),
            vec!["write", "any", "whoami", "call_many", "open"],
            1,
        ),
    ];
    // The second round finds the lists made.
    for (headers, tools, others) in callers.iter().chain(&callers) {
        let listed = result(&app, "tools/list", headers).await;
        assert_eq!(names(&listed["tools"]), *tools);
        assert_eq!(listed["cacheScope"], "private");
        for (method, key) in [("prompts/list", "prompts"), ("resources/list", "resources")] {
            let listed = result(&app, method, headers).await;
            assert_eq!(listed[key].as_array().unwrap().len(), *others, "{method}");
        }
    }
}
