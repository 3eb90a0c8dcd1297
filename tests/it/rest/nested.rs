//! Nested arguments: an array does not stand for the fields of a struct in their order, on no protocol.

use std::collections::BTreeMap;

use bifold::schemars::{Schema, SchemaGenerator, json_schema};
use bifold::{Context, JsonSchema, Result, Server, Tool};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wrong_argument;
use crate::support::TestApp;

/// Holds structs in every place that a type can have them.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nest {
    /// A point.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    /// Points in a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<Point>,
    /// Points by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    named: BTreeMap<String, Point>,
    /// A point with a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<(i32, Point)>,
    /// A tag outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    /// A tag inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    tagged: Option<Tagged>,
    /// No tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    loose: Option<Loose>,
    /// Points by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    numbered: BTreeMap<u8, Point>,
    /// Whatever it is.
    #[serde(default, skip_serializing)]
    #[schemars(schema_with = "anything")]
    #[expect(dead_code, reason = "what is in it is ignored")]
    any: IgnoredAny,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Nothing,
    Dot(Point),
    Line { from: Point, to: Point },
    Corners(Point, Point),
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Inner { value: Point },
    Listed { value: Vec<i32> },
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Point(Point),
}

/// An object of which nothing is known.
fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

async fn nest(_: Context, nest: Nest) -> Result<Nest> {
    Ok(nest)
}

async fn start() -> TestApp {
    let tool = Tool::new("nest", nest).post("/nests");
    TestApp::serving(Server::new("nest", "1.0.0").tools(vec![tool])).await
}

#[tokio::test]
async fn an_array_where_the_schema_says_object_is_refused_with_its_path() {
    let app = start().await;
    for (arguments, path) in [
        (json!({"point": [1, 2]}), "point"),
        (json!({"path": [{"x": 1, "y": 2}, [1, 2]]}), "path[1]"),
        (json!({"named": {"a": [1, 2]}}), "named.a"),
        (json!({"named": [1, 2]}), "named"),
        (json!({"pair": [1, [1, 2]]}), "pair[1]"),
        (json!({"shape": {"dot": [1, 2]}}), "shape.dot"),
        (json!({"shape": {"line": [[1, 2], [1, 2]]}}), "shape.line"),
        (
            json!({"shape": {"line": {"from": {"x": 1, "y": 2}, "to": [1, 2]}}}),
            "shape.line.to",
        ),
        (
            json!({"shape": {"corners": [[1, 2], {"x": 1, "y": 2}]}}),
            "shape.corners[0]",
        ),
        (
            json!({"tagged": {"kind": "inner", "value": [1, 2]}}),
            "tagged.value",
        ),
        (json!({"tagged": ["inner", [1, 2]]}), "tagged"),
        (json!({"loose": [1, 2]}), "loose"),
        (json!({"numbered": {"7": [1, 2]}}), "numbered.7"),
        (json!({"numbered": [1, 2]}), "numbered"),
    ] {
        wrong_argument(&app.post("/api/nests", arguments.to_string()).await, path);
        let result = app.tool("nest", arguments.clone()).await;
        let error = &result["_meta"]["bifold/error"];
        assert_eq!(error["kind"], "invalid_argument", "{arguments}: {result}");
        assert_eq!(error["field"], path, "{arguments}");
    }
}

/// What MCP answers to arguments that no `Value` could hold.
async fn call(app: &TestApp, arguments: &str) -> Value {
    let params = format!(r#"{{"name":"nest","arguments":{arguments}}}"#);
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    app.post("/mcp", call).await.json()["result"].take()
}

#[tokio::test]
async fn nothing_beside_it_hides_an_array_that_stands_for_an_object() {
    let app = start().await;
    let deep = "[".repeat(140) + &"]".repeat(140);
    for beside in ["1e999", r#""\ud800""#, r#"{"\ud800": 1}"#, &deep] {
        let any = format!(r#""any": {{"a": {beside}}}"#);
        // Of itself it is taken, by a function that does not read it.
        let result = call(&app, &format!(r#"{{{any}, "path": []}}"#)).await;
        assert_eq!(result["structuredContent"], json!({}), "{beside}: {result}");
        let arguments = format!(r#"{{{any}, "path": [{{"x": 1, "y": 2}}, [1, 2]]}}"#);
        wrong_argument(&app.post("/api/nests", arguments.clone()).await, "path[1]");
        let result = call(&app, &arguments).await;
        let error = &result["_meta"]["bifold/error"];
        assert_eq!(error["field"], "path[1]", "{beside}: {result}");
    }
}

#[tokio::test]
async fn a_part_that_cannot_be_read_is_refused_by_who_decodes_it_and_the_rest_is_looked_at() {
    let app = start().await;
    for part in [r#"{"x": 1e999, "y": 2}"#, r#"{"\ud800": [1, 2]}"#] {
        for (rest, path) in [(r#"{"x": 1, "y": 2}"#, "path[0]"), ("[1, 2]", "path[1]")] {
            let arguments = format!(r#"{{"path": [{part}, {rest}]}}"#);
            let problem = app.post("/api/nests", arguments.clone()).await.json();
            let field = problem["field"].as_str().unwrap();
            assert!(field.starts_with(path), "{arguments}: {problem}");
            let result = call(&app, &arguments).await;
            assert_eq!(result["_meta"]["bifold/error"]["field"], field, "{result}");
        }
    }
}

#[tokio::test]
async fn arrays_where_they_belong_are_taken() {
    let app = start().await;
    let point = json!({"x": 1, "y": 2});
    for arguments in [
        json!({"point": point, "path": [point, point], "named": {"[": point}}),
        json!({"pair": [1, point], "shape": {"corners": [point, point]}}),
        json!({"path": [point], "shape": "nothing"}),
        json!({"path": [point], "shape": {"line": {"from": point, "to": point}}}),
        json!({"tagged": {"kind": "listed", "value": [1, 2]}}),
        json!({"loose": "[1, 2]"}),
        json!({"path": [point], "numbered": {"7": point}}),
        json!({"path": [], "loose": point}),
    ] {
        let mut expected = arguments.clone();
        if expected["path"] == json!([]) {
            expected.as_object_mut().unwrap().remove("path");
        }
        let result = app.tool("nest", arguments).await;
        assert_eq!(result["structuredContent"], expected, "{result}");
    }
}
