//! Resources, prompts and completion: listed, read, filled in, proposed, in both eras.

use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use bifold::{App, Config, Content, Context, JsonSchema, Prompt, Resource, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{fault, result, without};
use crate::support::{TestApp, modern};

const LEGACY: &str = "2025-11-25";

/// A note about something.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it is about.
    topic: String,
}

fn note(_: Context, Note { topic }: Note) -> Result<Content> {
    Ok(Content::text(topic.clone()).and_image("image/png", topic))
}

fn noted() -> Tool {
    Tool::sync("note", note)
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry[key].as_str().unwrap()).collect()
}

#[tokio::test]
async fn documents_templates_and_prompts_are_listed_in_order_with_what_clients_need() {
    let app = TestApp::start().await;
    let documents = result(&app.mcp("resources/list", json!({})).await);
    assert_eq!(
        names(&documents["resources"], "uri"),
        [
            "bifold://system-context",
            "bifold://markets",
            "ui://bifold/market"
        ]
    );
    assert_eq!(documents["resources"][0]["mimeType"], "text/markdown");
    let templates = result(&app.mcp("resources/templates/list", json!({})).await);
    let template = &templates["resourceTemplates"][0];
    assert_eq!(template["uriTemplate"], "wallet://{wallet_address}/summary");
    assert!(template["description"].as_str().unwrap().contains("wallet"));
    let prompts = result(&app.mcp("prompts/list", json!({})).await);
    assert_eq!(
        names(&prompts["prompts"], "name"),
        ["analyse_wallet", "explain_vesting", "market_briefing"]
    );
    let argument = &prompts["prompts"][0]["arguments"][0];
    assert_eq!(
        (&argument["name"], &argument["required"]),
        (&json!("wallet_address"), &json!(true))
    );
    assert_eq!(prompts["prompts"][2]["arguments"][0]["required"], false);
    for list in [&documents, &templates, &prompts] {
        assert_eq!(
            (&list["resultType"], &list["cacheScope"]),
            (&json!("complete"), &json!("public"))
        );
        assert!(list["ttlMs"].is_u64());
    }
    for method in ["resources/list", "resources/templates/list", "prompts/list"] {
        let legacy = result(&app.legacy(LEGACY, method, json!({})).await);
        assert_eq!(legacy.as_object().unwrap().len(), 1, "{method}: {legacy}");
        let cursor = json!({"cursor": "2"});
        fault(&app.mcp(method, cursor.clone()).await, 200, -32602);
        fault(&app.legacy(LEGACY, method, cursor).await, 200, -32602);
    }
}

