//! Every kind of result, on MCP and on REST.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bifold::{Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use super::server::{IMAGE, serving};
use crate::support::TestApp;

/// Function, arguments, the JSON of its result, and whether MCP has it in a field `result`.
fn values() -> Vec<(&'static str, Value, Value, bool)> {
    let note = json!({"id": 7});
    vec![
        ("text", json!({}), json!("say \"hi\"\n"), true),
        ("owned", json!({"text": "größe"}), json!("größe"), true),
        ("number", json!({}), json!(1.5), true),
        ("flag", json!({}), json!(true), true),
        ("list", json!({}), json!([1, 2]), true),
        ("some", json!({}), note.clone(), true),
        ("none", json!({}), json!(null), true),
        ("unit", json!({}), json!(null), true),
        ("unit_enum", json!({}), json!("red"), true),
        ("map", json!({}), json!({"a": 1}), false),
        ("object", json!({}), note.clone(), false),
        ("boxed", json!({}), note.clone(), false),
        (
            "tagged",
            json!({}),
            json!({"kind": "circle", "radius": 1}),
            false,
        ),
        (
            "tagged",
            json!({"text": "a"}),
            json!({"kind": "square", "side": 2}),
            false,
        ),
        ("mixed", json!({}), note.clone(), true),
        ("mixed", json!({"text": "a"}), json!("a"), true),
        ("made", json!({}), note.clone(), false),
        ("begun", json!({}), note, false),
        ("any", json!({}), json!(["as", "it", "comes"]), true),
    ]
}

/// The schema of a function's result on MCP.
async fn output_schema(app: &TestApp, name: &str) -> Value {
    let list = app.mcp("tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap().clone();
    let mut tools = tools.into_iter().filter(|it| it["name"] == name);
    tools.next().unwrap()["outputSchema"].take()
}

#[tokio::test]
async fn mcp_has_every_value_as_an_object_and_as_text() {
    let app = serving().await;
    for (name, arguments, expected, is_wrapped) in values() {
        let result = app.tool(name, arguments).await;
        let text = match &expected {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(
            result["content"],
            json!([{"type": "text", "text": text}]),
            "{name}"
        );
        let structured = match is_wrapped {
            true => json!({"result": expected}),
            false => expected,
        };
        assert_eq!(result["structuredContent"], structured, "{name}");
        assert_eq!(result["isError"], false, "{name}");
        if name == "any" {
            continue;
        }
        let schema = output_schema(&app, name).await;
        assert_eq!(schema["type"], "object", "{name}: {schema}");
        let has_result = schema["properties"].get("result").is_some();
        assert_eq!(has_result, is_wrapped, "{name}: {schema}");
    }
}

#[tokio::test]
async fn older_revisions_get_the_text_alone() {
    let app = serving().await;
    for version in ["2024-11-05", "2025-03-26"] {
        for (name, arguments, expected, _) in values() {
            let params = json!({"name": name, "arguments": arguments});
            let result = app.legacy(version, "tools/call", params).await.json();
            let result = &result["result"];
            assert!(
                result.get("structuredContent").is_none(),
                "{version} {name}"
            );
            let text = expected
                .as_str()
                .map_or(expected.to_string(), str::to_owned);
            assert_eq!(result["content"][0]["text"], text, "{version} {name}");
        }
    }
    let params = json!({"name": "list", "arguments": {}});
    let result = app.legacy("2025-06-18", "tools/call", params).await.json();
    assert_eq!(
        result["result"]["structuredContent"],
        json!({"result": [1, 2]})
    );
}

#[tokio::test]
async fn rest_has_every_value_as_it_is() {
    let app = serving().await;
    for (name, arguments, expected, _) in values() {
        let answer = app
            .post(&format!("/api/{name}"), arguments.to_string())
            .await;
        assert_eq!(answer.json(), expected, "{name}");
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        let status = match name {
            "made" => 201,
            "begun" => 202,
            _ => 200,
        };
        assert_eq!(answer.status, status, "{name}");
    }
    let document = app.get("/openapi.json").await.json();
    let ok = &document["paths"]["/api/list"]["get"]["responses"]["200"];
    let schema = &ok["content"]["application/json"]["schema"];
    assert_eq!(schema["type"], "array", "{schema}");
    let responses =
        |name: &str| document["paths"][format!("/api/{name}")]["get"]["responses"].clone();
    let made = &responses("made")["201"];
    assert!(made["headers"]["Location"].is_object(), "{made}");
    assert!(responses("begun")["202"].is_object());
    assert!(responses("nothing")["204"].get("content").is_none());
    assert!(responses("image")["200"]["content"]["*/*"].is_object());
}

#[tokio::test]
async fn what_was_made_has_a_place() {
    let app = serving().await;
    for answer in [
        app.get("/api/made").await,
        app.post("/api/made", "{}").await,
    ] {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("location"), "/api/notes/7%20%C3%BC");
        assert_eq!(answer.json(), json!({"id": 7}));
    }
}

#[tokio::test]
async fn nothing_is_a_response_without_a_body_and_a_result_without_content() {
    let app = serving().await;
    for answer in [
        app.get("/api/nothing").await,
        app.post("/api/nothing", "{}").await,
    ] {
        assert_eq!(answer.status, 204);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("content-type"), "");
    }
    let result = app.tool("nothing", json!({})).await;
    assert_eq!(result["content"], json!([]));
    assert_eq!(result["isError"], false);
    assert!(result.get("structuredContent").is_none());
    assert_eq!(output_schema(&app, "nothing").await, Value::Null);
}

