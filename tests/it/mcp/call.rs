//! `tools/call`: results, failures, and what is not a call.

use bifold::testing::Canned;
use bifold::{Content, Context, Error, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{fault, result};
use crate::support::{TestApp, modern};

/// Answers with what it was asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    /// `picture` or `failure`.
    what: String,
}

async fn show(_: Context, Show { what }: Show) -> Result<Content> {
    match what.as_str() {
        "picture" => Ok(Content::text("Two\nlines.").and_image("image/png", b"\x89PNG")),
        _ => Err(Error::failed("it would not work").with_source("secret detail")),
    }
}

async fn showing() -> TestApp {
    let tool = Tool::new("show", show);
    TestApp::serving(Server::new("show", "1.0.0").tools(vec![tool])).await
}

#[tokio::test]
async fn a_result_is_text_and_the_same_json_as_structured_content() {
    let app = TestApp::start().await;
    let answer = app
        .mcp("tools/call", json!({"name": "get_registry_summary"}))
        .await;
    let result = result(&answer);
    assert_eq!(result["isError"], false);
    assert_eq!(result["resultType"], "complete");
    let content = result["content"].as_array().unwrap();
    assert_eq!(content.len(), 1);
    assert_eq!(content[0]["type"], "text");
    let text: Value = serde_json::from_str(content[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    assert_eq!(text["mcp_enabled"], 38);
    for cached in ["ttlMs", "cacheScope"] {
        assert!(
            result.get(cached).is_none(),
            "the result of a call is not to be kept"
        );
    }
}

#[tokio::test]
async fn arguments_may_be_left_out_or_null_where_none_are_required() {
    let app = TestApp::start().await;
    let name = "get_registry_summary";
    for params in [
        json!({"name": name}),
        json!({"name": name, "arguments": null}),
        json!({"name": name, "arguments": {}}),
        json!({"name": name, "arguments": {}, "unknown": 1}),
    ] {
        for answer in [
            app.mcp("tools/call", params.clone()).await,
            app.legacy("2025-06-18", "tools/call", params.clone()).await,
        ] {
            assert_eq!(result(&answer)["isError"], false, "{params}");
        }
    }
}

#[tokio::test]
async fn wrong_arguments_are_a_failed_call_that_names_the_field() {
    let app = TestApp::start().await;
    let wallet = "fetch_account_info";
    for (name, arguments, field) in [
        (wallet, json!({}), "wallet_address"),
        (wallet, json!({"wallet_address": 5}), "wallet_address"),
        (wallet, json!({"wallet_address": "pb1"}), "wallet_address"),
        (wallet, json!({"wallet": "x"}), "wallet"),
        (wallet, json!([]), "$"),
        (wallet, json!("pb1"), "$"),
        ("get_registry_summary", json!({"verbose": true}), "verbose"),
        (
            "fetch_last_crypto_token_price",
            json!({"last_number_of_trades": 0}),
            "last_number_of_trades",
        ),
    ] {
        let shown = format!("{name} {arguments}");
        let result = app.tool(name, arguments).await;
        assert_eq!(result["isError"], true, "{shown}");
        assert!(result.get("structuredContent").is_none(), "{shown}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(field), "{shown}: {text}");
        let detail = &result["_meta"]["bifold/error"];
        assert_eq!(detail["kind"], "invalid_argument", "{shown}");
        assert_eq!(detail["field"], field, "{shown}");
        assert_eq!(detail["retryable"], false, "{shown}");
    }
}

#[tokio::test]
async fn wrong_arguments_ask_nothing_of_an_upstream() {
    let app = TestApp::start().await;
    app.tool(
        "fetch_account_info",
        json!({"wallet_address": "pb1nosuchaddress"}),
    )
    .await;
    assert!(app.replay.seen().is_empty(), "{:?}", app.replay.seen());
}

#[tokio::test]
async fn a_failed_upstream_is_a_failed_call_in_every_era() {
    let app = TestApp::start().await;
    let broken = Canned::status(500, "text/html", "<h1>secret stack trace</h1>");
    app.replay
        .answer("/explorer/api/v3/utility_token/stats", broken);
    let params = json!({"name": "fetch_current_hash_statistics"});
    for answer in [
        app.mcp("tools/call", params.clone()).await,
        app.legacy("2024-11-05", "tools/call", params.clone()).await,
        app.legacy("2025-11-25", "tools/call", params.clone()).await,
    ] {
        let result = result(&answer);
        assert_eq!(result["isError"], true);
        assert_eq!(result["_meta"]["bifold/error"]["kind"], "upstream_error");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_name_that_no_tool_has_is_refused_with_the_nearest_one() {
    let app = TestApp::start().await;
    let answer = app
        .mcp("tools/call", json!({"name": "fetch_acount_info"}))
        .await;
    let message = fault(&answer, 200, -32602);
    let said = message["error"]["message"].as_str().unwrap();
    assert!(said.contains("`fetch_acount_info`"), "{said}");
    assert!(said.contains("`fetch_account_info`"), "{said}");
    let answer = app.mcp("tools/call", json!({"name": "zzz"})).await;
    let message = fault(&answer, 200, -32602);
    assert!(
        !message["error"]["message"]
            .as_str()
            .unwrap()
            .contains("did you mean")
    );
}

#[tokio::test]
async fn functions_that_are_rest_only_are_neither_tools_nor_proposed_as_tools() {
    let app = TestApp::start().await;
    let list = result(&app.mcp("tools/list", json!({})).await).to_string();
    let registry = app.app.registry();
    let rest_only = registry.tools().iter().filter(|tool| !tool.on_mcp());
    let names: Vec<&str> = rest_only.map(|tool| tool.name()).collect();
    assert_eq!(names.len(), 5);
    for name in &names {
        assert!(
            !list.contains(&format!("\"name\":\"{name}\"")),
            "{name} is listed"
        );
        let answer = app.mcp("tools/call", json!({"name": name})).await;
        let message = fault(&answer, 200, -32602);
        let said = message["error"]["message"].as_str().unwrap();
        let (asked, proposed) = said.split_once(';').unwrap_or((said, ""));
        assert!(asked.contains(name), "{said}");
        for other in &names {
            assert!(!proposed.contains(&format!("`{other}`")), "{said}");
        }
    }
}

#[tokio::test]
async fn parameters_that_are_no_call_are_refused() {
    let app = TestApp::start().await;
    for params in [
        json!({}),
        json!({"arguments": {}}),
        json!({"name": null}),
        json!({"name": 5}),
        json!({"name": ["get_registry_summary"]}),
    ] {
        let answer = app.mcp("tools/call", params.clone()).await;
        assert_eq!(fault(&answer, 200, -32602)["id"], 1, "{params}");
    }
    let request = modern("tools/call", json!({"name": "a"}));
    let twice = super::message(
        "tools/call",
        &json!({"_meta": crate::support::meta(crate::support::MODERN)}),
    )
    .replace("\"_meta\"", "\"name\":\"a\",\"name\":\"a\",\"_meta\"");
    let request = http::Request::from_parts(request.into_parts().0, twice.into());
    fault(&app.send(request).await, 200, -32602);
}

#[tokio::test]
async fn content_blocks_stand_in_the_result_and_are_not_structured() {
    let app = showing().await;
    let params = json!({"name": "show", "arguments": {"what": "picture"}});
    let result = result(&app.mcp("tools/call", params).await);
    let blocks = json!([
        {"type": "text", "text": "Two\nlines."},
        {"type": "image", "data": "iVBORw==", "mimeType": "image/png"},
    ]);
    assert_eq!(result["content"], blocks);
    assert_eq!(result["isError"], false);
    assert!(result.get("structuredContent").is_none());
    let list = app.mcp("tools/list", json!({})).await.json();
    assert!(list["result"]["tools"][0].get("outputSchema").is_none());
}

#[tokio::test]
async fn a_failed_function_is_text_without_what_only_the_log_may_say() {
    let app = showing().await;
    let result = app.tool("show", json!({"what": "failure"})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"],
        json!([{"type": "text", "text": "it would not work"}])
    );
    let detail = json!({"kind": "failed", "retryable": false});
    assert_eq!(result["_meta"]["bifold/error"], detail);
    assert!(!result.to_string().contains("secret"));
}
