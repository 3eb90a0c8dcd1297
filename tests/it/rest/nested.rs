//! Nested arguments: an array does not stand for the fields of a struct in their order, on no face.

use std::collections::BTreeMap;

use bifold::{Context, JsonSchema, Result, Server, Tool};
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    ] {
        wrong_argument(&app.post("/api/nests", arguments.to_string()).await, path);
        let result = app.tool("nest", arguments.clone()).await;
        let error = &result["_meta"]["bifold/error"];
        assert_eq!(error["kind"], "invalid_argument", "{arguments}: {result}");
        assert_eq!(error["field"], path, "{arguments}");
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
