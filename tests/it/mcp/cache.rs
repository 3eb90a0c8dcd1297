//! Cache hints: on every result that a client may keep, and on no other.

use bifold::provenance::replay::VESTING;
use serde_json::{Value, json};

use super::{LEGACY, bare, message, result};
use crate::support::TestApp;

/// The methods whose results may be kept (MCP 2026-07-28, caching).
fn kept() -> Vec<(&'static str, Value)> {
    let mut methods = lists();
    methods.push(("server/discover", json!({})));
    methods
}

/// Those of them that every revision has.
fn lists() -> Vec<(&'static str, Value)> {
    vec![
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "bifold://system-context"})),
        (
            "resources/read",
            json!({"uri": format!("wallet://{VESTING}/summary")}),
        ),
    ]
}

/// The methods whose results must be asked for anew.
fn fleeting() -> Vec<(&'static str, Value)> {
    let about = json!({"name": "token_pair", "value": "hash"});
    let prompt = json!({"type": "ref/prompt", "name": "market_briefing"});
    vec![
        ("tools/call", json!({"name": "get_registry_summary"})),
        ("tools/call", json!({"name": "fetch_account_info"})),
        ("prompts/get", json!({"name": "market_briefing"})),
        (
            "completion/complete",
            json!({"ref": prompt, "argument": about}),
        ),
    ]
}

#[tokio::test]
async fn what_may_be_kept_says_for_how_long_and_by_whom() {
    let app = TestApp::start().await;
    for (method, params) in kept() {
        let result = result(&app.mcp(method, params.clone()).await);
        assert_eq!(result["resultType"], "complete", "{method}");
        // The text form shows that it is a whole number and neither 1.0 nor "1".
        let ttl = result["ttlMs"].to_string();
        assert!(
            ttl.bytes().all(|byte| byte.is_ascii_digit()),
            "{method} {params}: {ttl}"
        );
        assert_eq!(result["cacheScope"], "public", "{method} {params}");
    }
}

#[tokio::test]
async fn nothing_else_says_so() {
    let app = TestApp::start().await;
    let bare_of_hints = |result: &Value, what: &str| {
        for hint in ["ttlMs", "cacheScope"] {
            assert!(result.get(hint).is_none(), "{what}: {hint}");
        }
    };
    for (method, params) in fleeting() {
        let result = result(&app.mcp(method, params).await);
        assert_eq!(result["resultType"], "complete", "{method}");
        bare_of_hints(&result, method);
    }
    for version in LEGACY {
        for (method, params) in lists().into_iter().chain(fleeting()) {
            let result = result(&app.legacy(version, method, params).await);
            bare_of_hints(&result, &format!("{version} {method}"));
            assert!(result.get("resultType").is_none(), "{version} {method}");
        }
        let params = json!({"protocolVersion": version, "capabilities": {}});
        let answer = app.send(bare(message("initialize", &params))).await;
        bare_of_hints(&result(&answer), version);
    }
}
