//! `Mcp-Param-*`: the headers that repeat an argument, where a function's schema asks for it.

use bifold::{Context, JsonSchema, Result, Server, Tool};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{doubled, fault, result, with};
use crate::support::{Answer, TestApp, modern};

/// Places an order in one region.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Where to place it.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
    /// How many.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Count"))]
    count: Option<i64>,
    /// Whether it is urgent.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Urgent"))]
    urgent: Option<bool>,
    /// What to write on it.
    #[serde(default)]
    note: Option<String>,
}

async fn place(_: Context, order: Place) -> Result<Place> {
    Ok(order)
}

async fn start() -> TestApp {
    let tool = Tool::new("place", place);
    TestApp::serving(Server::new("orders", "1.0.0").tools(vec![tool])).await
}

/// A call with these arguments and these headers.
fn call(arguments: Value, headers: &[(&'static str, &str)]) -> Request<axum::body::Body> {
    let request = modern(
        "tools/call",
        json!({"name": "place", "arguments": arguments}),
    );
    headers
        .iter()
        .fold(request, |request, (name, value)| with(request, name, value))
}

#[track_caller]
fn assert_placed(answer: &Answer) {
    let result = result(answer);
    assert_eq!(result["isError"], false, "{result}");
}

#[tokio::test]
async fn the_schema_tells_clients_which_headers_to_send() {
    let app = start().await;
    let list = result(&app.mcp("tools/list", json!({})).await);
    let properties = &list["tools"][0]["inputSchema"]["properties"];
    assert_eq!(properties["region"]["x-mcp-header"], "Region");
    assert_eq!(properties["count"]["x-mcp-header"], "Count");
    assert!(properties["note"].get("x-mcp-header").is_none());
}

#[tokio::test]
async fn a_header_that_repeats_its_argument_lets_the_call_through() {
    let app = start().await;
    for (arguments, headers) in [
        (json!({"region": "eu"}), vec![("mcp-param-region", "eu")]),
        (json!({"region": "eu"}), vec![("mcp-param-region", " eu ")]),
        (
            json!({"region": "größe"}),
            vec![("mcp-param-region", "=?base64?Z3LDtsOfZQ==?=")],
        ),
        (
            json!({"region": " eu"}),
            vec![("mcp-param-region", "=?base64?IGV1?=")],
        ),
        (
            json!({"region": "eu", "count": 42, "urgent": true, "note": "hi"}),
            vec![
                ("mcp-param-region", "eu"),
                ("mcp-param-count", "42.0"),
                ("mcp-param-urgent", "true"),
            ],
        ),
        (
            json!({"region": "eu", "count": -1, "urgent": false}),
            vec![
                ("mcp-param-region", "eu"),
                ("mcp-param-count", "-1"),
                ("mcp-param-urgent", "false"),
            ],
        ),
        (
            json!({"region": "eu", "count": null}),
            vec![("mcp-param-region", "eu")],
        ),
        (
            json!({"region": "eu"}),
            vec![("mcp-param-region", "eu"), ("mcp-param-other", "x")],
        ),
        // JSON in texts, as some models write it.
        (
            json!({"region": "eu", "count": "42", "urgent": "true"}),
            vec![
                ("mcp-param-region", "eu"),
                ("mcp-param-count", "42"),
                ("mcp-param-urgent", "true"),
            ],
        ),
        (
            json!(r#"{"region": "eu", "count": 42}"#),
            vec![("mcp-param-region", "eu"), ("mcp-param-count", "42")],
        ),
    ] {
        assert_placed(&app.send(call(arguments, &headers)).await);
    }
}

#[tokio::test]
async fn a_header_that_is_missing_or_says_something_else_stops_the_call() {
    let app = start().await;
    let eu = ("mcp-param-region", "eu");
    for (arguments, headers, named) in [
        (json!({"region": "eu"}), vec![], "mcp-param-region"),
        (json!(r#"{"region": "eu"}"#), vec![], "mcp-param-region"),
        (
            json!(r#"{"region": "eu"}"#),
            vec![("mcp-param-region", "us")],
            "mcp-param-region",
        ),
        (
            json!({"region": "eu", "count": "1"}),
            vec![eu, ("mcp-param-count", "2")],
            "mcp-param-count",
        ),
        (
            json!({"region": "eu"}),
            vec![("mcp-param-region", "us")],
            "mcp-param-region",
        ),
        (
            json!({"region": "eu"}),
            vec![("mcp-param-region", "EU")],
            "mcp-param-region",
        ),
        (
            json!({"region": "eu"}),
            vec![("mcp-param-region", "=?base64?ZXU?=")],
            "mcp-param-region",
        ),
        // What looks like base64 is read as base64, even where it would repeat the argument as it stands.
        (
            json!({"region": "=?base64?ZXU?="}),
            vec![("mcp-param-region", "=?base64?ZXU?=")],
            "mcp-param-region",
        ),
        (
            json!({"region": "eu"}),
            vec![("mcp-param-region", "e\u{fc}")],
            "mcp-param-region",
        ),
        (
            json!({"region": "eu", "count": 1}),
            vec![eu],
            "mcp-param-count",
        ),
        (
            json!({"region": "eu", "count": 1}),
            vec![eu, ("mcp-param-count", "2")],
            "mcp-param-count",
        ),
        (
            json!({"region": "eu", "count": 1}),
            vec![eu, ("mcp-param-count", "one")],
            "mcp-param-count",
        ),
        (
            json!({"region": "eu", "urgent": true}),
            vec![eu],
            "mcp-param-urgent",
        ),
        (
            json!({"region": "eu", "urgent": true}),
            vec![eu, ("mcp-param-urgent", "1")],
            "mcp-param-urgent",
        ),
        (
            json!({"region": "eu", "urgent": true}),
            vec![eu, ("mcp-param-urgent", "True")],
            "mcp-param-urgent",
        ),
    ] {
        let shown = format!("{arguments} {headers:?}");
        let message = fault(&app.send(call(arguments, &headers)).await, 400, -32020);
        assert_eq!(message["id"], 1, "{shown}");
        assert!(
            message["error"]["message"]
                .as_str()
                .unwrap()
                .contains(named),
            "{shown}"
        );
    }
    let twice = doubled(call(json!({"region": "eu"}), &[eu]), "mcp-param-region");
    fault(&app.send(twice).await, 400, -32020);
}

#[tokio::test]
async fn a_wrong_argument_is_told_by_the_function_and_not_by_its_header() {
    let app = start().await;
    for arguments in [
        json!({}),
        json!({"region": null}),
        json!({"region": ["eu"]}),
        json!([]),
    ] {
        let result = result(&app.send(call(arguments, &[])).await);
        assert_eq!(result["isError"], true, "{result}");
    }
}

#[tokio::test]
async fn a_legacy_call_needs_no_such_header() {
    let app = start().await;
    let params = json!({"name": "place", "arguments": {"region": "eu"}});
    assert_placed(&app.legacy("2025-11-25", "tools/call", params).await);
}
