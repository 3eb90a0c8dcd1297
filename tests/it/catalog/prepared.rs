//! Lists whose tools were written ahead.

use bifold::{App, Config, JsonSchema, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::late::frozen;
use super::{call, named};
use crate::support::TestApp;

async fn started(config: Config, server: Server) -> TestApp {
    TestApp::of(App::new(config, server).unwrap()).await
}

/// A line that says of a tool what its types do not.
fn line(name: &str) -> String {
    let schema = json!({"type": "object", "title": "prepared"});
    format!("{name}\t\"Prepared.\"\t{schema}\t{schema}")
}

/// The tool in the list.
async fn listed(app: &TestApp, name: &str) -> Value {
    let list = app.mcp("tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap().iter();
    tools.clone().find(|it| it["name"] == name).unwrap().clone()
}

fn is_prepared(tool: &Value) -> [bool; 2] {
    let says = |key: &str| tool[key]["title"] == "prepared";
    [
        says("inputSchema") && says("outputSchema"),
        tool["description"] == "Prepared.",
    ]
}

/// Adds two numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The first one.
    one: i64,
    /// The second one.
    two: i64,
}

fn server(prepared: String) -> Server {
    let add = Tool::sync("add", |Add { one, two }: Add| json!(one + two).to_string());
    let described = named("described").describe("Described.");
    Server::new("prepared", "1.0.0")
        .prepared(prepared.leak())
        .tools([add, described, named("unprepared")])
}

#[tokio::test]
async fn only_lists_on_lambda_are_of_what_was_prepared_and_calls_never_are() {
    let lines = ["add", "described", "unknown"].map(line).join("\n");
    let app = started(frozen(), server(lines.clone())).await;
    assert_eq!(is_prepared(&listed(&app, "add").await), [true, true]);
    // What the program says itself needs no types.
    let described = listed(&app, "described").await;
    assert_eq!(is_prepared(&described), [true, false]);
    assert_eq!(described["description"], "Described.");
    let unprepared = listed(&app, "unprepared").await;
    assert_eq!(is_prepared(&unprepared), [false, false]);
    assert_eq!(unprepared["inputSchema"]["additionalProperties"], false);
    let refused = app.tool("add", json!({"one": 1})).await;
    assert_eq!(refused["isError"], true);
    assert_eq!(call(&app, "unprepared").await, "unprepared");
    let local = started(Config::default(), server(lines)).await;
    assert_eq!(is_prepared(&listed(&local, "add").await), [false, false]);
}

#[tokio::test]
async fn a_line_that_cannot_be_read_leaves_its_tool_to_its_types() {
    for broken in [
        "",
        "add",
        "add\t\"A\"\t{}",
        "add\tA\t{}\t",
        "add\t\"A\"\t{\t{}",
        "add\t\"A\"\t{}\t{}\t",
        "<<<<<<< HEAD",
    ] {
        let lines = format!("{broken}\n{}", line("unprepared"));
        let app = started(frozen(), server(lines)).await;
        let add = listed(&app, "add").await;
        assert_eq!(add["description"], "Adds two numbers.", "{broken}");
        assert_eq!(add["inputSchema"]["required"], json!(["one", "two"]));
        assert_eq!(is_prepared(&listed(&app, "unprepared").await), [true, true]);
    }
}

#[tokio::test]
async fn a_tool_that_is_added_at_run_time_is_listed_by_its_types_whatever_was_prepared() {
    let server = server(line("added")).changing_catalog();
    let app = App::new(frozen(), server).unwrap();
    let added = named("added").describe("Added.");
    app.catalog().change(|all| all.add_tool(added)).unwrap();
    let app = TestApp::of(app).await;
    assert_eq!(is_prepared(&listed(&app, "added").await), [false, false]);
}
