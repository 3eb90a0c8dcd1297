//! The revisions with `initialize`, served without a session.

use http::StatusCode;
use serde_json::{Value, json};

use super::{LEGACY, bare, fault, message, result, with};
use crate::support::{Answer, MODERN, TestApp, meta};

async fn initialize(app: &TestApp, version: &str) -> Answer {
    let params = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "it", "version": "1"},
    });
    app.send(bare(message("initialize", &params))).await
}

#[tokio::test]
async fn initialize_offers_back_each_revision_that_is_served_and_else_the_latest_of_the_era() {
    let app = TestApp::start().await;
    let others = ["2025-11-25", MODERN, "1999-01-01", "2099-01-01", ""];
    let asked = LEGACY.iter().map(|version| (*version, *version));
    for (asked, offered) in asked.chain(others.map(|asked| (asked, "2025-11-25"))) {
        let result = result(&initialize(&app, asked).await);
        assert_eq!(result["protocolVersion"], offered, "asked for {asked}");
    }
}

#[tokio::test]
async fn initialize_says_who_serves_and_what_it_can() {
    let app = TestApp::start().await;
    let result = result(&initialize(&app, "2025-06-18").await);
    let keys: Vec<&String> = result.as_object().unwrap().keys().collect();
    let expected = [
        "capabilities",
        "instructions",
        "protocolVersion",
        "serverInfo",
    ];
    assert_eq!(keys, expected);
    let offered =
        json!({"completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {}});
    assert_eq!(result["capabilities"], offered);
    assert_eq!(result["serverInfo"]["name"], "bifold");
    assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        result["instructions"]
            .as_str()
            .unwrap()
            .contains("get_system_context")
    );
}

#[tokio::test]
async fn initialize_without_a_version_is_refused() {
    let app = TestApp::start().await;
    for params in [
        json!({}),
        json!({"protocolVersion": 1}),
        json!({"protocolVersion": null}),
    ] {
        let answer = app.send(bare(message("initialize", &params))).await;
        let message = fault(&answer, 200, -32602);
        let said = message["error"]["message"].as_str().unwrap();
        assert!(said.contains("protocolVersion"), "{said}");
    }
}

#[tokio::test]
async fn initialize_takes_any_version_header_of_a_client_that_has_just_fallen_back() {
    let app = TestApp::start().await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
    for header in [MODERN, "2024-11-05", "1999-01-01", "draft"] {
        let request = bare(message("initialize", &params));
        let answer = app
            .send(with(request, "mcp-protocol-version", header))
            .await;
        assert_eq!(result(&answer)["protocolVersion"], "2025-11-25", "{header}");
    }
}

#[tokio::test]
async fn ping_is_an_empty_result_in_every_revision() {
    let app = TestApp::start().await;
    let whole = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    for version in LEGACY {
        let answer = app.legacy(version, "ping", json!({})).await;
        assert_eq!(answer.json(), whole, "{version}");
    }
    let without_header = app.send(bare(message("ping", &json!({})))).await;
    assert_eq!(without_header.json(), whole);
}

#[tokio::test]
async fn tools_list_has_the_form_of_the_revision() {
    let app = TestApp::start().await;
    for version in LEGACY {
        let result = result(&app.legacy(version, "tools/list", json!({})).await);
        assert_eq!(
            result.as_object().unwrap().len(),
            1,
            "{version}: only `tools`"
        );
        let tools = result["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 38, "{version}");
        let has_schema = version >= "2025-06-18";
        for tool in tools {
            assert_eq!(
                tool.get("outputSchema").is_some(),
                has_schema,
                "{version}: {tool}"
            );
            let hints = &tool["annotations"];
            assert_eq!(
                hints.is_object(),
                version >= "2025-03-26",
                "{version}: {tool}"
            );
            assert_eq!(hints["readOnlyHint"] == true, hints.is_object(), "{tool}");
            assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        }
    }
}

#[tokio::test]
async fn structured_content_comes_only_in_the_revisions_that_know_it() {
    let app = TestApp::start().await;
    let params = json!({"name": "get_registry_summary"});
    for version in LEGACY {
        let result = result(&app.legacy(version, "tools/call", params.clone()).await);
        let text = result["content"][0]["text"].as_str().unwrap();
        let counts: Value = serde_json::from_str(text).unwrap();
        assert_eq!(counts["total_functions"], 43);
        assert_eq!(result["isError"], false);
        let structured = result.get("structuredContent");
        assert_eq!(
            structured,
            (version >= "2025-06-18").then_some(&counts),
            "{version}"
        );
        for modern in ["resultType", "_meta", "ttlMs", "cacheScope"] {
            assert!(result.get(modern).is_none(), "{version}: {modern}");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_version_header_gets_all_that_the_era_has() {
    let app = TestApp::start().await;
    let list = result(&app.send(bare(message("tools/list", &json!({})))).await);
    assert!(list["tools"][0].get("outputSchema").is_some());
    let call = json!({"name": "get_registry_summary", "arguments": {}});
    let call = result(&app.send(bare(message("tools/call", &call))).await);
    assert!(call.get("structuredContent").is_some());
}

#[tokio::test]
async fn params_may_be_left_out() {
    let app = TestApp::start().await;
    for method in ["ping", "tools/list"] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method});
        let answer = app.send(bare(body.to_string())).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.json().get("result").is_some(), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_revision_that_is_not_served_is_refused_with_the_one_that_is() {
    let app = TestApp::start().await;
    for version in ["1999-01-01", "2025-03-27", "", "2025-11-25x"] {
        let answer = app.legacy(version, "tools/list", json!({})).await;
        let message = fault(&answer, 400, -32022);
        assert_eq!(message["id"], 1);
        let data = json!({"supported": [MODERN], "requested": version});
        assert_eq!(message["error"]["data"], data);
    }
}

#[tokio::test]
async fn errors_of_a_request_come_in_a_plain_answer() {
    let app = TestApp::start().await;
    let unknown = json!({"name": "fetch_acount_info"});
    for (method, params, code) in [
        ("logging/setLevel", json!({"level": "loud"}), -32602),
        ("logging/setLevel", json!({}), -32602),
        ("resources/subscribe", json!({}), -32601),
        ("sampling/createMessage", json!({}), -32601),
        ("PING", json!({}), -32601),
        ("tools/call", unknown, -32602),
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({"name": 1}), -32602),
        ("tools/list", json!({"cursor": "2"}), -32602),
        ("tools/list", json!({"cursor": ""}), -32602),
    ] {
        for version in LEGACY {
            let answer = app.legacy(version, method, params.clone()).await;
            assert_eq!(
                fault(&answer, 200, code)["id"],
                1,
                "{version} {method} {params}"
            );
        }
    }
}

#[tokio::test]
async fn a_legacy_meta_stays_legacy() {
    let app = TestApp::start().await;
    let params = json!({"_meta": {"progressToken": 1, "com.example/trace": "x"}});
    let answer = app.legacy("2025-06-18", "tools/list", params).await;
    assert!(result(&answer).get("resultType").is_none());
}

#[tokio::test]
async fn modern_meta_with_a_legacy_header_is_a_modern_request_with_a_wrong_header() {
    let app = TestApp::start().await;
    let params = json!({"_meta": meta(MODERN)});
    let answer = app.legacy("2025-06-18", "tools/list", params).await;
    fault(&answer, 400, -32020);
}
