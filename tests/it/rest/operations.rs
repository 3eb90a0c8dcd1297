//! Operations of the OpenAPI document: ids, and the responses that each can have.

use bifold::{Capability, JsonSchema, Kind, Server, Tool};
use serde::Deserialize;
use serde_json::Value;

use super::methods::note;
use crate::support::TestApp;

async fn document(tools: Vec<Tool>) -> Value {
    let app = TestApp::serving(Server::new("notes", "1.0.0").tools(tools)).await;
    app.get("/openapi.json").await.json()
}

#[tokio::test]
async fn every_method_of_a_function_has_an_id_of_its_own() {
    let tool = Tool::new("note", note)
        .put("/notes/{id}")
        .get("/notes/{id}")
        .get("/note")
        .patch("/notes/{id}")
        .post("/notes")
        .delete("/notes/{id}");
    let document = document(vec![tool]).await;
    for (path, method, id) in [
        ("/api/notes/{id}", "get", "note"),
        ("/api/note", "get", "note_2"),
        ("/api/notes/{id}", "put", "note_put"),
        ("/api/notes/{id}", "patch", "note_patch"),
        ("/api/notes/{id}", "delete", "note_delete"),
        ("/api/notes", "post", "note_post"),
    ] {
        let operation = &document["paths"][path][method];
        // The path of the name had its id before other paths could have one.
        let id = if path == "/api/notes" {
            "note_post_2"
        } else {
            id
        };
        assert_eq!(operation["operationId"], id, "{method} {path}");
    }
    assert_eq!(
        document["paths"]["/api/note"]["post"]["operationId"],
        "note_post"
    );
}

#[tokio::test]
async fn an_operation_lists_the_responses_that_it_can_have() {
    let tools = vec![
        Tool::new("create", note)
            .post("/notes")
            .status(201)
            .closed_world(),
        Tool::new("read", note)
            .get("/notes/{id}")
            .requires(Capability::Sampling),
    ];
    let document = document(tools).await;
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object();
        responses.unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        statuses("/api/notes", "post"),
        [
            "201", "400", "403", "404", "408", "409", "413", "415", "422", "500", "503", "504"
        ]
    );
    assert_eq!(
        statuses("/api/notes/{id}", "get"),
        [
            "200", "400", "404", "422", "500", "501", "502", "503", "504"
        ]
    );
}

#[tokio::test]
async fn what_a_function_of_this_server_declares_is_all_that_it_fails_with() {
    const TAKEN: Kind = Kind::custom(409, "note_taken");
    let tools = vec![
        Tool::new("create", note)
            .put("/notes/{id}")
            .closed_world()
            .errors([(TAKEN, "the number is taken")]),
        Tool::new("ping", || "pong")
            .describe("Answers.")
            .get("/ping")
            .closed_world(),
    ];
    let document = document(tools).await;
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object();
        responses.unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        statuses("/api/notes/{id}", "put"),
        [
            "200", "400", "403", "408", "409", "413", "415", "422", "500", "503", "504"
        ]
    );
    assert_eq!(
        statuses("/api/ping", "get"),
        ["200", "400", "422", "500", "503", "504"]
    );
}

/// Takes parameters in an order of its own.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Ordered {
    /// The last letter.
    #[serde(rename = "zed", alias = "z")]
    _zed: String,
    /// A middle one.
    #[serde(rename = "mid")]
    _mid: Option<String>,
    /// The first one.
    #[serde(rename = "aa")]
    _aa: Option<String>,
}

#[tokio::test]
async fn parameters_stand_in_the_order_of_their_declaration() {
    let tool = Tool::new("ordered", |_: Ordered| "").get("/ordered");
    assert_eq!(tool.parameter_names(), ["zed", "mid", "aa"]);
    let document = document(vec![tool]).await;
    let parameters = document["paths"]["/api/ordered"]["get"]["parameters"].clone();
    let names: Vec<&str> = parameters
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["zed", "mid", "aa"]);
}
