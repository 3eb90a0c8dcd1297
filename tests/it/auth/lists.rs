//! What lists show: the scopes of functions, and, where the settings say so, only what the caller may call.

use axum::body::Body;
use bifold::{App, Clock, Config, Principal, Prompt, RequestInfo, Resource, Timestamp, Topic};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::issuer::{Issuer, Key};
use super::{PUBLIC, app, ask, bearer, open, tool};
use crate::support::{modern, serve};

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

#[tokio::test(start_paused = true)]
async fn a_stream_of_changes_ends_when_the_credentials_expire_with_which_it_was_opened() {
    let server = || open().0.announces(&[Topic::Tools]);
    let hour = Timestamp::from_unix(3_600).unwrap();
    let listening = || {
        let notifications = json!({"notifications": {"toolsListChanged": true}});
        let get = Request::get("/mcp").header("accept", "text/event-stream");
        [
            (modern("subscriptions/listen", notifications), "\"result\""),
            (get.body(Body::empty()).unwrap(), ""),
        ]
    };
    for (request, last) in listening() {
        let server = server()
            .authenticate(move |_| async move { Ok(Some(Principal::new("ada").until(hour))) });
        let mut config = Config::default();
        config.clock = Clock::Fixed(Timestamp::from_unix(3_000).unwrap());
        let app = App::new(config, server).unwrap();
        let response = serve(&app, request, RequestInfo::default()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let begun = Instant::now();
        let text = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        let text = String::from_utf8(text.unwrap().to_vec()).unwrap();
        assert_eq!(begun.elapsed().as_secs(), 600, "{text}");
        assert!(text.contains(last), "{text}");
    }
}
