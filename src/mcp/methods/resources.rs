//! `resources/read`: reads a document by its URI.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::Error;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::foreign;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;
use crate::registry::{Answer, Registry, Resource};

#[derive(Deserialize)]
pub(crate) struct ReadParams<'a> {
    #[serde(borrow)]
    pub(crate) uri: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadResult<'a> {
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ServerMeta<'a>>,
    contents: Vec<Contents<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_scope: Option<&'static str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contents<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
    #[serde(borrow)]
    mime_type: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    blob: Option<Cow<'a, str>>,
    #[serde(
        rename = "_meta",
        skip_deserializing,
        skip_serializing_if = "Option::is_none"
    )]
    meta: Option<&'a Map<String, Value>>,
}

/// The fields of a content block that a document can have.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resource: Option<Contents<'a>>,
}

impl<'a> ReadParams<'a> {
    pub(crate) fn of(params: &Params<'a>) -> Result<ReadParams<'a>, RpcError> {
        let uri = |uri| ReadParams { uri };
        params.decode(|it| it.text(Key::Uri).map(uri))
    }
}

/// Refuses a subscription to a URI that is not in the list. Changes of templates' documents are not sent on streams
/// that every client can open, because a URI may belong to one client.
pub(crate) fn check_listed(registry: &Registry, shape: Shape, uri: &str) -> Result<(), RpcError> {
    let resources = registry.resources().iter();
    let mut listed = resources.filter(|it| it.is_listed() && !it.is_template());
    match listed.any(|it| it.uri() == uri) {
        true => Ok(()),
        false => Err(RpcError::resource_not_found(shape, uri)),
    }
}

/// Finds the resource for a URI, and the arguments for its function.
pub(crate) fn find<'r>(
    registry: &'r Registry,
    shape: Shape,
    uri: &str,
) -> Result<(&'r Arc<Resource>, String), RpcError> {
    let mut resources = registry.resources().iter();
    resources
        .find_map(|it| Some((it, it.matches(uri)?)))
        .ok_or_else(|| RpcError::resource_not_found(shape, uri))
}

/// The result for the `answer` of a resource's function.
pub(crate) fn result(
    resource: &Resource,
    uri: &str,
    shape: Shape,
    server: &RawValue,
    answer: &Result<Answer, Error>,
    (cx, ttl_ms): (&Context, u64),
) -> Result<Box<RawValue>, RpcError> {
    let answer = answer.as_ref();
    let answer = answer.map_err(|error| RpcError::of_error(shape, uri, error))?;
    if let Some(result) = answer.foreign() {
        return Ok(foreign::adapted(result, shape, server));
    }
    let contents = contents(resource, shape, uri, answer);
    // Every entry repeats the URI, whose length the client chose.
    cx.charge_bytes(contents.len() * uri.len())
        .map_err(|error| RpcError::of_error(shape, uri, &error))?;
    let is_modern = shape == Shape::Modern;
    let (ttl, scope) = match cx.freshness() {
        // The result may contain the client's answers, which must not be cached (MCP 2026-07-28, caching).
        _ if cx.has_asked() => (0, "private"),
        // Upstream data is fresh as long as the upstream says, other data as long as the registry lives.
        Some(freshness) => (freshness.ttl_ms.max(0) as u64, "public"),
        None => (ttl_ms, "public"),
    };
    let result = ReadResult {
        contents,
        result_type: is_modern.then_some("complete"),
        ttl_ms: is_modern.then_some(ttl),
        cache_scope: is_modern.then_some(scope),
        meta: is_modern.then(|| ServerMeta::new(server)),
    };
    Ok(to_raw_value(&result).expect("a result of strings and JSON is JSON"))
}

fn contents<'a>(
    resource: &'a Resource,
    shape: Shape,
    uri: &'a str,
    answer: &'a Answer,
) -> Vec<Contents<'a>> {
    let meta = resource.function().metadata();
    let meta = (shape >= Shape::Structured && !meta.is_empty()).then_some(meta);
    let content = |text, blob| Contents {
        uri: uri.into(),
        mime_type: resource.mime_type().into(),
        text,
        blob,
        meta,
    };
    if !answer.is_content() {
        return vec![content(Some(answer.text()), None)];
    }
    let blocks: Vec<Block<'a>> = serde_json::from_str(answer.json().get()).unwrap_or_default();
    let contents = blocks.into_iter().map(|block| match block.resource {
        // Bytes have a type of their own, and are the document that was asked for.
        Some(document) if answer.bytes().is_some() => Contents {
            mime_type: document.mime_type,
            ..content(document.text, document.blob)
        },
        // An embedded document keeps its own URI and media type.
        Some(document) => document,
        // Resource contents cannot hold links, so a link becomes a document at its URI.
        None => content(block.text.or(block.uri), block.data),
    });
    contents.collect()
}
