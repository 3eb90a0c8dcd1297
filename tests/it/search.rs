//! Search in place of a list that is too long: what is listed, what is found, and who may know of what.

mod callers;
mod ranking;

use bifold::testing::Client;
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

/// The tools of a search, as they are listed.
const SEARCH: [&str; 3] = ["search_tools", "describe_tool", "call_tool"];

/// Does something with a thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    /// Which one.
    id: String,
}

async fn thing(_: Context, Thing { id }: Thing) -> Result<Value> {
    Ok(json!({ "id": id }))
}

fn tool(name: impl Into<String>) -> Tool {
    let name: String = name.into();
    let path = format!("/{name}");
    let run = async |cx: Context, it: Thing| bifold::Answer::of(&thing(cx, it).await?);
    Tool::new(name, run).get(path)
}

/// A server with so many tools.
fn server(count: usize) -> Server {
    Server::new("it", "1.0.0").tools((0..count).map(|it| tool(format!("tool_{it}"))))
}

fn above(most: usize) -> Config {
    let mut config = Config::default();
    config.search_above = most;
    config
}

async fn client(config: Config, server: Server) -> Client {
    Client::with(config, server).await.unwrap()
}

/// The names that an MCP client lists.
async fn listed(client: &Client) -> Vec<String> {
    let tools = client.mcp().list_tools().await.unwrap();
    tools
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_list_is_replaced_by_a_search_above_the_threshold() {
    for (most, count, is_brief) in [
        (100, 100, false),
        (100, 101, true),
        (3, 4, true),
        (0, 500, false),
        (4, 4, false),
    ] {
        let client = client(above(most), server(count)).await;
        let names = listed(&client).await;
        match is_brief {
            true => assert_eq!(names, SEARCH, "{most} {count}"),
            // The first page of the list.
            false => assert_eq!(names.len(), count.min(100), "{most} {count}"),
        }
        let has_search = client.app().registry().get("search_tools").is_some();
        assert_eq!(has_search, is_brief);
        let rest = client.rest().get("/api/search?q=tool").await;
        assert_eq!(rest.status() == 200, is_brief, "{most} {count}");
    }
    assert_eq!(Config::default().search_above, 100);
}

#[tokio::test]
async fn a_search_can_be_asked_for_and_pinned_tools_stay_listed() {
    let server = server(3).tool(tool("always").pinned()).search();
    let client = client(Config::default(), server).await;
    assert_eq!(
        listed(&client).await,
        ["always", "search_tools", "describe_tool", "call_tool"]
    );
    let never = client_never().await;
    assert_eq!(listed(&never).await, ["tool_0"]);
}

async fn client_never() -> Client {
    client(above(0), server(1).search()).await
}

#[tokio::test]
async fn every_revision_is_shown_the_same() {
    let app = App::new(above(2), server(5)).unwrap();
    let app = crate::support::TestApp::of(app).await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let listed = app.legacy(version, "tools/list", json!({})).await.json();
        let names: Vec<&Value> = listed["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["name"])
            .collect();
        assert_eq!(names, SEARCH, "{version}");
        let called = app
            .legacy(
                version,
                "tools/call",
                json!({"name": "tool_4", "arguments": {"id": "x"}}),
            )
            .await
            .json();
        assert_eq!(called["result"]["isError"], json!(false), "{called}");
    }
}

#[tokio::test]
async fn all_others_are_called_by_their_name_or_with_call_tool() {
    let client = client(above(2), server(5)).await;
    let mcp = client.mcp();
    let expected = Some(json!({"id": "x"}));
    let result = mcp.call("tool_4", json!({"id": "x"})).await.unwrap();
    assert_eq!(result.structured().cloned(), expected);
    let result = mcp
        .call(
            "call_tool",
            json!({"name": "tool_4", "arguments": {"id": "x"}}),
        )
        .await
        .unwrap();
    assert_eq!(result.structured().cloned(), expected);
    for (arguments, problem) in [
        (json!({"name": "tool_9"}), "there is no function `tool_9`"),
        (json!({"name": "tool_4", "arguments": {}}), "id"),
        (
            json!({"name": "tool_4", "arguments": []}),
            "expected a JSON object",
        ),
        (
            json!({"name": "call_tool", "arguments": {"name": "tool_1"}}),
            "call it by itself",
        ),
    ] {
        let result = mcp.call("call_tool", arguments.clone()).await.unwrap();
        assert!(result.is_error(), "{arguments}");
        assert!(
            result.text().contains(problem),
            "{arguments}: {}",
            result.text()
        );
    }
}

#[tokio::test]
async fn a_tool_is_described_with_its_schemas() {
    let client = client(above(2), server(5)).await;
    let told = client
        .mcp()
        .call("describe_tool", json!({"name": "tool_4"}))
        .await
        .unwrap();
    let told = told.structured().cloned().unwrap();
    assert_eq!(told["name"], "tool_4");
    assert_eq!(told["description"], "Does something with a thing.");
    assert_eq!(told["inputSchema"]["required"], json!(["id"]));
    let unknown = client
        .mcp()
        .call("describe_tool", json!({"name": "tool_x"}))
        .await
        .unwrap();
    assert!(unknown.is_error() && unknown.text().contains("`search_tools` finds them"));
}

#[tokio::test]
async fn a_catalog_that_grows_is_searched_and_one_that_shrinks_is_listed() {
    let app = App::new(above(3), server(3).changing_catalog()).unwrap();
    let client = Client::of(app.clone());
    assert_eq!(listed(&client).await.len(), 3);
    app.catalog()
        .change(|functions| functions.add_tool(tool("more")))
        .unwrap();
    assert_eq!(listed(&client).await, SEARCH);
    let found = client
        .mcp()
        .call("search_tools", json!({"q": "more"}))
        .await
        .unwrap();
    assert_eq!(found.structured().unwrap()["tools"][0]["name"], "more");
    app.catalog()
        .change(|functions| {
            assert!(functions.remove_tool("more"));
        })
        .unwrap();
    assert_eq!(listed(&client).await.len(), 3);
    assert!(app.registry().get("search_tools").is_none());
    app.catalog()
        .replace_tools((0..9).map(|it| tool(format!("new_{it}"))).collect())
        .unwrap();
    assert_eq!(listed(&client).await, SEARCH);
    let found = client
        .mcp()
        .call("search_tools", json!({"q": "more new"}))
        .await
        .unwrap();
    assert_eq!(
        found.structured().unwrap()["total"],
        9,
        "nothing that is gone is found"
    );
}

#[tokio::test]
async fn names_and_paths_of_the_search_are_those_of_the_application_first() {
    let taken = server(5).tool(tool("search_tools"));
    let problem = Client::with(above(2), taken)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        problem.contains("the function `search_tools` has the name of one that searches"),
        "{problem}"
    );
    let few = client(above(9), server(5).tool(tool("search_tools"))).await;
    assert_eq!(listed(&few).await.len(), 6);
    let own = Server::new("it", "1.0.0").tools([tool("search"), tool("b"), tool("c")]);
    let client = client(above(2), own).await;
    assert_eq!(
        client.rest().get("/api/search?id=own").await.text(),
        r#"{"id":"own"}"#
    );
    let found = client
        .mcp()
        .call("search_tools", json!({"q": "search"}))
        .await
        .unwrap();
    assert_eq!(found.structured().unwrap()["tools"][0]["name"], "search");
}