#[tokio::test]
async fn rest_sends_bytes_as_they_are() {
    let app = serving().await;
    let zip = "attachment; filename=\"a b.zip\"";
    let csv = "attachment; filename=\"gr__e.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv";
    let cases: [(&str, &[u8], &str, &str); 4] = [
        (
            "image",
            IMAGE,
            "image/png",
            "attachment; filename=\"x.png\"",
        ),
        ("sound", &[0, 255], "audio/wav", ""),
        ("archive", &[80, 75, 255], "application/zip", zip),
        ("report", b"a,b\n1,2\n", "text/csv; charset=utf-8", csv),
    ];
    for (name, body, kind, disposition) in cases {
        let got = app.get(&format!("/api/{name}")).await;
        assert!(!got.header("etag").is_empty(), "{name}");
        for answer in [got, app.post(&format!("/api/{name}"), "{}").await] {
            assert_eq!(answer.status, 200, "{name}");
            assert_eq!(answer.body, body, "{name}");
            assert_eq!(answer.header("content-type"), kind, "{name}");
            assert_eq!(answer.header("content-disposition"), disposition, "{name}");
            let nosniff: Vec<_> = answer
                .headers
                .get_all("x-content-type-options")
                .iter()
                .collect();
            assert_eq!(nosniff, ["nosniff"], "{name}");
        }
    }
    let broken = app.get("/api/broken").await;
    assert_eq!(broken.status, 500);
    assert_eq!(broken.json()["kind"], "internal");
}

#[tokio::test]
async fn mcp_sends_bytes_as_blocks() {
    let app = serving().await;
    let data = |bytes: &[u8]| STANDARD.encode(bytes);
    let image = json!({"type": "image", "mimeType": "image/png", "data": data(IMAGE)});
    let sound = json!({"type": "audio", "mimeType": "audio/wav", "data": data(&[0, 255])});
    let archive = json!({"type": "resource", "resource": {
        "uri": "attachment:///a%20b.zip", "mimeType": "application/zip", "blob": data(&[80, 75, 255]),
    }});
    let report = json!({"type": "resource", "resource": {
        "uri": "attachment:///gr%C3%B6%C3%9Fe.csv", "mimeType": "text/csv; charset=utf-8", "text": "a,b\n1,2\n",
    }});
    for (name, block) in [
        ("image", image),
        ("sound", sound),
        ("archive", archive),
        ("report", report),
    ] {
        let result = app.tool(name, json!({})).await;
        assert_eq!(result["content"], json!([block]), "{name}");
        assert!(result.get("structuredContent").is_none(), "{name}");
        assert_eq!(output_schema(&app, name).await, Value::Null, "{name}");
    }
    let params = json!({"name": "sound", "arguments": {}});
    let old = app.legacy("2024-11-05", "tools/call", params).await.json();
    assert_eq!(old["result"]["content"][0]["type"], "text");
}

#[tokio::test]
async fn a_prompt_may_be_a_text_and_a_resource_text_or_bytes() {
    let text = || Tool::new("text", || "Tell me a \"story\".").describe("A story.");
    let image = Tool::new("image", || bifold::Bytes::new(IMAGE, "image/png")).describe("An image.");
    let zip = Tool::new("zip", || bifold::Bytes::new(IMAGE, "application/zip")).describe("A file.");
    let server = Server::new("texts", "1.0.0")
        .prompts([Prompt::new(text())])
        .resources([
            Resource::new("test://text", "text/plain", text()),
            Resource::new("test://image", "image/png", image),
            Resource::new("test://zip", "application/zip", zip),
        ]);
    let app = TestApp::serving(server).await;
    let prompt = app.mcp("prompts/get", json!({"name": "text"})).await.json();
    let message =
        json!({"role": "user", "content": {"type": "text", "text": "Tell me a \"story\"."}});
    assert_eq!(prompt["result"]["messages"], json!([message]));
    let blob = STANDARD.encode(IMAGE);
    for (uri, key, expected) in [
        ("test://text", "text", "Tell me a \"story\"."),
        ("test://image", "blob", &blob),
        ("test://zip", "blob", &blob),
    ] {
        let read = app.mcp("resources/read", json!({"uri": uri})).await.json();
        let contents = &read["result"]["contents"][0];
        assert_eq!(contents[key], expected, "{read}");
        assert_eq!(contents["uri"], uri);
    }
}
