//! The result of a call, written around the encoded answer of the function.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::context::escape;
use crate::error::{Detail, Error, Result};
use crate::mcp::messages::version::Shape;
use crate::mcp::messages::{blocks, foreign};
use crate::registry::{Answer, Tool};
use crate::upstream::Freshness;

/// The key of the server's name and version in a modern result.
pub(crate) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    #[serde(rename = "_meta", skip_serializing_if = "ResultMeta::is_empty")]
    meta: ResultMeta<'a>,
    content: Blocks<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Structured<'a>>,
    is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Blocks<'a> {
    Text([TextBlock; 1]),
    /// The message of an error, and its data.
    Both([TextBlock; 2]),
    Given(Cow<'a, RawValue>),
    None([TextBlock; 0]),
}

#[derive(Serialize)]
struct TextBlock {
    r#type: &'static str,
    text: Box<RawValue>,
}

/// The result as an object.
#[derive(Serialize)]
#[serde(untagged)]
enum Structured<'a> {
    Object(&'a RawValue),
    /// A value that is not an object.
    Value {
        result: &'a RawValue,
    },
}

impl TextBlock {
    fn new(text: &str) -> TextBlock {
        TextBlock {
            r#type: "text",
            // Most texts are JSON, with more quotes than a general serializer is fast for.
            text: escape::quoted(text),
        }
    }
}

#[derive(Serialize)]
struct ResultMeta<'a> {
    #[serde(
        rename = "io.modelcontextprotocol/serverInfo",
        skip_serializing_if = "Option::is_none"
    )]
    server: Option<&'a RawValue>,
    #[serde(rename = "bifold/error", skip_serializing_if = "Option::is_none")]
    error: Option<Detail<'a>>,
    #[serde(rename = "bifold/cache", skip_serializing_if = "Option::is_none")]
    cache: Option<CacheMeta>,
    #[serde(rename = "bifold/idempotency", skip_serializing_if = "Option::is_none")]
    once: Option<OnceMeta>,
}

/// Whether an earlier call gave the answer.
#[derive(Serialize)]
struct OnceMeta {
    replayed: bool,
}

/// The `_meta` of a modern result that carries only the server's name and version.
#[derive(Serialize)]
pub(crate) struct ServerMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server: &'a RawValue,
}

impl<'a> ServerMeta<'a> {
    pub(crate) fn new(server: &'a RawValue) -> ServerMeta<'a> {
        ServerMeta { server }
    }
}

/// The freshness of the data behind a result. A negative time to live means stale.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CacheMeta {
    hit: bool,
    ttl_ms: i64,
}

impl ResultMeta<'_> {
    fn is_empty(&self) -> bool {
        self.server.is_none() && self.error.is_none() && self.cache.is_none() && self.once.is_none()
    }
}

/// The result of a call of `tool`. A failed call is a result with `isError`.
pub(crate) fn call(
    shape: Shape,
    tool: &Tool,
    answer: &Result<Answer>,
    server: &RawValue,
    freshness: Option<Freshness>,
) -> Box<RawValue> {
    let foreign = match answer {
        Ok(answer) => answer.foreign(),
        Err(error) => error.foreign(),
    };
    if let Some(result) = foreign {
        return foreign::adapted(result, shape, server);
    }
    let server = (shape == Shape::Modern).then_some(server);
    let result = match answer {
        Ok(answer) => CallResult {
            content: content(shape, answer),
            structured_content: structured(shape, tool, answer),
            is_error: false,
            result_type: (shape == Shape::Modern).then_some("complete"),
            meta: ResultMeta {
                server,
                error: None,
                cache: freshness.map(|it| CacheMeta {
                    hit: it.hit || it.is_stale(),
                    ttl_ms: it.ttl_ms,
                }),
                once: answer.is_repeated().then_some(OnceMeta { replayed: true }),
            },
        },
        Err(error) => failure(shape, error, server),
    };
    to_raw_value(&result).expect("a result of strings and JSON is JSON")
}

fn content(shape: Shape, answer: &Answer) -> Blocks<'_> {
    if answer.is_nothing() {
        return Blocks::None([]);
    }
    match answer.is_content() {
        true => Blocks::Given(blocks::known(answer.json(), shape)),
        false => Blocks::Text([TextBlock::new(&answer.text())]),
    }
}

fn structured<'a>(shape: Shape, tool: &Tool, answer: &'a Answer) -> Option<Structured<'a>> {
    if shape < Shape::Structured || answer.is_content() || answer.is_nothing() {
        return None;
    }
    let result = answer.json();
    Some(match tool.wraps(answer) {
        true => Structured::Value { result },
        false => Structured::Object(result),
    })
}

fn failure<'a>(shape: Shape, error: &'a Error, server: Option<&'a RawValue>) -> CallResult<'a> {
    let message = TextBlock::new(error.message());
    CallResult {
        content: match error.data() {
            // Agents do not see `_meta`.
            Some(data) => Blocks::Both([message, TextBlock::new(data.get())]),
            None => Blocks::Text([message]),
        },
        structured_content: None,
        is_error: true,
        result_type: (shape == Shape::Modern).then_some("complete"),
        meta: ResultMeta {
            server,
            error: Some(error.detail()),
            cache: None,
            once: None,
        },
    }
}
