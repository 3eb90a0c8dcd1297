//! What `_meta` says of any request: what its client wishes to hear, and the trace that it belongs to (SEP-414).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::telemetry::trace::Trace;

/// The keys that any request may have there, whatever they hold.
#[derive(Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, default, rename = "progressToken")]
    pub(crate) token: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/logLevel")]
    pub(crate) level: Option<&'a RawValue>,
    #[serde(borrow, default)]
    traceparent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tracestate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Meta<'a>,
}

impl<'a> Meta<'a> {
    /// Reads it; empty where there is none, or it is malformed.
    pub(crate) fn of(params: Option<&'a RawValue>) -> Meta<'a> {
        let text = params.map_or("", RawValue::get);
        let mut keys = ["progressToken", "logLevel", "traceparent"].into_iter();
        // Few requests have one, so what every modern one has is read once more for those alone.
        if !keys.any(|key| text.contains(key)) {
            return Meta::default();
        }
        let params: Option<Params<'a>> = serde_json::from_str(text).ok();
        params.map_or_else(Meta::default, |params| params.meta)
    }

    /// The place below the one that it names; none where it names none, or is malformed.
    pub(crate) fn trace(&self) -> Option<Trace> {
        let parent: Cow<'_, str> = serde_json::from_str(self.traceparent?.get()).ok()?;
        let state: Option<Cow<'_, str>> = match self.tracestate {
            Some(state) => serde_json::from_str(state.get()).ok()?,
            None => None,
        };
        Trace::child_of(&parent, state.as_deref())
    }
}
