//! A mounted server of the modern era: a second application of this library, over HTTP.

use bifold::{
    App, Config, Content, Context, Elicited, Error, JsonSchema, Level, Mount, Prompt, Resource,
    Result, Server, Tool,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{mounting, names, status, tools};
use crate::support::{Log, TestApp, on_socket};

/// Adds two numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The first number.
    a: i64,
    /// The second number.
    b: i64,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// A note of that id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// The id.
    id: String,
}

fn add(Add { a, b }: Add) -> Sum {
    Sum { sum: a + b }
}

fn fail() -> Result<Content> {
    Err(Error::failed("it cannot be done").with_data(json!({ "code": 7 })))
}

fn linked() -> Content {
    Content::text("see").and_document("note://1", "text/plain", "one")
}

async fn ask(cx: Context) -> Result<Content> {
    Ok(Content::text(
        match cx.elicit("name", "Who are you?").await? {
            Elicited::Accepted(Name { name }) => format!("Hello, {name}!"),
            Elicited::Declined | Elicited::Cancelled => "nobody".to_owned(),
        },
    ))
}

fn tell(cx: Context) -> Content {
    cx.progress(1.0, Some(2.0), "half");
    cx.log(Level::Warning, "beware");
    Content::text("told")
}

fn note(Note { id }: Note) -> Content {
    Content::text(format!("note {id}"))
}

/// What is mounted.
pub fn notes() -> Server {
    let noted = || Tool::new("note", note);
    let proposals =
        async |_: Context, typed: String| Ok(vec![format!("{typed}1"), format!("{typed}2")]);
    Server::new("notes", "2.0.0")
        .tools([
            Tool::new("add", add)
                .title("Add")
                .read_only()
                .meta("ui", json!({ "resourceUri": "ui://sum" })),
            Tool::new("fail", fail).describe("Fails."),
            Tool::new("linked", linked).describe("Links."),
            Tool::new("ask", ask).describe("Asks."),
            Tool::new("tell", tell).describe("Tells."),
        ])
        .resources([
            Resource::new("note://{id}", "text/plain", noted()).complete("id", proposals),
            Resource::new(
                "ui://sum",
                "text/html",
                Tool::new("page", || "<p>").describe("A page."),
            ),
        ])
        .prompts([Prompt::new(noted()).complete("id", proposals)])
}

