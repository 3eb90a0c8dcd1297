//! Revision 2026-07-28: discovery, lists, `_meta`, versions, and which check comes first.

use bifold::{Capability, Context, JsonSchema, Result, Server, Tool};
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bare, fault, message, result, with, without};
use crate::support::{MODERN, TestApp, meta, modern};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// Asks the person before it answers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

async fn ask(_: Context, Ask {}: Ask) -> Result<bifold::Content> {
    Ok(bifold::Content::text("yes"))
}

/// A server with one function that needs two capabilities of its client.
fn asking() -> Server {
    let tool = Tool::new("ask", ask)
        .requires(Capability::Elicitation)
        .requires(Capability::Sampling);
    Server::new("asking", "1.0.0").tools(vec![tool])
}

/// A request with all headers of the modern revision and these parameters as they stand.
fn raw(method: &str, params: &Value) -> Request<axum::body::Body> {
    let request = with(
        bare(message(method, params)),
        "mcp-protocol-version",
        MODERN,
    );
    let request = with(request, "mcp-method", method);
    match params["name"].as_str() {
        Some(name) => with(request, "mcp-name", name),
        None => request,
    }
}

/// Checks what every result of the revision carries.
#[track_caller]
fn assert_modern(result: &Value) {
    assert_eq!(result["resultType"], "complete");
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "bifold");
    assert_eq!(server["title"], "Provenance Blockchain and Figure Markets");
}

