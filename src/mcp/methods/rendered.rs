//! The results that depend only on the registry, each rendered once, when it is first requested.

use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::context::updates::{Topic, Updates};
use crate::error::Capability;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::result::SERVER_INFO;
use crate::mcp::messages::version::{MODERN, Shape, Version};
use crate::mcp::methods::cursor;
use crate::mcp::methods::entry::{Fields, Page};
use crate::mcp::methods::lists::{List, raw};
use crate::registry::{Info, Registry};

/// How long clients may cache what does not change during the life of a process, in milliseconds.
pub(crate) const TTL_MS: u64 = 3_600_000;

/// The key of `_meta` that names the mounted servers whose entries may be missing or old.
const ABSENT: &str = "bifold/absent";

/// The capability to send list changes.
const LIST_CHANGED: &str = "listChanged";

/// The results that are rendered once for each registry.
pub(crate) struct Rendered {
    registry: Arc<Registry>,
    info: Info,
    updates: Arc<Updates>,
    has_tasks: bool,
    /// Whether the registry may be replaced at run time.
    may_change: bool,
    server: Box<RawValue>,
    nothing: Box<RawValue>,
    discover: OnceLock<Box<RawValue>>,
    page_size: usize,
    /// Whether shared caches may keep the results, which they may not if each caller gets its own.
    cache_scope: &'static str,
    lists: [[OnceLock<Pages>; 5]; 4],
}

/// One list for one revision.
struct Pages {
    /// Made for the first cursor.
    fingerprint: OnceLock<String>,
    pages: Vec<Box<RawValue>>,
}

impl Rendered {
    pub(crate) fn new(
        registry: Arc<Registry>,
        info: &Info,
        page_size: usize,
        updates: Arc<Updates>,
        has_tasks: bool,
        may_change: bool,
    ) -> Rendered {
        // Every modern result carries the name and version, so only those are included.
        let server = raw(&introduce(info, Shape::Structured));
        Rendered {
            registry,
            info: info.clone(),
            updates,
            has_tasks,
            may_change,
            server,
            nothing: raw(&json!({})),
            discover: OnceLock::new(),
            page_size,
            cache_scope: "public",
            lists: Default::default(),
        }
    }

    /// The results of another registry of the same server.
    pub(crate) fn with(&self, registry: Arc<Registry>) -> Rendered {
        Rendered {
            registry,
            info: self.info.clone(),
            updates: self.updates.clone(),
            server: self.server.clone(),
            nothing: self.nothing.clone(),
            discover: OnceLock::new(),
            lists: Default::default(),
            ..*self
        }
    }

