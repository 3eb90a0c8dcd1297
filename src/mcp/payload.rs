//! The results that never change while a process lives, each rendered once.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::fault::Fault;
use super::message::Request;
use super::result::encode;
use super::version::{MODERN, Shape, Version};
use super::{Body, Reply};
use crate::registry::{Registry, Tool};
use crate::server::Info;
use crate::telemetry::Outcome;

/// How long a client may keep what never changes while a process lives, in milliseconds.
const TTL_MS: u64 = 3_600_000;

/// The results that are rendered once.
pub(super) struct Payloads {
    registry: Arc<Registry>,
    server: Box<RawValue>,
    instructions: Option<&'static str>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    tools: [OnceLock<Box<RawValue>>; 3],
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

    /// How the server introduces itself, in the results of those who ask for it.
    pub(super) fn server(&self) -> &RawValue {
        &self.server
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