#[tokio::test]
async fn discover_names_the_revision_the_capabilities_and_how_long_both_hold() {
    let app = TestApp::start().await;
    let result = result(&app.mcp("server/discover", json!({})).await);
    assert_modern(&result);
    assert_eq!(result["supportedVersions"], json!([MODERN]));
    let offered =
        json!({"completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {}});
    assert_eq!(result["capabilities"], offered);
    assert!(result["instructions"].as_str().unwrap().contains("HASH"));
    assert!(result["ttlMs"].is_u64());
    assert_eq!(result["cacheScope"], "public");
}

#[tokio::test]
async fn tools_list_has_the_functions_in_the_order_of_registration() {
    let app = TestApp::start().await;
    let result = result(&app.mcp("tools/list", json!({})).await);
    assert_modern(&result);
    assert!(result["ttlMs"].is_u64());
    assert_eq!(result["cacheScope"], "public");
    assert!(result.get("nextCursor").is_none());
    let tools = result["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let registry = app.app.registry();
    let registered = registry.tools().iter().filter(|tool| tool.on_mcp());
    let registered: Vec<&str> = registered.map(|tool| tool.name()).collect();
    assert_eq!(names, registered);
    assert_eq!(names.len(), 38);
    assert_eq!((names[0], names[37]), ("fetch_account_info", "call_many"));
    for tool in tools {
        assert!(tool.get("outputSchema").is_some(), "{tool}");
    }
}

#[tokio::test]
async fn a_list_is_the_same_bytes_every_time() {
    let app = TestApp::start().await;
    for method in ["tools/list", "server/discover"] {
        let first = app.mcp(method, json!({})).await;
        assert_eq!(app.mcp(method, json!({})).await.body, first.body);
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused() {
    let app = TestApp::start().await;
    for cursor in [json!("2"), json!(""), json!(2), json!({})] {
        let answer = app.mcp("tools/list", json!({"cursor": cursor})).await;
        let message = fault(&answer, 200, -32602);
        assert!(
            message["error"]["message"]
                .as_str()
                .unwrap()
                .contains("cursor")
        );
    }
}

#[tokio::test]
async fn methods_that_are_gone_or_not_offered_are_not_found() {
    let app = TestApp::start().await;
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/get",
        "tasks/list",
        "tasks/result",
        "roots/list",
        "TOOLS/LIST",
        "tools/list/",
        "no/such",
    ] {
        let message = fault(&app.mcp(method, json!({})).await, 404, -32601);
        assert_eq!(message["id"], 1);
        assert!(
            message["error"]["message"]
                .as_str()
                .unwrap()
                .contains(method)
        );
    }
}

#[tokio::test]
async fn a_missing_or_wrong_key_of_meta_is_refused_with_its_name() {
    let app = TestApp::start().await;
    let full = meta(MODERN);
    let changed = |key: &str, value: Value| {
        let mut meta = full.clone();
        match value {
            Value::Null => drop(meta.as_object_mut().unwrap().remove(key)),
            value => meta[key] = value,
        }
        json!({"_meta": meta})
    };
    for (params, named) in [
        (json!({}), VERSION_KEY),
        (json!({"_meta": {}}), VERSION_KEY),
        (json!({"_meta": null}), VERSION_KEY),
        (json!({"_meta": []}), "_meta"),
        (json!({"_meta": "x"}), "_meta"),
        (changed(VERSION_KEY, Value::Null), VERSION_KEY),
        (changed(VERSION_KEY, json!(20260728)), "_meta"),
        (changed(CAPABILITIES_KEY, Value::Null), CAPABILITIES_KEY),
        (changed(CAPABILITIES_KEY, json!(true)), CAPABILITIES_KEY),
        (changed(CAPABILITIES_KEY, json!([])), CAPABILITIES_KEY),
    ] {
        for method in ["tools/list", "server/discover", "tools/call", "no/such"] {
            let message = fault(&app.send(raw(method, &params)).await, 400, -32602);
            assert_eq!(message["id"], 1);
            let said = message["error"]["message"].as_str().unwrap();
            assert!(said.contains(named), "{method} {params}: {said}");
        }
    }
}

#[tokio::test]
async fn who_the_client_is_may_be_left_out() {
    let app = TestApp::start().await;
    let params = json!({"_meta": {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}});
    assert_modern(&result(&app.send(raw("tools/list", &params)).await));
}

#[tokio::test]
async fn keys_with_escaped_slashes_are_the_same_keys() {
    let app = TestApp::start().await;
    let plain = message("tools/list", &json!({"_meta": meta(MODERN)}));
    let escaped = plain.replace("io.modelcontextprotocol/", r"io.modelcontextprotocol\/");
    assert_ne!(plain, escaped);
    let request = raw("tools/list", &json!({}));
    let request = Request::from_parts(request.into_parts().0, escaped.into());
    assert_modern(&result(&app.send(request).await));
}

#[tokio::test]
async fn methods_of_the_modern_revision_without_meta_are_refused_even_without_headers() {
    let app = TestApp::start().await;
    for method in ["server/discover", "subscriptions/listen"] {
        let answer = app.send(bare(message(method, &json!({})))).await;
        fault(&answer, 400, -32602);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method});
        fault(&app.send(bare(body.to_string())).await, 400, -32602);
    }
}

#[tokio::test]
async fn a_revision_that_is_not_served_is_named_with_the_one_that_is() {
    let app = TestApp::start().await;
    for version in ["v999.0.0", "2027-01-01", "2025-11-25", "2024-11-05"] {
        for method in ["tools/list", "server/discover", "no/such"] {
            let request = raw(method, &json!({"_meta": meta(version)}));
            let request = with(request, "mcp-protocol-version", version);
            let message = fault(&app.send(request).await, 400, -32022);
            assert_eq!(message["id"], 1);
            let data = json!({"supported": [MODERN], "requested": version});
            assert_eq!(message["error"]["data"], data);
        }
    }
}

#[tokio::test]
async fn what_a_function_needs_of_its_client_must_be_declared() {
    let app = TestApp::serving(asking()).await;
    let call = |capabilities: Value| {
        let mut meta = meta(MODERN);
        meta[CAPABILITIES_KEY] = capabilities;
        raw("tools/call", &json!({"name": "ask", "_meta": meta}))
    };
    let answer = app.send(call(json!({"roots": {}}))).await;
    let message = fault(&answer, 400, -32021);
    assert_eq!(message["id"], 1);
    let required = json!({"requiredCapabilities": {"elicitation": {}, "sampling": {}}});
    assert_eq!(message["error"]["data"], required);
    let answer = app.send(call(json!({"sampling": {}}))).await;
    let required = json!({"requiredCapabilities": {"elicitation": {}}});
    assert_eq!(fault(&answer, 400, -32021)["error"]["data"], required);
    let answer = app
        .send(call(json!({"sampling": {}, "elicitation": {}})))
        .await;
    assert_eq!(result(&answer)["content"][0]["text"], "yes");
}

#[tokio::test]
async fn a_legacy_client_cannot_declare_what_a_function_needs() {
    let app = TestApp::serving(asking()).await;
    let answer = app
        .legacy("2025-11-25", "tools/call", json!({"name": "ask"}))
        .await;
    fault(&answer, 200, -32021);
}

/// Each request is wrong in two ways that stand next to each other in the order of the specification.
#[tokio::test]
async fn the_first_of_two_faults_is_the_one_that_is_told() {
    let app = TestApp::serving(asking()).await;
    let of = |version: &str, name: &str| json!({"name": name, "_meta": meta(version)});
    let without_capabilities = json!({"_meta": {VERSION_KEY: MODERN}});
    for (what, request, status, code) in [
        (
            "a key of `_meta` before the version header",
            without(
                raw("tools/list", &without_capabilities),
                "mcp-protocol-version",
            ),
            400,
            -32602,
        ),
        (
            "the version header before the version",
            raw("tools/list", &json!({"_meta": meta("v999")})),
            400,
            -32020,
        ),
        (
            "the version before the method header",
            without(
                with(
                    raw("tools/list", &of("v999", "")),
                    "mcp-protocol-version",
                    "v999",
                ),
                "mcp-method",
            ),
            400,
            -32022,
        ),
        (
            "the method header before the method",
            with(raw("no/such", &of(MODERN, "")), "mcp-method", "tools/list"),
            400,
            -32020,
        ),
        (
            "the method before the name header",
            without(raw("no/such", &of(MODERN, "ask")), "mcp-name"),
            404,
            -32601,
        ),
        (
            "the name header before the name",
            with(raw("tools/call", &of(MODERN, "no_such")), "mcp-name", "ask"),
            400,
            -32020,
        ),
        (
            "the name before the capabilities",
            raw("tools/call", &of(MODERN, "asks")),
            200,
            -32602,
        ),
        (
            "the capabilities at last",
            raw("tools/call", &of(MODERN, "ask")),
            400,
            -32021,
        ),
    ] {
        let answer = app.send(request).await;
        assert_eq!(fault(&answer, status, code)["id"], 1, "{what}");
    }
}

#[tokio::test]
async fn a_modern_request_needs_no_handshake_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let before = app.mcp("tools/list", json!({})).await;
    let params = json!({"protocolVersion": "2024-11-05", "capabilities": {}});
    app.legacy("2024-11-05", "initialize", params).await;
    assert_eq!(app.mcp("tools/list", json!({})).await.body, before.body);
    assert_modern(&result(&app.send(modern("tools/list", json!({}))).await));
}
