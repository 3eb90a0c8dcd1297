//! The lists of a mounted server, page by page, within limits.

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

/// Why a list is cut.
fn too_long() -> String {
    format!("a list has at most {MAX_ENTRIES} entries, {MAX_PAGES} pages and {MAX_BYTES} bytes")
}

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
            has_resources: session.capabilities.resources.is_there,
            has_completions: session.capabilities.completions.is_there,
            ..Listed::default()
        };
        let mut left = MAX_BYTES;
        let known = &session.capabilities;
        let wanted = [
            (known.tools, "tools/list"),
            (known.resources, "resources/list"),
            (known.resources, "resources/templates/list"),
            (known.prompts, "prompts/list"),
        ];
        for (feature, method) in wanted {
            if !feature.is_there {
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

/// The entries of all pages. A list without an end is cut, and the cut is noted.
async fn all(
    link: &Link,
    session: &Arc<Session>,
    method: &'static str,
    left: &mut usize,
    cut: &mut Vec<Refused>,
) -> Result<Vec<Value>, Failure> {
    let mut entries = Vec::new();
    // They are counted in `left`, like the pages that they came with.
    let mut cursors: Vec<String> = Vec::new();
    let why = loop {
        let request = request(link, session, method, cursors.last());
        let result = link.open(session, request).await?.only_result().await?;
        let size = result.get().len();
        let read = page(link, method, &result)?;
        entries.extend(read.tools.unwrap_or_default());
        let is_over = entries.len() > MAX_ENTRIES || size > *left;
        *left = left.saturating_sub(size);
        let next = read.next_cursor.filter(|it| !it.is_empty());
        match next {
            _ if is_over => break too_long(),
            None => return Ok(entries),
            Some(_) if cursors.len() + 1 == MAX_PAGES => break too_long(),
            Some(next) if cursors.contains(&next) => {
                break "the server begins the list anew, without an end".to_owned();
            }
            Some(next) => cursors.push(next),
        }
    };
    entries.truncate(MAX_ENTRIES);
    cut.push(Refused {
        what: format!("the rest of `{method}`"),
        why,
    });
    Ok(entries)
}

/// The request for the page at `cursor`.
fn request(
    link: &Link,
    session: &Session,
    method: &'static str,
    cursor: Option<&String>,
) -> Request {
    let mut params = json!({});
    if let Some(cursor) = cursor {
        params["cursor"] = cursor.as_str().into();
    }
    if session.is_modern() {
        params["_meta"] = json!(ModernMeta::new(json!({})));
    }
    Request::new(link.next_id(), method, &params)
}

fn page(link: &Link, method: &str, result: &RawValue) -> Result<Page, Failure> {
    let read = serde_json::from_str::<Page>(result.get());
    read.ok().filter(|it| it.tools.is_some()).ok_or_else(|| {
        let problem = format!("answered `{method}` with something that is not a list");
        Failure::broken(link.mount(), Kind::UpstreamInvalidResponse, &problem)
    })
}
