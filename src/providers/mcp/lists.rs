//! The lists of a mounted server, page by page, within limits that hold for every server.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::failure::Failure;
use super::link::{Link, Request};
use super::offer::Refused;
use super::session::{ModernMeta, Session};
use crate::error::Kind;

/// The most entries of one list.
const MAX_ENTRIES: usize = 2_000;

/// The most pages of one list.
const MAX_PAGES: usize = 200;

/// The most bytes of all lists together.
const MAX_BYTES: usize = 32 << 20;

/// Everything that a server lists.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    pub(super) tools: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) templates: Vec<Value>,
    pub(super) prompts: Vec<Value>,
    pub(super) has_resources: bool,
    /// Whether the server proposes values of arguments.
    pub(super) has_completions: bool,
    /// What was left out, because a list is too long.
    #[serde(skip)]
    pub(super) cut: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(
        default,
        alias = "resources",
        alias = "resourceTemplates",
        alias = "prompts"
    )]
    tools: Option<Vec<Value>>,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Listed {
    /// Reads all lists that the server says it has.
    pub(super) async fn read(link: &Link, session: &Arc<Session>) -> Result<Listed, Failure> {
        let mut listed = Listed {
            has_resources: session.has("resources"),
            has_completions: session.has("completions"),
            ..Listed::default()
        };
        let mut left = MAX_BYTES;
        let wanted = [
            ("tools", "tools/list"),
            ("resources", "resources/list"),
            ("resources", "resources/templates/list"),
            ("prompts", "prompts/list"),
        ];
        for (capability, method) in wanted {
            if !session.has(capability) {
                continue;
            }
            let entries = match all(link, session, method, &mut left, &mut listed.cut).await {
                Ok(entries) => entries,
                // A server may have no templates though it has resources.
                Err(Failure::Refused(failure, _)) if failure.code == -32601 => Vec::new(),
                Err(failure) => return Err(failure),
            };
            match method {
                "tools/list" => listed.tools = entries,
                "resources/list" => listed.resources = entries,
                "prompts/list" => listed.prompts = entries,
                _ => listed.templates = entries,
            }
        }
        Ok(listed)
    }
}

async fn all(
    link: &Link,
    session: &Arc<Session>,
    method: &'static str,
    left: &mut usize,
    cut: &mut Vec<Refused>,
) -> Result<Vec<Value>, Failure> {
    let mut entries = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0.. {
        let mut params = json!({});
        if let Some(cursor) = &cursor {
            params["cursor"] = cursor.as_str().into();
        }
        if session.is_modern() {
            params["_meta"] = json!(ModernMeta::new(json!({})));
        }
        let request = Request::new(link.next_id(), method, &params);
        let result = link.open(session, request).await?.only_result().await?;
        let size = result.get().len();
        let read = self::page(link, method, &result)?;
        entries.extend(read.tools.unwrap_or_default());
        let next = read.next_cursor.filter(|it| !it.is_empty());
        let is_over = entries.len() > MAX_ENTRIES || size > *left;
        *left = left.saturating_sub(size);
        if is_over || (page + 1 == MAX_PAGES && next.is_some()) {
            entries.truncate(MAX_ENTRIES);
            cut.push(Refused {
                what: format!("the rest of `{method}`"),
                why: format!("a list has at most {MAX_ENTRIES} entries, {MAX_PAGES} pages and {MAX_BYTES} bytes"),
            });
            return Ok(entries);
        }
        match next {
            None => return Ok(entries),
            next if next == cursor => {
                let problem = format!("answers `{method}` with the same page for ever");
                return Err(Failure::broken(
                    link.mount(),
                    Kind::UpstreamInvalidResponse,
                    &problem,
                ));
            }
            next => cursor = next,
        }
    }
    Ok(entries)
}

fn page(link: &Link, method: &str, result: &RawValue) -> Result<Page, Failure> {
    let read = serde_json::from_str::<Page>(result.get());
    read.ok().filter(|it| it.tools.is_some()).ok_or_else(|| {
        let problem = format!("answered `{method}` with something that is not a list");
        Failure::broken(link.mount(), Kind::UpstreamInvalidResponse, &problem)
    })
}
