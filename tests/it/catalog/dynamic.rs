//! Tools whose schemas are JSON that is known only at run time.

use bifold::{Answer, App, Config, Context, Result, Server, Tool};
use http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{server, tools};
use crate::support::TestApp;

/// A schema with what derived schemas do not have.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "city": { "type": "string", "minLength": 2 },
            "days": { "type": "integer", "maximum": 7 },
        },
        "required": ["city"],
        "additionalProperties": false,
        "x-own": { "kept": true },
    })
}

async fn echo(_: Context, arguments: Box<RawValue>) -> Result<Answer> {
    Answer::of(&arguments)
}

fn forecast() -> Tool {
    let tool = Tool::dynamic("forecast", schema(), echo).describe("Tells the weather.");
    tool.output_schema(json!({ "type": "object" }))
        .post("/weather/forecast")
        .without_name_path()
}

#[tokio::test]
async fn a_tool_made_of_json_is_added_listed_called_and_removed_while_the_application_runs() {
    let app = TestApp::serving(server()).await;
    let catalog = app.app.catalog();
    catalog.change(|it| it.add_tool(forecast())).unwrap();
    assert_eq!(tools(&app).await, ["one", "two", "forecast"]);
    let list = app.mcp("tools/list", json!({})).await.json();
    let entry = &list["result"]["tools"][2];
    assert_eq!(entry["inputSchema"], schema());
    assert_eq!(entry["outputSchema"], json!({ "type": "object" }));

    let arguments = json!({ "city": "Bern", "days": 3 });
    let result = app.tool("forecast", arguments.clone()).await;
    assert_eq!(result["structuredContent"], arguments);
    let body = arguments.to_string();
    let answer = app.post("/api/weather/forecast", body).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, arguments));
    let unknown = app.post("/api/forecast", "{\"city\": \"Bern\"}").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let document = app.get("/openapi.json").await.json();
    let operation = &document["paths"]["/api/weather/forecast"]["post"];
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["city"]["minLength"], 2);

    catalog
        .change(|it| it.tools.retain(|tool| tool.name() != "forecast"))
        .unwrap();
    assert_eq!(tools(&app).await, ["one", "two"]);
}

#[tokio::test]
async fn what_its_schema_demands_is_checked_on_both_protocols_before_it_runs() {
    let app = TestApp::serving(server().tool(forecast())).await;
    let wrong = [
        (json!({}), "city"),
        (json!({ "city": "B" }), "city"),
        (json!({ "city": "Bern", "days": 9 }), "days"),
        (json!({ "city": "Bern", "more": 1 }), "more"),
    ];
    for (arguments, field) in wrong {
        let result = app.tool("forecast", arguments.clone()).await;
        assert_eq!(result["isError"], true, "{arguments}");
        let said = result["content"][0]["text"].as_str().unwrap();
        assert!(said.contains(&format!("`{field}`")), "{said}");
        let body = arguments.to_string();
        let answer = app.post("/api/weather/forecast", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{arguments}");
        assert_eq!(answer.json()["field"], field);
    }
    // As for every tool, null means that an optional parameter is absent.
    let result = app
        .tool("forecast", json!({ "city": "Bern", "days": null }))
        .await;
    assert_eq!(result["structuredContent"], json!({ "city": "Bern" }));
}

#[test]
fn it_needs_a_description_and_an_object_as_its_schema() {
    let nameless = Tool::dynamic("forecast", json!({ "type": "string" }), echo);
    let refused = App::new(Config::default(), Server::new("it", "1").tool(nameless));
    let problems = refused.err().unwrap().to_string();
    assert!(
        problems.contains("must be a struct (a JSON object)"),
        "{problems}"
    );
    let nameless = Tool::dynamic("forecast", schema(), echo);
    let refused = App::new(Config::default(), Server::new("it", "1").tool(nameless));
    let problems = refused.err().unwrap().to_string();
    assert!(problems.contains("it has no description"), "{problems}");
}

#[tokio::test]
async fn references_inside_its_schema_lead_to_the_same_places_in_the_openapi_document() {
    let schema = json!({
        "type": "object",
        "properties": { "home": { "$ref": "#/$defs/city" }, "kind": { "const": { "$ref": "#/x" } } },
        "$defs": { "city": { "type": "string", "description": "A city." } },
    });
    let tool = Tool::dynamic("move", schema.clone(), echo).describe("Moves.");
    let tool =
        tool.output_schema(json!({ "type": "object", "properties": { "self": { "$ref": "#" } } }));
    let app = TestApp::serving(server().tool(tool.post("/home/move").without_name_path())).await;
    let document = app.get("/openapi.json").await.json();
    let operation = &document["paths"]["/api/home/move"]["post"];
    let input = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
    let output =
        &operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"];
    assert_eq!(input["kind"]["const"]["$ref"], "#/x");
    let at = |reference: &Value| {
        let pointer = reference["$ref"]
            .as_str()
            .unwrap()
            .strip_prefix('#')
            .unwrap();
        document
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer}"))
    };
    assert_eq!(at(&input["home"])["description"], "A city.");
    assert_eq!(at(&output["self"])["type"], "object");
    // MCP clients get the schema as it is.
    let list = app.mcp("tools/list", json!({})).await.json();
    assert_eq!(list["result"]["tools"][2]["inputSchema"], schema);
}
