//! The batch function in listings, and its POST path.

use bifold::{App, Config, Server, Tool, batch};
use serde_json::json;

use super::echo;
use crate::support::TestApp;

#[tokio::test]
async fn listings_show_the_batch_function_last_with_its_method() {
    let app = TestApp::start().await;
    let listing = app.get("/api/registry_introspection").await.json();
    assert_eq!(
        listing["summary"],
        json!({"total_functions": 43, "mcp_enabled": 38, "rest_enabled": 41, "dual_protocol": 36, "mcp_only": 2, "rest_only": 5})
    );
    let entry = listing["functions"].as_array().unwrap().last().unwrap();
    assert_eq!(entry["name"], "call_many");
    assert_eq!(
        (&entry["method"], &entry["path"]),
        (&json!("POST"), &json!("/api/batch"))
    );
    assert_eq!(entry["tags"], json!(["system"]));
    let document = app.get("/openapi.json").await.json();
    for (path, id) in [
        ("/api/batch", "call_many"),
        ("/api/call_many", "call_many_post"),
    ] {
        assert_eq!(document["paths"][path]["post"]["operationId"], id);
        assert!(document["paths"][path].get("get").is_none());
    }
    let docs = app.get("/docs").await.text();
    assert!(
        docs.contains(r#""method":"POST","name":"call_many""#),
        "the catalog of the page"
    );
}

#[test]
fn a_post_path_is_checked_at_start() {
    for (tools, problem) in [
        (
            vec![Tool::sync("echo", echo).post("/batch"), batch::tool()],
            "functions `echo` and `call_many` have the same POST path: `/batch`",
        ),
        (
            vec![Tool::sync("echo", echo).post("/call_many"), batch::tool()],
            "functions `echo` and `call_many` have the same POST path: `/call_many`",
        ),
        (
            vec![Tool::sync("echo", echo).post("/x").post("/x")],
            "functions `echo` and `echo` have the same POST path: `/x`",
        ),
        (
            vec![Tool::sync("echo", echo).post("/{word}")],
            "function `echo`: its path `/{word}` names `word`, which is not a parameter",
        ),
        (
            vec![Tool::sync("echo", echo).post("many")],
            "function `echo`: its path `many` must begin with `/`",
        ),
    ] {
        let server = Server::new("batch", "1.0.0").tools(tools);
        let Err(error) = App::new(Config::default(), server) else {
            panic!("started in spite of: {problem}");
        };
        assert!(error.to_string().contains(problem), "{error}");
    }
}
