//! The OpenAPI document: complete, consistent, and true to the routes.

use std::collections::HashSet;
use std::sync::Arc;

use bifold::{Context, JsonSchema, Result, Server, Tool};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::TestApp;
use crate::surface::walk;

/// Writes a note.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {}

async fn note(_: Context, note: Note) -> Result<Note> {
    Ok(note)
}

async fn document(app: &TestApp) -> Value {
    let answer = app.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

/// Every operation with its path and its method.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((path.as_str(), method.as_str(), operation));
        }
    }
    operations
}

/// The functions with REST routes, each with its own place in the document.
fn functions(app: &TestApp) -> Vec<Arc<Tool>> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    tools.filter(|tool| tool.on_rest()).cloned().collect()
}

#[track_caller]
fn assert_unique_ids(document: &Value) {
    let mut seen = HashSet::new();
    for (path, method, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap();
        let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
        assert!(id.chars().all(is_plain), "{id}");
        assert!(
            seen.insert(id),
            "`{id}` stands twice, also at {method} {path}"
        );
    }
}

#[tokio::test]
async fn it_is_openapi_3_1_and_says_whose() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    let info = &document["info"];
    assert_eq!(info["title"], "Provenance Blockchain and Figure Markets");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["servers"][0]["url"], "http://127.0.0.1:8787");
}

#[tokio::test]
async fn every_rest_function_stands_there_with_get_and_post_and_nothing_else_does() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut expected = HashSet::new();
    for tool in functions(&app) {
        for route in tool.routes() {
            let method = match route.takes_body() {
                true => "post",
                false => "get",
            };
            expected.insert((format!("/api{}", route.path()), method));
        }
        expected.insert((format!("/api/{}", tool.name()), "post"));
    }
    // One function has a second path for GET, and one has a path of its own for POST.
    assert_eq!(expected.len(), 40 + 1 + 41 + 1);
    let found: HashSet<(String, &str)> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| (path.to_owned(), method))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_operation_is_described_and_has_an_id_of_its_own() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert_unique_ids(&document);
    for (path, method, operation) in operations(&document) {
        for field in ["summary", "description", "operationId"] {
            let said = operation[field].as_str().unwrap_or("");
            assert!(!said.is_empty(), "{method} {path}: `{field}`");
        }
        assert!(
            !operation["tags"].as_array().unwrap().is_empty(),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn ids_stay_unique_whatever_the_functions_are_called() {
    let tools = vec![
        Tool::new("note", note).get("/note").also_get("/a/note"),
        Tool::new("note_post", note).get("/note_post"),
        Tool::new("note_1", note).get("/note_1"),
        Tool::new("note_2", note).get("/b/note"),
        Tool::new("twice", note)
            .get("/c")
            .also_get("/d")
            .also_get("/e"),
    ];
    let app = TestApp::serving(Server::new("notes", "1.0.0").tools(tools)).await;
    let document = document(&app).await;
    assert_unique_ids(&document);
    // The name of a function is its own, whatever stands before it in the list.
    for (path, id) in [
        ("/api/note_post", "note_post"),
        ("/api/b/note", "note_2"),
        ("/api/a/note", "note_2_2"),
    ] {
        let get = &document["paths"][path]["get"];
        let post = &document["paths"][path]["post"];
        assert!(
            [get, post].iter().any(|it| it["operationId"] == id),
            "{path} {id}"
        );
    }
}

#[tokio::test]
async fn the_parameters_of_a_get_are_those_of_the_function_typed_and_described() {
    // No bundled function needs a parameter that can stand in the query; that of the other server does.
    for app in [TestApp::start().await, super::echoing().await] {
        let document = document(&app).await;
        for tool in functions(&app) {
            for path in tool.paths() {
                let operation = &document["paths"][format!("/api{path}")]["get"];
                assert_parameters(&tool, path, operation["parameters"].as_array().unwrap());
            }
        }
    }
}

fn assert_parameters(tool: &Tool, path: &str, parameters: &[Value]) {
    let known = tool.parameters().unwrap();
    assert_eq!(parameters.len(), known.len(), "{path}");
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        let shown = format!("{path} {name}");
        let in_path = path.contains(&format!("{{{name}}}"));
        assert_eq!(
            parameter["in"],
            if in_path { "path" } else { "query" },
            "{shown}"
        );
        assert_eq!(
            parameter["required"],
            in_path || tool.is_required(name),
            "{shown}"
        );
        assert_eq!(
            parameter["description"], known[name]["description"],
            "{shown}"
        );
        assert_eq!(parameter["schema"]["type"], known[name]["type"], "{shown}");
        assert!(parameter["description"].is_string(), "{shown}");
        assert!(parameter["schema"]["type"].is_string(), "{shown}");
    }
}

#[tokio::test]
async fn the_body_of_a_post_and_the_result_have_the_schemas_of_the_function() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    for tool in functions(&app) {
        let post = &document["paths"][format!("/api/{}", tool.name())]["post"];
        let body = &post["requestBody"];
        assert_eq!(
            body["content"]["application/json"]["schema"],
            tool.arguments()
        );
        let needs_one = tool
            .parameters()
            .unwrap()
            .keys()
            .any(|name| tool.is_required(name));
        assert_eq!(body["required"], needs_one, "{}", tool.name());
    }
    for (path, method, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let schema = &responses["200"]["content"]["application/json"]["schema"];
        assert_eq!(schema["type"], "object", "{method} {path}");
        for (status, response) in responses.iter().filter(|(status, _)| *status != "200") {
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(
                schema, "#/components/schemas/Problem",
                "{method} {path} {status}"
            );
        }
    }
}

#[tokio::test]
async fn references_stay_inside_the_components() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut references = 0;
    walk(&document, &mut |value| {
        if let Some(reference) = value.get("$ref") {
            let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(pointer.starts_with("/components/schemas/"), "{pointer}");
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            references += 1;
        }
    });
    assert!(references > 0);
}

#[tokio::test]
async fn the_statuses_that_occur_are_documented_and_so_is_their_body() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let responses = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
    let get = responses("/api/account_info/{wallet_address}", "get");
    let post = responses("/api/fetch_account_info", "post");
    let too_large = app
        .post("/api/fetch_account_info", vec![b' '; (1 << 20) + 1])
        .await;
    let answers = [
        (&get, app.get(&super::wallet_path()).await),
        (&get, app.get("/api/account_info/pb1").await),
        (&post, app.post("/api/fetch_account_info", "[]").await),
        (
            &post,
            super::post_as(&app, "/api/fetch_account_info", "text/plain", "x").await,
        ),
        (&post, too_large),
    ];
    let fields = &document["components"]["schemas"]["Problem"]["properties"];
    for (documented, answer) in answers {
        let status = answer.status.as_str();
        let content = &documented[status]["content"];
        assert!(
            content.get(answer.header("content-type")).is_some(),
            "{status}"
        );
        if status != "200" {
            for field in answer.json().as_object().unwrap().keys() {
                assert!(fields.get(field).is_some(), "{status}: `{field}`");
            }
        }
    }
}
