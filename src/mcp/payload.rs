//! The results that never change while a process lives, each rendered once.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::fault::Fault;
use super::list::List;
use super::message::Request;
use super::result::encode;
use super::version::{MODERN, Shape, Version};
use super::{Body, Reply};
use crate::registry::Registry;
use crate::server::Info;
use crate::telemetry::Outcome;

/// How long a client may keep what never changes while a process lives, in milliseconds.
pub(super) const TTL_MS: u64 = 3_600_000;

/// The key under which a modern result says who answered.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The results that are rendered once.
pub(super) struct Payloads {
    registry: Arc<Registry>,
    info: Info,
    server: Box<RawValue>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    lists: [[OnceLock<Box<RawValue>>; 5]; 4],
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value is JSON")
}

impl Payloads {
    pub(super) fn new(registry: Arc<Registry>, info: &Info) -> Payloads {
        // Every result of the modern revision says who answered, so it says no more than the name.
        let server = raw(&introduce(info, Shape::Structured));
        Payloads {
            registry,
            info: info.clone(),
            server,
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
            "serverInfo": introduce(&self.info, Shape::of(version)),
        });
        if let Some(instructions) = self.info.instructions {
            result["instructions"] = instructions.into();
        }
        raw(&result)
    }

    pub(super) fn discover(&self) -> &RawValue {
        self.discover.get_or_init(|| {
            let mut result = self.modern(
                json!({ "supportedVersions": [MODERN], "capabilities": self.capabilities() }),
            );
            result["_meta"][SERVER_INFO] = introduce(&self.info, Shape::Modern);
            if let Some(instructions) = self.info.instructions {
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
            let all = json!({ list.key(): list.entries(&self.registry, shape) });
            match shape {
                Shape::Modern => raw(&self.modern(all)),
                _ => raw(&all),
            }
        })
    }

    /// Adds what every cacheable result of the modern revision carries.
    fn modern(&self, mut result: Value) -> Value {
        result["resultType"] = "complete".into();
        result["ttlMs"] = TTL_MS.into();
        result["cacheScope"] = "public".into();
        result["_meta"] = json!({ SERVER_INFO: &self.server });
        result
    }
}

/// How the server introduces itself to a client of that revision.
fn introduce(info: &Info, shape: Shape) -> Value {
    let mut server = json!({ "name": info.name, "version": info.version });
    if let Some(title) = info.title.filter(|_| shape >= Shape::Structured) {
        server["title"] = title.into();
    }
    if shape < Shape::Illustrated {
        return server;
    }
    for (key, text) in [
        ("description", info.description),
        ("websiteUrl", info.website),
    ] {
        if let Some(text) = text {
            server[key] = text.into();
        }
    }
    if !info.icons.is_empty() {
        server["icons"] = json!(info.icons);
    }
    server
}
