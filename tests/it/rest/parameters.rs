//! Arguments in queries, headers and cookies.

use axum::body::Body;
use bifold::{Context, JsonSchema, Result, Server, Tool};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wrong_argument;
use crate::support::{Answer, TestApp};

/// Repeats what was asked for.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Find {
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tag: Vec<String>,
    /// Numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<Vec<i64>>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<Order>,
}

/// An order.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

/// Repeats who asks.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {
    /// The tenant.
    #[schemars(extend("x-in" = "header", "x-name" = "X-Tenant"))]
    tenant: String,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-in" = "header"))]
    most_items: Option<u32>,
    /// The theme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-in" = "cookie"))]
    theme: Option<String>,
    /// Whether it is a trial.
    #[serde(default)]
    #[schemars(extend("x-in" = "query"))]
    trial: bool,
    /// A word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    word: Option<String>,
}

async fn find(_: Context, find: Find) -> Result<Find> {
    Ok(find)
}

async fn ask(_: Context, ask: Ask) -> Result<Ask> {
    Ok(ask)
}

async fn app() -> TestApp {
    let tools = vec![
        Tool::new("find", find).get("/find"),
        Tool::new("ask_me", ask).get("/ask").post("/ask"),
    ];
    TestApp::serving(Server::new("parameters", "1.0.0").tools(tools)).await
}

fn asking(method: &str, query: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/ask{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[track_caller]
fn assert_json(answer: &Answer, expected: Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_list_in_a_query_has_a_key_for_each_item() {
    let app = app().await;
    for (query, expected) in [
        ("", json!({})),
        ("?tag=a", json!({"tag": ["a"]})),
        ("?tag=a&tag=b,c", json!({"tag": ["a", "b,c"]})),
        ("?tag=", json!({"tag": [""]})),
        (
            "?tag=a&number=1&tag=b&number=-2",
            json!({"tag": ["a", "b"], "number": [1, -2]}),
        ),
        ("?order=newest", json!({"order": "newest"})),
    ] {
        assert_json(&app.get(&format!("/api/find{query}")).await, expected);
    }
}

#[tokio::test]
async fn an_item_of_another_type_and_a_repeated_scalar_are_refused() {
    let app = app().await;
    for (query, field) in [
        ("number=1&number=x", "number[1]"),
        ("number=", "number[0]"),
        ("order=newest&order=oldest", "order"),
        ("order=other", "order"),
        ("tags=a", "tags"),
    ] {
        wrong_argument(&app.get(&format!("/api/find?{query}")).await, field);
    }
}

#[tokio::test]
async fn headers_and_cookies_carry_the_arguments_that_say_so() {
    let app = app().await;
    let headers = [
        ("x-tenant", "me"),
        ("most-items", "5"),
        ("cookie", "other=1; theme=dark%20blue"),
    ];
    let expected = json!({"tenant": "me", "most_items": 5, "theme": "dark blue", "trial": true});
    for method in ["GET", "POST"] {
        let answer = app.send(asking(method, "?trial=true", &headers)).await;
        assert_json(&answer, expected.clone());
    }
    let quoted = [("x-tenant", "me"), ("cookie", "theme=\"x\"")];
    assert_json(
        &app.send(asking("GET", "?word=y", &quoted)).await,
        json!({"tenant": "me", "theme": "x", "trial": false, "word": "y"}),
    );
}

#[tokio::test]
async fn a_header_that_is_missing_repeated_or_wrong_is_named() {
    let app = app().await;
    let tenant = ("x-tenant", "me");
    for (headers, query, field, said) in [
        (vec![], "", "tenant", "header `x-tenant`"),
        (vec![tenant, tenant], "", "tenant", "more than once"),
        (
            vec![tenant, ("most-items", "x")],
            "",
            "most_items",
            "whole number",
        ),
        (
            vec![tenant, ("cookie", "theme=a; theme=b")],
            "",
            "theme",
            "more than once",
        ),
        (vec![tenant, ("cookie", "theme=%ff")], "", "theme", "UTF-8"),
        (vec![tenant], "?tenant=me", "tenant", "header `x-tenant`"),
        (vec![tenant], "?theme=x", "theme", "cookie `theme`"),
    ] {
        let answer = app.send(asking("GET", query, &headers)).await;
        let problem = wrong_argument(&answer, field);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}");
    }
    let post = Request::post("/api/ask")
        .header("x-tenant", "me")
        .header("content-type", "application/json")
        .body(r#"{"tenant":"me"}"#.into())
        .unwrap();
    wrong_argument(&app.send(post).await, "tenant");
    let stray = app.send(asking("POST", "?word=x", &[tenant])).await;
    wrong_argument(&stray, "word");
}

#[tokio::test]
async fn on_mcp_and_at_the_path_of_the_name_they_are_ordinary_arguments() {
    let app = app().await;
    let arguments = json!({"tenant": "me", "most_items": 5, "theme": "x", "trial": true});
    let by_name = app.post("/api/ask_me", arguments.to_string()).await;
    assert_json(&by_name, arguments.clone());
    let elsewhere = Request::post("/api/ask")
        .header("x-tenant", "me")
        .header("content-type", "application/json")
        .body(arguments.to_string().into())
        .unwrap();
    wrong_argument(&app.send(elsewhere).await, "most_items");
    let result = app.tool("ask_me", arguments.clone()).await;
    assert_eq!(result["structuredContent"], arguments);
    let list = app.mcp("tools/list", json!({})).await.text();
    assert!(!list.contains("x-in") && !list.contains("x-name"), "{list}");
}

#[tokio::test]
async fn the_document_lists_them_with_their_place() {
    let app = app().await;
    let document = app.get("/openapi.json").await.json();
    assert!(!document.to_string().contains("x-in"));
    let of = |method: &str| {
        let operation = &document["paths"]["/api/ask"][method];
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let shown = parameters.map(|it| format!("{} {}", it["in"], it["name"]).replace('"', ""));
        let mut shown: Vec<String> = shown.collect();
        shown.sort();
        shown
    };
    let elsewhere = [
        "cookie theme",
        "header most-items",
        "header x-tenant",
        "query trial",
    ];
    let mut of_post = [elsewhere.as_slice(), &["header Idempotency-Key"]].concat();
    of_post.sort_unstable();
    assert_eq!(of("post"), of_post);
    assert_eq!(of("get"), [elsewhere.as_slice(), &["query word"]].concat());
    let body = &document["paths"]["/api/ask"]["post"]["requestBody"];
    assert_eq!(body["required"], false);
    let properties = &body["content"]["application/json"]["schema"]["properties"];
    assert_eq!(properties.as_object().unwrap().len(), 1, "{properties}");
    let list = &document["paths"]["/api/find"]["get"]["parameters"][0];
    assert_eq!(list["name"], "tag");
    assert_eq!(
        (&list["style"], &list["explode"]),
        (&json!("form"), &json!(true))
    );
}

#[tokio::test]
async fn caches_are_told_which_headers_matter() {
    let app = app().await;
    let answer = app.send(asking("GET", "", &[("x-tenant", "me")])).await;
    let vary: Vec<&str> = answer
        .headers
        .get_all("vary")
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    for name in ["x-tenant", "most-items", "cookie"] {
        assert!(vary.contains(&name), "{vary:?}");
    }
}
