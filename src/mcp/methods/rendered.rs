//! The results that never change while a process lives, each rendered once.

use std::sync::{Arc, OnceLock};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::context::updates::{Topic, Updates};
use crate::error::Capability;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::result::SERVER_INFO;
use crate::mcp::messages::version::{MODERN, Shape, Version};
use crate::mcp::methods::cursor;
use crate::mcp::methods::lists::List;
use crate::registry::{Info, Registry};

/// How long a client may keep what never changes while a process lives, in milliseconds.
pub(crate) const TTL_MS: u64 = 3_600_000;

/// The capability to tell of a list that has changed.
const LIST_CHANGED: &str = "listChanged";

/// The results that are rendered once.
pub(crate) struct Rendered {
    registry: Arc<Registry>,
    info: Info,
    updates: Arc<Updates>,
    has_tasks: bool,
    server: Box<RawValue>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    page_size: usize,
    lists: [[OnceLock<Vec<Box<RawValue>>>; 5]; 4],
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a JSON value is JSON")
}

impl Rendered {
    pub(crate) fn new(
        registry: Arc<Registry>,
        info: &Info,
        page_size: usize,
        updates: Arc<Updates>,
        has_tasks: bool,
    ) -> Rendered {
        // Every result of the modern revision names the server, so it says no more of it than the name.
        let server = raw(&introduce(info, Shape::Structured));
        Rendered {
            registry,
            info: info.clone(),
            updates,
            has_tasks,
            server,
            nothing: raw(&json!({})),
            discover: OnceLock::new(),
            page_size,
            lists: Default::default(),
        }
    }

    /// How the server introduces itself in results.
    pub(crate) fn server(&self) -> &RawValue {
        &self.server
    }

    pub(crate) fn nothing(&self) -> &RawValue {
        &self.nothing
    }

    pub(crate) fn initialize(&self, version: Version) -> Box<RawValue> {
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

    pub(crate) fn discover(&self) -> &RawValue {
        self.discover.get_or_init(|| {
            let mut result = self.modern(
                json!({ "supportedVersions": [MODERN], "capabilities": self.capabilities() }),
            );
            if self.has_tasks {
                let tasks = Capability::declare(&[Capability::Tasks]);
                result["capabilities"]["extensions"] = tasks["extensions"].clone();
            }
            result["_meta"][SERVER_INFO] = introduce(&self.info, Shape::Modern);
            if let Some(instructions) = self.info.instructions {
                result["instructions"] = instructions.into();
            }
            raw(&result)
        })
    }

    /// Whether the server has anything for that list.
    pub(crate) fn has(&self, list: List) -> bool {
        match list {
            List::Tools => true,
            List::Resources | List::Templates => !self.registry.resources().is_empty(),
            List::Prompts => !self.registry.prompts().is_empty(),
        }
    }

    /// Whether the server proposes values for anything.
    pub(crate) fn has_completions(&self) -> bool {
        self.registry.has_completions()
    }

    fn capabilities(&self) -> Value {
        let told = |topic, key: &str| match self.updates.has(topic) {
            true => json!({ key: true }),
            false => json!({}),
        };
        let mut capabilities = json!({ "logging": {}, "tools": told(Topic::Tools, LIST_CHANGED) });
        if self.has(List::Resources) {
            capabilities["resources"] = told(Topic::Resources, LIST_CHANGED);
            if self.updates.has(Topic::Contents) {
                capabilities["resources"]["subscribe"] = true.into();
            }
        }
        if self.has(List::Prompts) {
            capabilities["prompts"] = told(Topic::Prompts, LIST_CHANGED);
        }
        if self.has_completions() {
            capabilities["completions"] = json!({});
        }
        capabilities
    }

    /// The first page, or the one at the cursor.
    pub(crate) fn page(
        &self,
        list: List,
        shape: Shape,
        cursor: Option<&RawValue>,
    ) -> Result<&RawValue, RpcError> {
        let offset = match cursor {
            Some(cursor) => cursor::decode(list, cursor)?,
            None => 0,
        };
        let page = self.pages(list, shape).get(offset / self.page_size);
        page.filter(|_| offset % self.page_size == 0)
            .map(|page| &**page)
            .ok_or_else(cursor::out_of_range)
    }

    fn pages(&self, list: List, shape: Shape) -> &[Box<RawValue>] {
        self.lists[list as usize][shape as usize].get_or_init(|| {
            let entries = list.entries(&self.registry, shape);
            let page = |start: usize| {
                let end = entries.len().min(start.saturating_add(self.page_size));
                let mut page = json!({ list.key(): entries[start..end] });
                if end < entries.len() {
                    page["nextCursor"] = cursor::encode(list, end).into();
                }
                match shape {
                    Shape::Modern => raw(&self.modern(page)),
                    _ => raw(&page),
                }
            };
            // A list without entries has one page too.
            let starts = (0..entries.len().max(1)).step_by(self.page_size);
            starts.map(page).collect()
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