#[tokio::test]
async fn content_of_a_tool_passes_through_call_tool() {
    async fn text() -> Content {
        Content::text("plain")
    }
    let server = server(5).tool(Tool::new("text", text).describe("Answers with a text."));
    let client = client(above(2), server).await;
    let result = client
        .mcp()
        .call("call_tool", json!({"name": "text"}))
        .await
        .unwrap();
    assert_eq!(result.content(), [json!({"type": "text", "text": "plain"})]);
}

#[tokio::test]
async fn a_tool_is_found_on_the_protocols_that_it_answers_on() {
    let of_rest = tool("only_rest").rest_only();
    let of_mcp = Tool::new("only_mcp", async |cx: Context, it: Thing| {
        bifold::Answer::of(&thing(cx, it).await?)
    });
    let client = client(above(2), server(5).tools([of_rest, of_mcp])).await;
    let over_mcp = client
        .mcp()
        .call("search_tools", json!({"q": "only"}))
        .await
        .unwrap();
    let over_rest = client.rest().get("/api/search?q=only").await.json();
    let names = |found: &Value| -> Vec<Value> {
        let tools = found["tools"].as_array().unwrap();
        tools.iter().map(|it| it["name"].clone()).collect()
    };
    assert_eq!(names(over_mcp.structured().unwrap()), ["only_mcp"]);
    assert_eq!(names(&over_rest), ["only_rest"]);
    let told = client
        .mcp()
        .call("describe_tool", json!({"name": "only_rest"}))
        .await
        .unwrap();
    assert!(told.is_error());
}