/// An application that mounts it under the name `n`.
async fn gateway() -> TestApp {
    let (address, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    mounting([Mount::http("n", format!("http://{address}/mcp"))]).await
}

#[tokio::test]
async fn its_tools_are_listed_as_they_are_under_the_name_of_the_mount() {
    let app = gateway().await;
    let list = app.mcp("tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let direct = TestApp::serving(notes()).await;
    let direct = direct.mcp("tools/list", json!({})).await.json();
    let direct = direct["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), direct.len());
    for (tool, direct) in tools.iter().zip(direct) {
        let mut expected = direct.clone();
        expected["name"] = format!("n_{}", direct["name"].as_str().unwrap()).into();
        if let Some(uri) = expected.pointer_mut("/_meta/ui/resourceUri") {
            *uri = "ui://n/sum".into();
        }
        assert_eq!(*tool, expected);
    }
    let known = status(&app).await;
    assert_eq!(known["state"], "up", "{known}");
    assert_eq!(known["revision"], "2026-07-28");
    assert_eq!((&known["tools"], &known["prompts"]), (&json!(5), &json!(1)));
}

#[tokio::test]
async fn its_results_are_passed_on_as_they_are() {
    let app = gateway().await;
    let result = app.tool("n_add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(result["structuredContent"], json!({ "sum": 3 }));
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "notes"
    );
    // The mounted server says what is wrong with the arguments.
    let result = app.tool("n_add", json!({ "a": 1, "c": 2 })).await;
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["_meta"]["bifold/error"]["kind"], "invalid_argument",
        "{result}"
    );
    let result = app.tool("n_fail", json!({})).await;
    assert_eq!(result["content"][0]["text"], "it cannot be done");
    assert_eq!(
        result["_meta"]["bifold/error"]["data"],
        json!({ "code": 7 })
    );
    let result = app.tool("n_linked", json!({})).await;
    assert_eq!(result["content"][1]["resource"]["uri"], "note://n/1");
}

#[tokio::test]
async fn clients_of_every_revision_get_what_it_offers() {
    let app = gateway().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let list = app.legacy(version, "tools/list", json!({})).await.json();
        let entry = &list["result"]["tools"][0];
        assert_eq!(entry["name"], "n_add");
        assert_eq!(
            entry.get("annotations").is_some(),
            version > "2025-01-01",
            "{version}"
        );
        assert_eq!(
            entry.get("outputSchema").is_some(),
            version > "2025-04-01",
            "{version}"
        );
        let params = json!({ "name": "n_add", "arguments": { "a": 1, "b": 2 } });
        let answer = app.legacy(version, "tools/call", params).await.json();
        let result = &answer["result"];
        assert_eq!(result["content"][0]["text"], "{\"sum\":3}");
        assert_eq!(
            result.get("structuredContent").is_some(),
            version > "2025-04-01",
            "{version}"
        );
        assert_eq!(result.get("resultType"), None);
    }
}

#[tokio::test]
async fn its_tools_are_paths_of_rest_with_their_errors_and_their_part_of_the_document() {
    let app = gateway().await;
    let answer = app.post("/api/n/add", "{\"a\": 20, \"b\": 3}").await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::OK, json!({ "sum": 23 }))
    );
    let answer = app.post("/api/n/tell", "{}").await;
    assert_eq!(answer.json(), json!([{ "type": "text", "text": "told" }]));
    let answer = app.post("/api/n/fail", "{}").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["detail"], "it cannot be done");
    let document = app.get("/openapi.json").await.json();
    let operation = &document["paths"]["/api/n/add"]["post"];
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["a"]["type"], "integer", "{operation}");
    assert_eq!(operation["tags"], json!(["n"]));
}

#[tokio::test]
async fn its_documents_are_read_at_our_uris_and_its_prompts_and_proposals_pass() {
    let app = gateway().await;
    assert_eq!(
        names(&app, "resources/list", "resources", "uri").await,
        ["ui://n/sum"]
    );
    let templates = names(
        &app,
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
    )
    .await;
    assert_eq!(templates, ["note://n/{id}"]);
    for (uri, text) in [("ui://n/sum", "<p>"), ("note://n/7", "note 7")] {
        let read = app
            .mcp("resources/read", json!({ "uri": uri }))
            .await
            .json();
        let contents = &read["result"]["contents"][0];
        assert_eq!(
            (&contents["uri"], &contents["text"]),
            (&json!(uri), &json!(text)),
            "{read}"
        );
    }
    let missing = app
        .mcp("resources/read", json!({ "uri": "note://m/7" }))
        .await
        .json();
    assert_eq!(missing["error"]["code"], -32602);

    assert_eq!(
        names(&app, "prompts/list", "prompts", "name").await,
        ["n_note"]
    );
    let params = json!({ "name": "n_note", "arguments": { "id": "7" } });
    let prompt = app.mcp("prompts/get", params).await.json();
    assert_eq!(
        prompt["result"]["messages"][0]["content"]["text"], "note 7",
        "{prompt}"
    );
    for reference in [
        json!({ "type": "ref/prompt", "name": "n_note" }),
        json!({ "type": "ref/resource", "uri": "note://n/{id}" }),
    ] {
        let params = json!({ "ref": reference, "argument": { "name": "id", "value": "x" } });
        let proposed = app.mcp("completion/complete", params).await.json();
        assert_eq!(
            proposed["result"]["completion"]["values"],
            json!(["x1", "x2"]),
            "{proposed}"
        );
    }
}

