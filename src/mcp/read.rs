//! `resources/read`: a document by its URI.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Endpoint;
use super::fault::Fault;
use super::payload::TTL_MS;
use super::result::ServerMeta;
use super::version::Shape;
use crate::error::Error;
use crate::registry::{Answer, Resource};
use crate::upstream::Freshness;

#[derive(Deserialize)]
pub(super) struct ReadParams<'a> {
    #[serde(borrow)]
    pub(super) uri: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadResult<'a> {
    contents: Vec<Contents<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_scope: Option<&'static str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ServerMeta<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contents<'a> {
    uri: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<Cow<'a, str>>,
}

/// A content block as far as it can be read as a document.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
}

impl Endpoint {
    /// The place of the resource that `uri` is one of, and the arguments of its function.
    pub(super) fn resource(&self, shape: Shape, uri: &str) -> Result<(usize, String), Fault> {
        let mut resources = self.registry.resources().iter().enumerate();
        resources
            .find_map(|(place, it)| Some((place, it.matches(uri)?)))
            .ok_or_else(|| Fault::resource_not_found(shape, uri))
    }
}

/// The result of a resource whose function gave `answer`.
pub(super) fn result(
    resource: &Resource,
    uri: &str,
    shape: Shape,
    server: &RawValue,
    answer: &Result<Answer, Error>,
    freshness: Option<Freshness>,
) -> Result<Box<RawValue>, Fault> {
    let answer = answer.as_ref();
    let answer = answer.map_err(|error| Fault::of_error(shape, uri, error))?;
    let is_modern = shape == Shape::Modern;
    // What upstreams gave is good as long as they say; what this process says of itself as long as it lives.
    let ttl = freshness.map_or(TTL_MS, |it| it.ttl_ms.max(0) as u64);
    let result = ReadResult {
        contents: contents(resource, uri, answer),
        result_type: is_modern.then_some("complete"),
        ttl_ms: is_modern.then_some(ttl),
        cache_scope: is_modern.then_some("public"),
        meta: is_modern.then(|| ServerMeta::new(server)),
    };
    Ok(to_raw_value(&result).expect("a result of strings and JSON is JSON"))
}

fn contents<'a>(resource: &'a Resource, uri: &'a str, answer: &'a Answer) -> Vec<Contents<'a>> {
    let mime_type = resource.mime_type();
    if !answer.is_content() {
        let text = Some(answer.json().get().into());
        return vec![Contents {
            uri,
            mime_type,
            text,
            blob: None,
        }];
    }
    let blocks: Vec<Block<'a>> = serde_json::from_str(answer.json().get()).unwrap_or_default();
    let content = |it: Block<'a>| Contents {
        uri,
        mime_type,
        text: it.text,
        blob: it.data,
    };
    blocks.into_iter().map(content).collect()
}
