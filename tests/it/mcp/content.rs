//! Content blocks: what a function may answer with, and what of it each revision gets.

use bifold::{
    Annotations, Content, Context, JsonSchema, Link, Prompt, Resource, Result, Server, Timestamp,
    Tool,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LEGACY, result};
use crate::support::TestApp;

/// Answers with every kind of block.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Everything {}

fn everything(_: Context, Everything {}: Everything) -> Result<Content> {
    let noon = Timestamp::parse("2025-11-18T12:00:00Z").unwrap();
    let report = Link::new("report://1", "report")
        .title("The report")
        .description("All of it.")
        .mime_type("text/csv")
        .size(12);
    Ok(Content::text("a\nb")
        .annotate(Annotations::default().for_user().priority(0.8))
        .and_image("image/png", b"\x89PNG")
        .and_audio("audio/wav", b"RIFF")
        .annotate(Annotations::default().for_assistant().for_user().for_user())
        .and_document("note://1", "text/plain", "noted")
        .and_blob("note://2", "image/png", b"\x89PNG")
        .and_link(report)
        .annotate(Annotations::default().last_modified(noon).priority(1.0))
        .and_link(Link::new("report://2", "bare")))
}

async fn serving() -> TestApp {
    let tool = || Tool::sync("everything", everything);
    let server = Server::new("it", "1")
        .tools(vec![tool()])
        .resources(vec![Resource::new("all://things", "text/plain", tool())])
        .prompts(vec![Prompt::new(tool())]);
    TestApp::serving(server).await
}

/// The blocks as the revisions from 2025-06-18 on have them.
fn blocks() -> Value {
    json!([
        {"type": "text", "text": "a\nb", "annotations": {"audience": ["user"], "priority": 0.8}},
        {"type": "image", "data": "iVBORw==", "mimeType": "image/png"},
        {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav",
         "annotations": {"audience": ["assistant", "user"]}},
        {"type": "resource", "resource": {"uri": "note://1", "mimeType": "text/plain", "text": "noted"}},
        {"type": "resource", "resource": {"uri": "note://2", "mimeType": "image/png", "blob": "iVBORw=="}},
        {"type": "resource_link", "uri": "report://1", "name": "report", "title": "The report",
         "description": "All of it.", "mimeType": "text/csv", "size": 12,
         "annotations": {"priority": 1.0, "lastModified": "2025-11-18T12:00:00Z"}},
        {"type": "resource_link", "uri": "report://2", "name": "bare"},
    ])
}

/// The blocks as a revision has them.
fn blocks_of(version: &str) -> Value {
    let mut blocks = blocks();
    if version < "2025-06-18" {
        blocks[5] = json!({"type": "text", "text": "The report: report://1", "annotations": {"priority": 1.0}});
        blocks[6] = json!({"type": "text", "text": "bare: report://2"});
    }
    if version < "2025-03-26" {
        blocks[2] = json!({
            "type": "text",
            "text": "A sound (audio/wav), which this revision of the protocol cannot carry.",
            "annotations": {"audience": ["assistant", "user"]},
        });
    }
    blocks
}

#[tokio::test]
async fn every_kind_of_block_has_the_form_of_the_specification() {
    let app = serving().await;
    let called = app.tool("everything", json!({})).await;
    assert_eq!(called["content"], blocks());
    assert!(called.get("structuredContent").is_none());
}

#[tokio::test]
async fn a_revision_gets_text_for_what_it_does_not_know() {
    let app = serving().await;
    let named = json!({"name": "everything"});
    for version in LEGACY {
        let called = result(&app.legacy(version, "tools/call", named.clone()).await);
        assert_eq!(called["content"], blocks_of(version), "{version}");
        let filled = result(&app.legacy(version, "prompts/get", named.clone()).await);
        let messages = filled["messages"].as_array().unwrap().iter();
        let contents: Vec<&Value> = messages.map(|it| &it["content"]).collect();
        assert_eq!(json!(contents), blocks_of(version), "{version}");
    }
}

#[tokio::test]
async fn a_document_is_read_with_what_is_embedded_in_it_under_its_own_uri() {
    let app = serving().await;
    let read = result(
        &app.mcp("resources/read", json!({"uri": "all://things"}))
            .await,
    );
    let own = |key: &str, value: &str| json!({"uri": "all://things", "mimeType": "text/plain", key: value});
    let expected = json!([
        own("text", "a\nb"),
        own("blob", "iVBORw=="),
        own("blob", "UklGRg=="),
        {"uri": "note://1", "mimeType": "text/plain", "text": "noted"},
        {"uri": "note://2", "mimeType": "image/png", "blob": "iVBORw=="},
        own("text", "report://1"),
        own("text", "report://2"),
    ]);
    assert_eq!(read["contents"], expected);
}

#[test]
fn a_priority_beyond_its_bounds_is_moved_to_the_nearer_one() {
    for (given, kept) in [
        (0.0, 0.0),
        (1.0, 1.0),
        (0.25, 0.25),
        (-0.1, 0.0),
        (7.0, 1.0),
        (f64::INFINITY, 1.0),
        (f64::NEG_INFINITY, 0.0),
        (f64::NAN, 0.0),
    ] {
        let annotations = json!(Annotations::default().priority(given));
        assert_eq!(annotations, json!({"priority": kept}), "{given}");
    }
}

#[tokio::test]
async fn an_annotation_without_a_block_is_said_of_nothing() {
    let tool = Tool::sync("everything", |_: Context, Everything {}: Everything| {
        Content::default()
            .annotate(Annotations::default().for_user())
            .and_text("a")
    });
    let app = TestApp::serving(Server::new("it", "1").tools(vec![tool])).await;
    let called = app.tool("everything", json!({})).await;
    assert_eq!(called["content"], json!([{"type": "text", "text": "a"}]));
}