#[tokio::test]
async fn its_question_reaches_the_client_and_the_answer_reaches_it() {
    let app = gateway().await;
    let capabilities =
        json!({ "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} } });
    let mut params = json!({ "name": "n_ask", "arguments": {}, "_meta": capabilities });
    let asked = app.mcp("tools/call", params.clone()).await.json();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let question = &asked["result"]["inputRequests"]["name"];
    assert_eq!(question["params"]["message"], "Who are you?");
    params["requestState"] = asked["result"]["requestState"].clone();
    params["inputResponses"] =
        json!({ "name": { "action": "accept", "content": { "name": "Ada" } } });
    let answer = app.mcp("tools/call", params).await.json();
    assert_eq!(
        answer["result"]["content"][0]["text"], "Hello, Ada!",
        "{answer}"
    );

    // A client that cannot be asked gets what the server says to such a one.
    let refused = app
        .mcp("tools/call", json!({ "name": "n_ask" }))
        .await
        .json();
    let refused = refused.to_string();
    assert!(refused.contains("elicitation"), "{refused}");
}

#[tokio::test]
async fn its_progress_and_its_log_reach_the_client() {
    let app = gateway().await;
    let meta = json!({ "progressToken": "p", "io.modelcontextprotocol/logLevel": "info" });
    let told = app
        .mcp("tools/call", json!({ "name": "n_tell", "_meta": meta }))
        .await
        .text();
    let messages = told.lines().filter_map(|line| line.strip_prefix("data: "));
    let messages: Vec<Value> = messages
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(messages[0]["params"]["progressToken"], "p", "{told}");
    assert_eq!(messages[0]["params"]["message"], "half");
    assert_eq!(messages[1]["params"]["data"], "beware");
    assert_eq!(messages[2]["result"]["content"][0]["text"], "told");
}

#[tokio::test]
async fn the_access_line_names_the_mount_and_counts_the_request() {
    let app = gateway().await;
    tools(&app).await;
    let log = Log::default();
    let guard = log.keep();
    app.tool("n_add", json!({ "a": 1, "b": 2 })).await;
    drop(guard);
    let lines = log.requests();
    // The mounted application writes its own.
    let line = lines.iter().find(|it| it["function"] == "n_add").unwrap();
    assert_eq!(line["mount"], "n", "{line}");
    assert_eq!(line["upstream_calls"], 1);
}

#[tokio::test]
async fn a_mount_without_a_prefix_has_the_names_of_its_server() {
    let (address, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let mount = Mount::http("n", format!("http://{address}/mcp")).without_prefix();
    let app = mounting([mount]).await;
    assert_eq!(tools(&app).await, ["add", "fail", "linked", "ask", "tell"]);
    assert_eq!(
        names(&app, "resources/list", "resources", "uri").await,
        ["ui://sum"]
    );
    let read = app
        .mcp("resources/read", json!({ "uri": "note://7" }))
        .await
        .json();
    assert_eq!(read["result"]["contents"][0]["text"], "note 7");
    assert_eq!(
        app.post("/api/n/add", "{\"a\": 1, \"b\": 1}").await.json()["sum"],
        2
    );
}

#[tokio::test]
async fn only_the_tools_that_are_named_are_offered_and_a_name_that_is_taken_is_left_out() {
    let (address, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let url = format!("http://{address}/mcp");
    let taken = Tool::new("n_add", add).describe("Ours.");
    let server = Server::new("gateway", "1").tool(taken);
    let server = server.mount(Mount::http("n", url).tools(["add", "tell"]));
    let app = TestApp::of(App::new(Config::default(), server).unwrap()).await;
    assert_eq!(tools(&app).await, ["n_add", "n_tell"]);
    let refused = &status(&app).await["refused"][0];
    assert_eq!(refused["what"], "tool `n_add`");
    assert_eq!(refused["why"], "tool `n_add` has the same name");
}
