//! Every method that all revisions have is answered in each of them, with all that a function can say.

use axum::body::Body;
use bifold::{Content, Context, Error, JsonSchema, Prompt, Resource, Result, Server, Tool};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{LEGACY, bare, message, result, with};
use crate::support::{MODERN, TestApp, modern};

/// A note about something.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it is about.
    topic: String,
}

/// A note that is always the same.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fixed {}

fn fixed(_: Context, Fixed {}: Fixed) -> Result<Content> {
    Ok(Content::text("fixed"))
}

fn blocks(cx: Context, Note { topic }: Note) -> Result<Content> {
    cx.progress(1.0, Some(2.0), "half");
    let content = Content::text(&*topic).and_image("image/png", &topic);
    Ok(content.and_document("note://fixed", "text/plain", topic))
}

fn record(_: Context, note: Note) -> Result<Note> {
    Ok(note)
}

fn fails(_: Context, Note { topic }: Note) -> Result<Note> {
    Err(Error::failed(topic))
}

async fn app() -> TestApp {
    let server = Server::new("revisions", "1")
        .tools(vec![
            Tool::sync("blocks", blocks),
            Tool::sync("record", record),
            Tool::sync("fails", fails),
        ])
        .resources(vec![
            Resource::new("note://fixed", "text/plain", Tool::sync("fixed", fixed)),
            Resource::new("note://{topic}", "text/plain", Tool::sync("about", blocks)),
        ])
        .prompts(vec![
            Prompt::new(Tool::sync("note", blocks))
                .complete("topic", async |_, typed| Ok(vec![format!("{typed}!")])),
        ]);
    TestApp::serving(server).await
}

/// A request as that revision has it.
fn request(revision: &str, method: &str, params: Value) -> Request<Body> {
    if revision == MODERN {
        return modern(method, params);
    }
    let request = with(
        bare(message(method, &params)),
        "mcp-protocol-version",
        revision,
    );
    with(request, "accept", "application/json, text/event-stream")
}

fn revisions() -> impl Iterator<Item = &'static str> {
    LEGACY.into_iter().chain([MODERN])
}

fn about_rain(name: &str) -> Value {
    json!({"name": name, "arguments": {"topic": "rain"}})
}

#[tokio::test]
async fn lists_documents_prompts_and_proposals_are_answered() {
    let app = app().await;
    let none = json!({});
    let document = |uri: &str| json!({"uri": uri});
    let proposal = json!({
        "ref": {"type": "ref/prompt", "name": "note"},
        "argument": {"name": "topic", "value": "rain"},
    });
    let templates = "resources/templates/list";
    for revision in revisions() {
        for (method, params, place, expected) in [
            ("tools/list", &none, "/tools/0/name", "blocks"),
            ("resources/list", &none, "/resources/0/name", "fixed"),
            (templates, &none, "/resourceTemplates/0/name", "about"),
            ("prompts/list", &none, "/prompts/0/name", "note"),
            (
                "resources/read",
                &document("note://fixed"),
                "/contents/0/text",
                "fixed",
            ),
            (
                "resources/read",
                &document("note://rain"),
                "/contents/0/text",
                "rain",
            ),
            (
                "prompts/get",
                &about_rain("note"),
                "/messages/0/content/text",
                "rain",
            ),
            (
                "completion/complete",
                &proposal,
                "/completion/values/0",
                "rain!",
            ),
        ] {
            let answer = app.send(request(revision, method, params.clone())).await;
            let found = result(&answer).pointer(place).cloned();
            assert_eq!(found, Some(json!(expected)), "{method} at {revision}");
        }
    }
}

#[tokio::test]
async fn calls_say_what_they_found_how_far_they_are_and_that_they_failed() {
    let app = app().await;
    for revision in revisions() {
        let call = async |params| app.send(request(revision, "tools/call", params)).await;

        let record = result(&call(about_rain("record")).await);
        let text = record["content"][0]["text"].as_str().unwrap();
        assert_eq!(text, r#"{"topic":"rain"}"#, "{revision}");

        let failed = result(&call(about_rain("fails")).await);
        assert_eq!(failed["isError"], true, "{revision}");

        let mut watched = about_rain("blocks");
        watched["_meta"] = json!({"progressToken": "mine"});
        let stream = call(watched).await.text();
        let events: Vec<Value> = stream
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        let [progress, response] = &events[..] else {
            panic!("{stream} at {revision}");
        };
        assert_eq!(progress["params"]["progressToken"], "mine", "{revision}");
        let kinds = ["text", "image", "resource"];
        for (block, kind) in kinds.into_iter().enumerate() {
            let content = &response["result"]["content"][block];
            assert_eq!(content["type"], kind, "{revision}");
        }
    }
}
