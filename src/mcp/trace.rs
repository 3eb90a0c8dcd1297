//! The trace that a message says it belongs to (SEP-414).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::Request;
use crate::trace::Trace;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Meta<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    traceparent: Cow<'a, str>,
    #[serde(borrow, default)]
    tracestate: Option<Cow<'a, str>>,
}

/// The place below the one that `_meta` names; none where it names none, or is malformed.
pub(super) fn of(request: &Request<'_>) -> Option<Trace> {
    let text = request.params.map_or("", RawValue::get);
    // Few requests have one, so what every modern one has is read once more for those alone.
    if !text.contains("traceparent") {
        return None;
    }
    let Params { meta } = serde_json::from_str(text).ok()?;
    Trace::below(&meta.traceparent, meta.tracestate.as_deref())
}