    /// The name and version of the server, for modern results.
    pub(crate) fn for_some(&self, registry: Arc<Registry>) -> Rendered {
        Rendered {
            cache_scope: "private",
            ..self.with(registry)
        }
    }

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
        if let Some(instructions) = &self.info.instructions {
            result["instructions"] = instructions.as_ref().into();
        }
        raw(&result)
    }

    pub(crate) fn discover(&self) -> &RawValue {
        self.discover.get_or_init(|| {
            let mut capabilities = self.capabilities();
            if self.has_tasks {
                let tasks = Capability::declare(&[Capability::Tasks]);
                capabilities["extensions"] = tasks["extensions"].clone();
            }
            let server = introduce(&self.info, Shape::Modern);
            let mut result = self.cacheable(TTL_MS);
            result.insert("supportedVersions", raw(&[MODERN]));
            result.insert("capabilities", raw(&capabilities));
            result.insert("_meta", raw(&json!({ SERVER_INFO: server })));
            if let Some(instructions) = &self.info.instructions {
                result.insert("instructions", raw(&**instructions));
            }
            raw(&result)
        })
    }

    /// Whether the server has this list. Clients request the capabilities once, so a server whose catalog may change
    /// offers all lists, including empty ones.
    pub(crate) fn has(&self, list: List) -> bool {
        self.may_change
            || match list {
                List::Tools => true,
                List::Resources | List::Templates => !self.registry.resources().is_empty(),
                List::Prompts => !self.registry.prompts().is_empty(),
            }
    }

    /// Whether the server completes any argument, or may do so later.
    pub(crate) fn has_completions(&self) -> bool {
        self.may_change || self.registry.has_completions()
    }

    /// How long clients may cache results that depend on the registry, in milliseconds.
    pub(crate) fn ttl_ms(&self) -> u64 {
        match self.may_change {
            // The registry may be replaced at any moment.
            true => 0,
            false => TTL_MS,
        }
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

    /// The first page, or the page at the cursor.
    pub(crate) fn page(
        &self,
        list: List,
        shape: Shape,
        cursor: Option<&RawValue>,
    ) -> Result<&RawValue, RpcError> {
        let cursor = cursor.map(|it| cursor::decode(list, it)).transpose()?;
        let Pages { fingerprint, pages } = self.pages(list, shape);
        if let Some(cursor) = &cursor
            && cursor.fingerprint != *fingerprint.get_or_init(|| self.fingerprint(list))
        {
            return Err(cursor::changed());
        }
        let offset = cursor.map_or(0, |it| it.offset);
        let page = pages.get(offset / self.page_size);
        page.filter(|_| offset % self.page_size == 0)
            .map(|page| &**page)
            .ok_or_else(cursor::out_of_range)
    }

    fn pages(&self, list: List, shape: Shape) -> &Pages {
        self.lists[list as usize][shape as usize].get_or_init(|| {
            let entries = list.entries(&self.registry, shape);
            let count = entries.len();
            let fingerprint = OnceLock::new();
            let page = |start: usize| {
                let end = count.min(start.saturating_add(self.page_size));
                let mut fields = match shape {
                    Shape::Modern => self.cacheable(self.ttl_ms()),
                    _ => Fields::new(),
                };
                if end < count {
                    let fingerprint = fingerprint.get_or_init(|| self.fingerprint(list));
                    let cursor = cursor::encode(list, end, fingerprint);
                    fields.insert("nextCursor", raw(&cursor));
                }
                let meta = self.meta(shape);
                if !meta.is_empty() {
                    fields.insert("_meta", raw(&meta));
                }
                raw(&Page {
                    fields,
                    key: list.key(),
                    entries: &entries[start..end],
                })
            };
            // An empty list has one page.
            let starts = (0..count.max(1)).step_by(self.page_size);
            let pages = starts.map(page).collect();
            Pages { fingerprint, pages }
        })
    }

    fn fingerprint(&self, list: List) -> String {
        cursor::fingerprint(list.names(&self.registry))
    }

    /// The fields by which clients of the modern revision cache a result.
    fn cacheable(&self, ttl_ms: u64) -> Fields {
        Fields::from([
            ("resultType", raw("complete")),
            ("ttlMs", raw(&ttl_ms)),
            ("cacheScope", raw(self.cache_scope)),
        ])
    }

    /// The `_meta` of a list.
    fn meta(&self, shape: Shape) -> Fields {
        let mut meta = Fields::new();
        if shape == Shape::Modern {
            meta.insert(SERVER_INFO, self.server.clone());
        }
        let absent = &self.registry.functions().absent;
        if !absent.is_empty() {
            let absent: Vec<&str> = absent.iter().map(AsRef::as_ref).collect();
            meta.insert(ABSENT, raw(&absent));
        }
        meta
    }
}

/// The server's description for clients of this revision.
fn introduce(info: &Info, shape: Shape) -> Value {
    let mut server = json!({ "name": info.name, "version": info.version });
    if let Some(title) = info.title.as_deref().filter(|_| shape >= Shape::Structured) {
        server["title"] = title.into();
    }
    if shape < Shape::Illustrated {
        return server;
    }
    for (key, text) in [
        ("description", &info.description),
        ("websiteUrl", &info.website),
    ] {
        if let Some(text) = text {
            server[key] = text.as_ref().into();
        }
    }
    if !info.icons.is_empty() {
        server["icons"] = json!(info.icons);
    }
    server
}
