//! What is published of pages and selected fields, and what is refused at start.

use bifold::{App, Bytes, Config, JsonSchema, Server, Tool};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Listed, numbers, serving, whole};

#[tokio::test]
async fn the_arguments_and_the_result_are_published_with_what_may_be_asked_for() {
    let app = serving().await;
    let list = app.mcp("tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let tool = |name: &str| tools.iter().find(|it| it["name"] == name).unwrap();
    let properties = |name: &str| tool(name)["inputSchema"]["properties"].clone();
    let names = |name: &str| -> Vec<String> {
        properties(name)
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        names("numbers"),
        ["count", "cursor", "fields", "label", "limit", "max_bytes"]
    );
    assert_eq!(names("planets"), ["fields"]);
    assert_eq!(names("story"), ["max_bytes"]);
    let limit = &properties("numbers")["limit"];
    assert_eq!(
        (&limit["minimum"], &limit["maximum"], &limit["default"]),
        (&json!(1), &json!(40), &json!(10))
    );
    assert_eq!(properties("whole")["limit"].get("default"), None);
    assert!(!properties("numbers").to_string().contains("x-in"));
    assert_eq!(tool("numbers")["inputSchema"].get("required"), None);
    // A result with selected fields must fit the schema, so that it requires only what stays.
    let output = &tool("numbers")["outputSchema"];
    assert_eq!(
        output["required"],
        json!(["total", "next_cursor"]),
        "{output}"
    );
    assert_eq!(
        output["properties"]["numbers"]["items"].get("required"),
        None,
        "{output}"
    );
    assert_eq!(
        output["properties"]["truncated"]["required"],
        json!(["shown", "total", "next_cursor"])
    );
    assert_eq!(
        tool("planets")["outputSchema"]["required"],
        json!(["incomplete"])
    );
}

#[tokio::test]
async fn the_openapi_document_has_the_parameters_and_the_link() {
    let app = serving().await;
    let document = app.get("/openapi.json").await.json();
    let get = &document["paths"]["/api/numbers"]["get"];
    let names: Vec<&str> = get["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["in"] == "query" && it["required"] == false)
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["count", "label", "cursor", "fields", "limit", "max_bytes"]
    );
    let success = &get["responses"]["200"];
    assert_eq!(
        success["headers"]["Link"]["schema"]["type"], "string",
        "{success}"
    );
    assert!(
        success["content"]["application/json"]["schema"]["properties"]["next_cursor"].is_object()
    );
    // A function with a body takes them in the query of its own path, and in the body at the path of its name.
    let post = &document["paths"]["/api/found"]["post"];
    assert_eq!(post["responses"]["200"].get("headers"), None, "{post}");
    let parameters = post["parameters"].as_array().unwrap().iter();
    let in_query = parameters.filter(|it| it["in"] == "query");
    assert_eq!(in_query.count(), 4, "{post}");
    assert!(!document.to_string().contains("x-in"));
    for (path, body) in [
        ("/api/found?limit=2", "{}"),
        ("/api/numbers", r#"{"limit":2}"#),
    ] {
        let page = app.post(path, body).await;
        assert_eq!(
            page.json()["numbers"].as_array().unwrap().len(),
            2,
            "{path}: {}",
            page.text()
        );
    }
    let misplaced = app.post("/api/found", r#"{"limit":2}"#).await;
    assert_eq!(misplaced.json()["field"], "limit", "{}", misplaced.text());
}

/// Has a parameter with a name that is taken.
#[derive(Deserialize, JsonSchema)]
struct Limited {
    /// A limit.
    #[serde(rename = "limit")]
    _limit: u32,
}

#[derive(Serialize, JsonSchema)]
struct Clashing {
    rows: Vec<u32>,
    next_cursor: u32,
}

#[test]
fn a_declaration_that_cannot_be_kept_is_refused_at_start() {
    let listed = || Listed {
        numbers: Vec::new(),
        total: 0,
    };
    let limited = move |_: Limited| listed();
    let clashing = || Clashing {
        rows: Vec::new(),
        next_cursor: 0,
    };
    let scalar = || 7_u32;
    let bytes = || Bytes::new("text/plain", "x");
    let whole_named =
        |name: &'static str| Tool::new("it", whole).describe("It.").pages(name, None, 10);
    let sync = |tool: Tool| tool.describe("It.");
    for (tool, problem) in [
        (
            Tool::new("it", numbers),
            "it returns `Paged`: add `.pages(…)`",
        ),
        (
            whole_named("rows"),
            "it has `.pages(…)` of `rows`, and its result is not an object with a list in this field",
        ),
        (whole_named("total"), "it has `.pages(…)` of `total`"),
        (
            Tool::new("it", whole).pages("numbers", 20, 10),
            "must have 1 to 10 items where the caller does not say, not 20",
        ),
        (
            Tool::new("it", whole).pages("numbers", 0, 10),
            "must have 1 to 10 items",
        ),
        (
            sync(Tool::new("it", limited)).pages("numbers", None, 10),
            "its parameter `limit` has a name",
        ),
        (
            sync(Tool::new("it", clashing)).pages("rows", None, 10),
            "the field `next_cursor` of its result is made by",
        ),
        (
            sync(Tool::new("it", scalar)).selects(),
            "neither an object nor a list of objects",
        ),
        (
            sync(Tool::new("it", scalar)).pages("rows", None, 10),
            "not an object with a list",
        ),
        (
            sync(Tool::new("it", bytes)).trims(),
            "its result is not a text",
        ),
        (
            sync(Tool::new("it", scalar)).trims(),
            "its result is not a text",
        ),
    ] {
        let refused = App::new(Config::default(), Server::new("it", "1").tool(tool)).err();
        let said = refused.map(|it| it.to_string()).unwrap_or_default();
        assert!(
            said.contains("function `it`: ") && said.contains(problem),
            "{problem}: {said}"
        );
    }
    let limited = Tool::new("it", move |_: Limited| listed())
        .describe("It.")
        .selects();
    assert!(App::new(Config::default(), Server::new("it", "1").tool(limited)).is_ok());
}
