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
use crate::registry::{Prompt, Registry, Resource, Tool};
use crate::server::Info;
use crate::telemetry::Outcome;

/// How long a client may keep what never changes while a process lives, in milliseconds.
pub(super) const TTL_MS: u64 = 3_600_000;

/// The lists that a client may ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Tools,
    Resources,
    Templates,
    Prompts,
}

/// The results that are rendered once.
pub(super) struct Payloads {
    registry: Arc<Registry>,
    server: Box<RawValue>,
    instructions: Option<&'static str>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    lists: [[OnceLock<Box<RawValue>>; 5]; 4],
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
            lists: Default::default(),
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
        let page: Page<'_> = request.read_params()?;
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
            "capabilities": self.capabilities(),
            "serverInfo": &self.server,
        });
        if let Some(instructions) = self.instructions {
            result["instructions"] = instructions.into();
        }
        raw(&result)
    }

    pub(super) fn discover(&self) -> &RawValue {
        self.discover.get_or_init(|| {
            let mut result = self.modern(
                json!({ "supportedVersions": [MODERN], "capabilities": self.capabilities() }),
            );
            if let Some(instructions) = self.instructions {
                result["instructions"] = instructions.into();
            }
            raw(&result)
        })
    }

    /// Whether the server has anything for that list.
    pub(super) fn has(&self, list: List) -> bool {
        match list {
            List::Tools => true,
            List::Resources | List::Templates => !self.registry.resources().is_empty(),
            List::Prompts => !self.registry.prompts().is_empty(),
        }
    }

    /// Whether the server proposes values for anything.
    pub(super) fn has_completions(&self) -> bool {
        self.registry.has_completions()
    }

    fn capabilities(&self) -> Value {
        let mut capabilities = json!({ "tools": {} });
        for (name, is_there) in [
            ("resources", self.has(List::Resources)),
            ("prompts", self.has(List::Prompts)),
            ("completions", self.has_completions()),
        ] {
            if is_there {
                capabilities[name] = json!({});
            }
        }
        capabilities
    }

    pub(super) fn list(&self, list: List, shape: Shape) -> &RawValue {
        self.lists[list as usize][shape as usize].get_or_init(|| {
            let all = json!({ list.key(): self.entries(list, shape) });
            match shape {
                Shape::Modern => raw(&self.modern(all)),
                _ => raw(&all),
            }
        })
    }

    fn entries(&self, list: List, shape: Shape) -> Vec<Value> {
        let resources = |is_template: bool| {
            let resources = self.registry.resources().iter();
            resources.filter(move |it| it.is_template() == is_template)
        };
        match list {
            List::Tools => {
                let tools = self.registry.tools().iter().filter(|tool| tool.on_mcp());
                tools.map(|tool| describe(tool, shape)).collect()
            }
            List::Resources => resources(false)
                .map(|it| document(it, "uri", shape))
                .collect(),
            List::Templates => resources(true)
                .map(|it| document(it, "uriTemplate", shape))
                .collect(),
            List::Prompts => self
                .registry
                .prompts()
                .iter()
                .map(|it| question(it, shape))
                .collect(),
        }
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
    entitle(&mut entry, tool, shape);
    if let Some(schema) = tool.result().filter(|_| shape >= Shape::Structured) {
        entry["outputSchema"] = schema.clone();
    }
    entry
}

fn document(resource: &Resource, key: &str, shape: Shape) -> Value {
    let function = resource.function();
    let mut entry = json!({
        key: resource.uri(),
        "name": function.name(),
        "description": function.description(),
        "mimeType": resource.mime_type(),
    });
    entitle(&mut entry, function, shape);
    entry
}

fn question(prompt: &Prompt, shape: Shape) -> Value {
    let function = prompt.function();
    let arguments = function.parameters().into_iter().flatten().map(|(name, schema)| {
        let description = schema.get("description").cloned().unwrap_or_default();
        json!({ "name": name, "description": description, "required": function.is_required(name) })
    });
    let arguments: Vec<Value> = arguments.collect();
    let mut entry = json!({
        "name": prompt.name(),
        "description": function.description(),
        "arguments": arguments,
    });
    entitle(&mut entry, function, shape);
    entry
}

/// Titles came with revision 2025-06-18.
fn entitle(entry: &mut Value, function: &Tool, shape: Shape) {
    if let Some(title) = function
        .display_title()
        .filter(|_| shape >= Shape::Structured)
    {
        entry["title"] = title.into();
    }
}

impl List {
    pub(super) fn of(method: &str) -> Option<List> {
        let all = [List::Tools, List::Resources, List::Templates, List::Prompts];
        all.into_iter().find(|it| it.method() == method)
    }

    pub(super) fn method(self) -> &'static str {
        match self {
            List::Tools => "tools/list",
            List::Resources => "resources/list",
            List::Templates => "resources/templates/list",
            List::Prompts => "prompts/list",
        }
    }

    /// The field of the result that holds the entries.
    fn key(self) -> &'static str {
        match self {
            List::Tools => "tools",
            List::Resources => "resources",
            List::Templates => "resourceTemplates",
            List::Prompts => "prompts",
        }
    }
}
