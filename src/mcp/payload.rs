//! The results: those that never change rendered once, those of a call written around the function's own bytes.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use serde::Serialize;
use serde::de::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::accept;
use super::events::Events;
use super::fault::Fault;
use super::message::{Request, is_id};
use super::version::{MODERN, Version};
use super::{Body, Endpoint, Reply};
use crate::context::Context;
use crate::error::{Detail, Error};
use crate::registry::{Answer, Registry, Tool};
use crate::server::Info;
use crate::telemetry::{Outcome, Pending};
use crate::upstream::Freshness;

/// How long a client may keep what never changes while a process lives, in milliseconds.
const TTL_MS: u64 = 3_600_000;

/// The three forms that a tool and its result have had on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// 2024-11-05 and 2025-03-26: text, no output schema.
    Text,
    /// 2025-06-18 and 2025-11-25: structured content beside the text.
    Structured,
    /// 2026-07-28: the same, with a result type and cache hints.
    Modern,
}

/// The results that are rendered once.
pub(super) struct Payloads {
    registry: Arc<Registry>,
    server: Box<RawValue>,
    instructions: Option<&'static str>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    tools: [OnceLock<Box<RawValue>>; 3],
}

/// The parameters of `tools/call`.
#[derive(serde::Deserialize)]
pub(super) struct CallParams<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    content: Blocks<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<&'a RawValue>,
    is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(rename = "_meta", skip_serializing_if = "ResultMeta::is_empty")]
    meta: ResultMeta<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Blocks<'a> {
    Text([TextBlock<'a>; 1]),
    Given(&'a RawValue),
}

#[derive(Serialize)]
struct TextBlock<'a> {
    r#type: &'static str,
    text: &'a str,
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
}

/// How fresh the data behind a result is; a negative time to live is past it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CacheMeta {
    hit: bool,
    ttl_ms: i64,
}

impl ResultMeta<'_> {
    fn is_empty(&self) -> bool {
        self.server.is_none() && self.error.is_none() && self.cache.is_none()
    }
}

impl Shape {
    pub(super) fn of(version: Version) -> Shape {
        match version {
            Version::V20241105 | Version::V20250326 => Shape::Text,
            Version::V20250618 | Version::V20251125 => Shape::Structured,
        }
    }
}

impl<'a> CallParams<'a> {
    pub(super) fn read(request: &Request<'a>) -> Result<CallParams<'a>, Fault> {
        let text = request.params.map_or("{}", RawValue::get);
        let mut json = serde_json::Deserializer::from_str(text);
        CallParams::deserialize(&mut json)
            .map_err(|error| Fault::invalid_params(format!("`params`: {error}")))
    }

    /// The token by which the client wants to be told of progress, if it does.
    fn progress_token(&self) -> Option<&'a RawValue> {
        #[derive(serde::Deserialize)]
        struct Meta<'a> {
            #[serde(borrow, default, rename = "progressToken")]
            token: Option<&'a RawValue>,
        }
        // Few calls have one, so what every modern call has is read once more for those alone.
        let meta = self.meta.filter(|it| it.get().contains("progressToken"))?;
        let meta: Option<Meta<'a>> = serde_json::from_str(meta.get()).ok();
        meta?.token.filter(|token| is_id(token))
    }
}

impl Endpoint {
    /// The tool of that name, if MCP clients see it.
    pub(super) fn tool(&self, name: &str) -> Result<&Tool, Fault> {
        let tool = self.registry.get(name).filter(|tool| tool.on_mcp());
        tool.ok_or_else(|| {
            let hint = self.registry.hint(name, Tool::on_mcp);
            Fault::invalid_params(format!("there is no tool `{name}`{hint}"))
        })
    }

    /// Calls the tool; its failure is a result that says so, never a JSON-RPC error.
    pub(super) async fn call(
        &self,
        shape: Shape,
        request: &Request<'_>,
        tool: &Tool,
        params: &CallParams<'_>,
        cx: &Context,
    ) -> Reply {
        let token = params.progress_token();
        if let Some(token) = token.filter(|_| request.accept.is_some_and(accept::events)) {
            return self.stream(shape, request, tool, params, token, cx);
        }
        let arguments = params.arguments.map_or("{}", RawValue::get);
        let answer = self.registry.call(tool, cx.clone(), arguments).await;
        let server = (shape == Shape::Modern).then_some(&*self.payloads.server);
        let body = response(request.id, shape, &answer, server, cx.freshness());
        let outcome = Outcome::of_call(tool.name(), answer.err());
        Reply {
            status: StatusCode::OK,
            body: Body::Json(body),
            outcome,
        }
    }

    /// The same call as a stream of its progress and its response. It runs while the stream is read.
    fn stream(
        &self,
        shape: Shape,
        request: &Request<'_>,
        tool: &Tool,
        params: &CallParams<'_>,
        token: &RawValue,
        cx: &Context,
    ) -> Reply {
        let (reporter, reports) = mpsc::unbounded_channel();
        let cx = cx.clone().reporting(reporter);
        let (registry, name) = (self.registry.clone(), tool.name());
        let (id, server) = (request.id.to_owned(), self.payloads.server.clone());
        let arguments = params.arguments.map_or("{}", RawValue::get).to_owned();
        let pending = Pending::default();
        let ending = pending.clone();
        let call = async move {
            let tool = registry.get(name).expect("the name is that of a tool");
            let answer = registry.call(tool, cx.clone(), &arguments).await;
            let server = (shape == Shape::Modern).then_some(&*server);
            let body = response(&id, shape, &answer, server, cx.freshness());
            ending.end(Outcome::of_call(name, answer.err()));
            body
        };
        let events = Events::stream(token.to_owned(), reports, Box::pin(call));
        Reply {
            status: StatusCode::OK,
            body: Body::Events(events, pending),
            outcome: Outcome::cancelled(name),
        }
    }
}

