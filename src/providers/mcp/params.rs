//! What a call asks of its server, and the parameters in which it does so.

use std::collections::BTreeMap;

use http::HeaderName;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::session::{ModernMeta, Session};
use crate::context::Context;
use crate::context::client::Level;
use crate::error::Capability;

/// What a function of ours asks of its server.
pub(super) struct Theirs {
    pub(super) method: &'static str,
    /// The name of a tool or prompt; the URI comes with the call.
    pub(super) name: Option<String>,
    /// Whether a call that may have run can be made again.
    pub(super) is_repeatable: bool,
    /// The parameters that are repeated in headers: their places, and the names of the headers.
    pub(super) headers: Vec<(Vec<String>, HeaderName)>,
}

/// What a call is about.
pub(super) struct Subject {
    pub(super) name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) arguments: Option<Box<RawValue>>,
}

/// The parameters of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) input_responses: &'a BTreeMap<String, Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_state: Option<&'a RawValue>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(super) meta: Option<Meta>,
}

/// `_meta` of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress_token: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<String>,
    #[serde(
        rename = "io.modelcontextprotocol/logLevel",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) level: Option<Level>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) modern: Option<ModernMeta>,
}

impl Theirs {
    /// The arguments that are repeated in headers.
    pub(super) fn repeated(&self, subject: &Subject) -> Vec<(HeaderName, String)> {
        if self.headers.is_empty() {
            return Vec::new();
        }
        let arguments = subject.arguments.as_ref();
        let arguments: Value = arguments
            .and_then(|it| serde_json::from_str(it.get()).ok())
            .unwrap_or_default();
        let texts = self.headers.iter().filter_map(|(place, name)| {
            let found = place.iter().try_fold(&arguments, |it, key| it.get(key))?;
            let text = match found {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => found.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((name.clone(), text))
        });
        texts.collect()
    }
}

impl Meta {
    /// `_meta` of a request, as the era of the server wants it.
    pub(super) fn new(cx: &Context, session: &Session, id: u64) -> Option<Meta> {
        let progress_token = cx.wants_progress().then_some(id);
        let modern = session.is_modern().then(|| {
            let asked = [
                Capability::Elicitation,
                Capability::UrlElicitation,
                Capability::Sampling,
                Capability::Roots,
            ];
            let can: Vec<Capability> = asked.into_iter().filter(|it| cx.can(*it)).collect();
            ModernMeta::new(Capability::declare(&can))
        });
        if modern.is_none() && progress_token.is_none() {
            return None;
        }
        Some(Meta {
            progress_token,
            traceparent: modern.is_some().then(|| cx.trace().traceparent()),
            level: modern.as_ref().and_then(|_| cx.log_level()),
            modern,
        })
    }
}
