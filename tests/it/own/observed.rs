//! What the log of an application carries of its requests, with a subscriber of its own too.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use bifold::{Context, Result, Server, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

use crate::support::{Log, TestApp};

/// Logs a line.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {}

async fn note(_: Context, Note {}: Note) -> Result<bifold::Content> {
    info!(kept = 1, "noted");
    tokio::task::yield_now().await;
    info!("noted again");
    Ok(bifold::Content::text("noted"))
}

async fn app() -> TestApp {
    let tools = vec![Tool::new("note", note).get("/note")];
    TestApp::serving(Server::new("weather", "1.0.0").tools(tools)).await
}

#[tokio::test]
async fn the_lines_of_a_function_carry_its_request_id_its_name_and_the_protocol() {
    let log = Log::default();
    let _guard = log.keep();
    let app = app().await;
    let rest = app.get("/api/note").await;
    let call = json!({"name": "note", "arguments": {}});
    let mcp = app.mcp("tools/call", call).await;
    for message in ["noted", "noted again"] {
        let lines = log.lines(message);
        assert_eq!(lines.len(), 2);
        for (line, (answer, protocol)) in lines.iter().zip([(&rest, "rest"), (&mcp, "mcp")]) {
            let span: &Value = &line["span"];
            assert_eq!(span["request_id"], answer.header("x-request-id"), "{line}");
            assert_eq!(span["function"], "note");
            assert_eq!(span["protocol"], protocol);
        }
    }
    // The access line stands outside of the span, and has the same names for the same things.
    for line in log.requests() {
        assert_eq!(line["function"], "note");
        assert!(line.get("span").is_none(), "{line}");
    }
}

/// A subscriber of the application's own: it keeps the fields of access lines.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        struct Texts(Vec<String>);
        impl Visit for Texts {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.0.push(format!("{}={value:?}", field.name()));
            }
        }
        let mut texts = Texts(Vec::new());
        event.record(&mut texts);
        self.0.lock().unwrap().push(texts.0.join(" "));
    }
}

#[tokio::test]
async fn access_lines_are_events_for_any_subscriber() {
    let _second = Log::default().keep();
    let kept = Kept::default();
    let subscriber = tracing_subscriber::registry().with(kept.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    app().await.get("/api/note").await;
    let events = kept.0.lock().unwrap();
    let line = events.iter().find(|it| it.contains("message=\"request\""));
    let line = line.unwrap_or_else(|| panic!("{events:?}"));
    for part in [
        "protocol=\"rest\"",
        "function=\"note\"",
        "status=200",
        "outcome=\"ok\"",
    ] {
        assert!(line.contains(part), "{line}");
    }
}