fn response(
    id: &RawValue,
    shape: Shape,
    answer: &crate::error::Result<Answer>,
    server: Option<&RawValue>,
    freshness: Option<Freshness>,
) -> Vec<u8> {
    match answer {
        Ok(answer) => encode(id, &success(shape, answer, server, freshness)),
        Err(error) => encode(id, &failure(shape, error, server)),
    }
}

fn success<'a>(
    shape: Shape,
    answer: &'a Answer,
    server: Option<&'a RawValue>,
    freshness: Option<Freshness>,
) -> CallResult<'a> {
    let json = answer.json();
    let content = match answer.is_content() {
        true => Blocks::Given(json),
        false => Blocks::Text([TextBlock {
            r#type: "text",
            text: json.get(),
        }]),
    };
    let is_structured = shape != Shape::Text && !answer.is_content();
    CallResult {
        content,
        structured_content: is_structured.then_some(json),
        is_error: false,
        result_type: (shape == Shape::Modern).then_some("complete"),
        meta: ResultMeta {
            server,
            error: None,
            cache: freshness.map(|it| CacheMeta {
                hit: it.hit || it.is_stale(),
                ttl_ms: it.ttl_ms,
            }),
        },
    }
}

fn failure<'a>(shape: Shape, error: &'a Error, server: Option<&'a RawValue>) -> CallResult<'a> {
    CallResult {
        content: Blocks::Text([TextBlock {
            r#type: "text",
            text: error.message(),
        }]),
        structured_content: None,
        is_error: true,
        result_type: (shape == Shape::Modern).then_some("complete"),
        meta: ResultMeta {
            server,
            error: Some(error.detail()),
            cache: None,
        },
    }
}

fn encode<T: Serialize>(id: &RawValue, result: &T) -> Vec<u8> {
    serde_json::to_vec(&Envelope {
        jsonrpc: "2.0",
        id,
        result,
    })
    .expect("a result of strings and JSON is JSON")
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value is JSON")
}

impl Payloads {
    pub(super) fn new(registry: Arc<Registry>, info: &Info) -> Payloads {
        let mut server = json!({ "name": info.name, "version": info.version });
        if let Some(title) = info.title {
            server["title"] = title.into();
        }
        Payloads {
            registry,
            server: raw(&server),
            instructions: info.instructions,
            nothing: raw(&json!({})),
            discover: OnceLock::new(),
            tools: Default::default(),
        }
    }

    pub(super) fn reply(
        &self,
        request: &Request<'_>,
        method: &'static str,
        result: &RawValue,
    ) -> Reply {
        let body = encode(request.id, &result);
        Reply {
            status: StatusCode::OK,
            body: Body::Json(body),
            outcome: Outcome::of_method(method),
        }
    }

    /// The one page is the whole list, so no cursor was ever given out.
    pub(super) fn check_cursor(&self, request: &Request<'_>) -> Result<(), Fault> {
        #[derive(serde::Deserialize)]
        struct Page<'a> {
            #[serde(borrow, default)]
            cursor: Option<&'a RawValue>,
        }
        let text = request.params.map_or("{}", RawValue::get);
        let page: Page<'_> = serde_json::from_str(text)
            .map_err(|error| Fault::invalid_params(format!("`params`: {error}")))?;
        match page.cursor {
            None => Ok(()),
            Some(_) => Err(Fault::invalid_params(
                "`cursor` was not given out by this server; leave it out",
            )),
        }
    }

    pub(super) fn nothing(&self) -> &RawValue {
        &self.nothing
    }

    pub(super) fn initialize(&self, version: Version) -> Box<RawValue> {
        let mut result = json!({
            "protocolVersion": version.as_str(),
            "capabilities": { "tools": {} },
            "serverInfo": &self.server,
        });
        if let Some(instructions) = self.instructions {
            result["instructions"] = instructions.into();
        }
        raw(&result)
    }

    pub(super) fn discover(&self) -> &RawValue {
        self.discover.get_or_init(|| {
            let mut result = self
                .modern(json!({ "supportedVersions": [MODERN], "capabilities": { "tools": {} } }));
            if let Some(instructions) = self.instructions {
                result["instructions"] = instructions.into();
            }
            raw(&result)
        })
    }

    pub(super) fn tools(&self, shape: Shape) -> &RawValue {
        self.tools[shape as usize].get_or_init(|| {
            let tools = self.registry.tools().iter().filter(|tool| tool.on_mcp());
            let list =
                json!({ "tools": tools.map(|tool| describe(tool, shape)).collect::<Vec<_>>() });
            match shape {
                Shape::Modern => raw(&self.modern(list)),
                _ => raw(&list),
            }
        })
    }

    /// Adds what every cacheable result of the modern revision carries.
    fn modern(&self, mut result: Value) -> Value {
        result["resultType"] = "complete".into();
        result["ttlMs"] = TTL_MS.into();
        result["cacheScope"] = "public".into();
        result["_meta"] = json!({ "io.modelcontextprotocol/serverInfo": &self.server });
        result
    }
}

fn describe(tool: &Tool, shape: Shape) -> Value {
    let mut entry = json!({
        "name": tool.name(),
        "description": tool.description(),
        "inputSchema": tool.arguments(),
    });
    if tool.is_read_only() {
        entry["annotations"] = json!({ "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true });
    }
    if shape != Shape::Text {
        if let Some(title) = tool.display_title() {
            entry["title"] = title.into();
        }
        if let Some(schema) = tool.result() {
            entry["outputSchema"] = schema.clone();
        }
    }
    entry
}