#[tokio::test]
async fn a_document_says_the_same_as_its_function() {
    let app = TestApp::start().await;
    let wallet = format!("wallet://{VESTING}/summary");
    for (uri, mime_type, expected) in [
        (
            "bifold://markets",
            "application/json",
            app.tool("fetch_current_fm_data", json!({})).await,
        ),
        (
            wallet.as_str(),
            "application/json",
            app.tool(
                "fetch_complete_wallet_summary",
                json!({"wallet_address": VESTING}),
            )
            .await,
        ),
    ] {
        let read = result(&app.mcp("resources/read", json!({"uri": uri})).await);
        let contents = &read["contents"][0];
        assert_eq!(
            (&contents["uri"], &contents["mimeType"]),
            (&json!(uri), &json!(mime_type))
        );
        // A document has no pages.
        let text = expected["content"][0]["text"].as_str().unwrap();
        let text = text.replace(r#","next_cursor":null"#, "");
        assert_eq!(contents["text"], text);
        assert!(
            read["ttlMs"].is_u64() && read["cacheScope"] == "public",
            "{read}"
        );
        let legacy = result(
            &app.legacy(LEGACY, "resources/read", json!({"uri": uri}))
                .await,
        );
        assert_eq!(legacy, json!({"contents": read["contents"]}));
    }
    let context = app.tool("get_system_context", json!({})).await;
    let read = result(
        &app.mcp("resources/read", json!({"uri": "bifold://system-context"}))
            .await,
    );
    assert_eq!(
        read["contents"][0]["text"],
        context["structuredContent"]["context"]
    );
}

#[tokio::test]
async fn text_is_read_as_text_and_bytes_as_base64() {
    let server = Server::new("it", "1").resources(vec![Resource::new(
        "note://{topic}",
        "text/plain",
        noted(),
    )]);
    let app = TestApp::serving(server).await;
    let read = result(
        &app.mcp("resources/read", json!({"uri": "note://a%20b"}))
            .await,
    );
    let part = |key: &str, value: &str| json!({"uri": "note://a%20b", "mimeType": "text/plain", key: value});
    assert_eq!(
        read["contents"],
        json!([part("text", "a b"), part("blob", "YSBi")])
    );
    // There are no prompts and no proposals here, so their methods are not there either.
    for method in ["prompts/list", "prompts/get", "completion/complete"] {
        fault(&app.mcp(method, json!({})).await, 404, -32601);
    }
}

#[tokio::test]
async fn what_is_no_document_is_not_found_under_its_uri() {
    let app = TestApp::start().await;
    for uri in [
        "bifold://nothing",
        "wallet:///summary",
        "wallet://a/b/summary",
        "wallet://x/summary/",
        "WALLET://x/summary",
        "wallet://%ff/summary",
        "../../etc/passwd",
        "",
    ] {
        let params = json!({"uri": uri});
        let message = fault(
            &app.mcp("resources/read", params.clone()).await,
            200,
            -32602,
        );
        assert_eq!(message["error"]["data"]["uri"], uri);
        fault(
            &app.legacy(LEGACY, "resources/read", params).await,
            200,
            -32002,
        );
    }
    for params in [json!({}), json!({"uri": 1})] {
        fault(&app.mcp("resources/read", params).await, 200, -32602);
    }
    assert!(app.replay.seen().is_empty());
}

#[tokio::test]
async fn a_document_whose_function_fails_is_an_error_with_the_detail() {
    let app = TestApp::start().await;
    let bad = json!({"uri": "wallet://pb1x/summary"});
    let message = fault(&app.mcp("resources/read", bad).await, 200, -32602);
    assert_eq!(message["error"]["data"]["field"], "wallet_address");
    app.replay
        .answer("/exchange/markets", Canned::status(500, "", ""));
    let down = json!({"uri": "bifold://markets"});
    let message = fault(&app.mcp("resources/read", down).await, 200, -32603);
    assert_eq!(
        message["error"]["data"]["upstream"],
        json!({"name": "exchange", "status": 500})
    );
}

#[tokio::test]
async fn the_header_must_repeat_the_uri_or_the_name() {
    let app = TestApp::start().await;
    for (method, params) in [
        ("resources/read", json!({"uri": "bifold://system-context"})),
        ("prompts/get", json!({"name": "market_briefing"})),
    ] {
        let request = without(modern(method, params.clone()), "mcp-name");
        fault(&app.send(request).await, 400, -32020);
        let other = super::with(modern(method, params), "mcp-name", "other");
        fault(&app.send(other).await, 400, -32020);
    }
}

#[tokio::test]
async fn a_prompt_is_filled_in_with_its_arguments() {
    let app = TestApp::start().await;
    let params = json!({"name": "analyse_wallet", "arguments": {"wallet_address": VESTING}});
    let filled = result(&app.mcp("prompts/get", params.clone()).await);
    let message = &filled["messages"][0];
    assert_eq!(
        (&message["role"], &message["content"]["type"]),
        (&json!("user"), &json!("text"))
    );
    assert!(
        message["content"]["text"]
            .as_str()
            .unwrap()
            .contains(VESTING)
    );
    assert_eq!(filled["resultType"], "complete");
    let legacy = result(&app.legacy(LEGACY, "prompts/get", params).await);
    assert_eq!(legacy["messages"], filled["messages"]);
    assert!(legacy.get("resultType").is_none() && legacy.get("_meta").is_none());
    let briefing = |arguments: Value| json!({"name": "market_briefing", "arguments": arguments});
    let about = async |arguments| {
        let filled = result(&app.mcp("prompts/get", briefing(arguments)).await);
        filled["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(about(json!({})).await.contains("HASH-USD"));
    assert!(
        about(json!({"token_pair": "FGRS-YLDS"}))
            .await
            .contains("FGRS-YLDS")
    );
}

#[tokio::test]
async fn a_prompt_that_is_unknown_or_lacks_an_argument_is_refused() {
    let app = TestApp::start().await;
    for params in [
        json!({"name": "nothing"}),
        json!({}),
        json!({"name": "analyse_wallet"}),
        json!({"name": "analyse_wallet", "arguments": {"wallet_address": "x"}}),
        json!({"name": "analyse_wallet", "arguments": {"wallet_address": VESTING, "more": "x"}}),
        json!({"name": "analyse_wallet", "arguments": []}),
    ] {
        fault(&app.mcp("prompts/get", params.clone()).await, 200, -32602);
        fault(
            &app.legacy(LEGACY, "prompts/get", params).await,
            200,
            -32602,
        );
    }
}

#[tokio::test]
async fn pairs_are_proposed_from_the_live_list_of_markets() {
    let app = TestApp::start().await;
    let ask = |typed: &str| {
        json!({
            "ref": {"type": "ref/prompt", "name": "market_briefing"},
            "argument": {"name": "token_pair", "value": typed},
        })
    };
    let proposed = result(&app.mcp("completion/complete", ask("hash")).await);
    let completion = json!({"values": ["HASH-USD", "HASH-USDC"], "total": 2, "hasMore": false});
    assert_eq!(proposed["completion"], completion);
    let legacy = result(&app.legacy(LEGACY, "completion/complete", ask("hash")).await);
    assert_eq!(legacy, json!({"completion": completion}));
    let none = result(&app.mcp("completion/complete", ask("nothing")).await);
    assert_eq!(none["completion"]["values"], json!([]));
    let other = json!({
        "ref": {"type": "ref/resource", "uri": "wallet://{wallet_address}/summary"},
        "argument": {"name": "wallet_address", "value": "pb1"},
    });
    let unknown = result(&app.mcp("completion/complete", other).await);
    assert_eq!(unknown["completion"]["values"], json!([]));
    for params in [
        json!({}),
        json!({"ref": {"type": "ref/prompt", "name": "nothing"}, "argument": {"name": "a", "value": ""}}),
        json!({"ref": {"type": "ref/other"}, "argument": {"name": "a", "value": ""}}),
        json!({"ref": {"type": "ref/prompt", "name": "market_briefing"}, "argument": {"name": "token_pair"}}),
    ] {
        fault(&app.mcp("completion/complete", params).await, 200, -32602);
    }
}

#[tokio::test]
async fn what_cannot_be_registered_stops_the_start_and_is_named() {
    let refusal = |server: Server| {
        App::new(Config::default(), server)
            .err()
            .unwrap()
            .to_string()
    };
    let resource = |uri| Resource::new(uri, "text/plain", noted());
    let plain = || Server::new("it", "1");
    for (server, culprit) in [
        (plain().resources(vec![resource("note://fixed")]), "`topic`"),
        (
            plain().resources(vec![resource("note://{topic}/{more}")]),
            "`more`",
        ),
        (plain().resources(vec![resource("{topic}")]), "scheme"),
        (
            plain().resources(vec![resource("note://{topic}"), resource("note://{topic}")]),
            "URI",
        ),
        (
            plain().prompts(vec![Prompt::new(noted()), Prompt::new(noted())]),
            "prompt name",
        ),
        (
            plain().prompts(vec![
                Prompt::new(noted()).complete("other", async |_, _| Ok(Vec::new())),
            ]),
            "`other`",
        ),
    ] {
        let said = refusal(server);
        assert!(said.contains(culprit), "{said}");
    }
}
