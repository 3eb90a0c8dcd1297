//! Warm-up pings: invocations that only keep the function warm. They succeed at once and do nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lambda::events::field::{Fields, flag, text};

/// The `source` of the events that warm-up tools send.
const SOURCES: [&str; 2] = [
    "serverless-plugin-warmup",
    "serverless-plugin-lambda-warmup",
];

/// The fields that other warm-up tools set to `true`.
const MARKS: [&str; 4] = ["warmer", "warmup", "warmUp", "#warmup"];

/// Whether an event is a warm-up ping: an empty object, a schedule of EventBridge, or the event of a warm-up tool.
pub(crate) fn is_ping(event: &str) -> bool {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(event) else {
        return false;
    };
    let field = |name: &str| fields.get(name).copied();
    let source = text(field("source")).unwrap_or_default();
    let is_scheduled = text(field("detail-type")).is_some_and(|it| it == "Scheduled Event");
    fields.is_empty()
        || SOURCES.contains(&&*source)
        || (is_scheduled && source.starts_with("aws."))
        || MARKS.into_iter().any(|mark| flag(field(mark)))
}

/// Whether the client context of an invocation declares a warm-up ping; then the event itself does not matter.
pub(crate) fn is_declared_in(client_context: &str) -> bool {
    #[derive(Deserialize)]
    struct ClientContext<'a> {
        #[serde(borrow, default, alias = "Custom")]
        custom: Option<BTreeMap<String, &'a RawValue>>,
        #[serde(borrow, default)]
        source: Option<&'a RawValue>,
    }
    let Ok(context) = serde_json::from_str::<ClientContext<'_>>(client_context) else {
        return false;
    };
    let custom = context.custom.unwrap_or_default();
    let sources = [context.source, custom.get("source").copied()];
    let mut sources = sources.into_iter().filter_map(text);
    sources.any(|source| SOURCES.contains(&&*source))
}
