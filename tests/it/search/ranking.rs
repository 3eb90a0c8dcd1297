//! What a search finds, best first.

use bifold::testing::Client;
use bifold::{Config, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::above;

/// An issue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Issue {
    /// Its number.
    issue_number: u64,
}

async fn issue(_: Context, Issue { issue_number }: Issue) -> Result<Value> {
    Ok(json!({ "number": issue_number }))
}

fn tool(name: &'static str, description: &'static str, tag: &'static str) -> Tool {
    let run = async |_: Context| bifold::Answer::of(&json!({}));
    Tool::new(name, run)
        .describe(description)
        .tags([tag])
        .get(format!("/{name}"))
}

async fn client() -> Client {
    let with_parameter = Tool::new("close", async |cx: Context, it: Issue| {
        bifold::Answer::of(&issue(cx, it).await?)
    });
    let server = Server::new("it", "1.0.0").tools([
        tool("createIssue", "Opens a new one in a repository.", "tracker"),
        tool("issues_list_comments", "Lists what people said.", "tracker"),
        tool(
            "delete_repository",
            "Removes it. It cannot be undone.",
            "code",
        ),
        tool(
            "weather",
            "Tells the weather of a place.\nIn a city or on an issue of a map.",
            "places",
        ),
        tool("cities", "Lists places.", "places"),
        with_parameter.describe("Ends it.").get("/close"),
    ]);
    Client::with(above(2), server).await.unwrap()
}

async fn found(client: &Client, query: &str) -> Vec<String> {
    let result = client
        .mcp()
        .call("search_tools", json!({"q": query}))
        .await
        .unwrap();
    let tools = result.structured().unwrap()["tools"]
        .as_array()
        .unwrap()
        .clone();
    tools
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn words_of_names_titles_descriptions_parameters_and_tags_are_found() {
    let client = client().await;
    for (query, expected) in [
        (
            "create issue",
            &["createIssue", "issues_list_comments", "close", "weather"][..],
        ),
        (
            "CREATE_ISSUES!",
            &["createIssue", "issues_list_comments", "close", "weather"],
        ),
        ("repository", &["delete_repository", "createIssue"]),
        // The beginning of a word, and its singular.
        ("repo", &["delete_repository", "createIssue"]),
        ("city", &["cities", "weather"]),
        ("tracker", &["issues_list_comments", "createIssue"]),
        ("number", &["close"]),
        ("unrelated nonsense", &[]),
        ("", &[]),
        ("!?", &[]),
    ] {
        assert_eq!(found(&client, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn the_same_query_finds_the_same_and_equals_keep_their_order() {
    let tools = (0..50).map(|it| {
        let run = async |_: Context| bifold::Answer::of(&json!({}));
        Tool::new(format!("same{it}"), run)
            .describe("Does the same.")
            .get(format!("/same{it}"))
    });
    let client = Client::with(above(2), Server::new("it", "1.0.0").tools(tools))
        .await
        .unwrap();
    let first = found(&client, "does the same").await;
    assert_eq!(
        first,
        (0..10).map(|it| format!("same{it}")).collect::<Vec<_>>()
    );
    for _ in 0..5 {
        assert_eq!(found(&client, "same does the").await, first);
    }
}

#[tokio::test]
async fn rest_finds_the_same_with_a_query() {
    let client = client().await;
    let over_mcp = client
        .mcp()
        .call("search_tools", json!({"q": "issue", "limit": 2}))
        .await
        .unwrap();
    let over_rest = client.rest().get("/api/search?q=issue&limit=2").await;
    assert_eq!(over_rest.status(), 200);
    assert_eq!(over_mcp.structured(), Some(&over_rest.json()));
    assert_eq!(over_rest.json()["total"], 4);
    assert_eq!(
        over_rest.json()["tools"][0],
        json!({"name": "issues_list_comments", "description": "Lists what people said."})
    );
    let line = client.rest().get("/api/search?q=weather").await.json();
    assert_eq!(
        line["tools"][0]["description"],
        "Tells the weather of a place. In a city or on an issue of a map."
    );
    for (path, field) in [
        ("/api/search", "q"),
        ("/api/search?q=a&limit=0", "limit"),
        ("/api/search?q=a&limit=51", "limit"),
    ] {
        let refused = client.rest().get(path).await;
        assert_eq!(refused.status(), 400, "{path}");
        assert!(refused.text().contains(field), "{}", refused.text());
    }
    let long = client
        .rest()
        .get(&format!("/api/search?q={}", "a".repeat(401)))
        .await;
    assert_eq!(long.status(), 400);
}

#[tokio::test]
async fn a_search_of_a_thousand_tools_is_bounded() {
    let tools = (0..1_000).map(|it| {
        let run = async |_: Context| bifold::Answer::of(&json!({}));
        Tool::new(format!("tool_{it}"), run)
            .describe("word ".repeat(2_000))
            .get(format!("/tool_{it}"))
    });
    let client = Client::with(Config::default(), Server::new("it", "1.0.0").tools(tools))
        .await
        .unwrap();
    let result = client
        .mcp()
        .call("search_tools", json!({"q": "word", "limit": 50}))
        .await
        .unwrap();
    assert_eq!(result.structured().unwrap()["total"], 1_000);
    // Descriptions are cut to a line.
    assert!(result.text().len() < 50 * 260, "{}", result.text().len());
}
