//! Search for catalogs that are too long for a list: three tools that find, describe and call all others.

mod index;
mod words;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::{Context, Protocol};
use crate::error::excerpt::excerpt;
use crate::error::{Error, Result};
use crate::registry::count::Count;
use crate::registry::object::Object;
use crate::registry::{Answer, Functions, Registry, SearchRule, Tool};

use index::Index;

/// The names of the three tools.
const NAMES: [&str; 3] = ["search_tools", "describe_tool", "call_tool"];

/// The path of the search on REST.
const PATH: &str = "/search";

/// How many tools are found where the caller does not say.
const FOUND: u32 = 10;
/// The most characters of a query.
const MAX_QUERY: usize = 400;
/// The most characters of a description in a list.
const MAX_LINE: usize = 160;

/// Finds functions of this server by words of what they do, best first. This server has more functions than it lists: search
/// first, then use `describe_tool` for the arguments of one, and call it by its name or with `call_tool`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchTools {
    /// Words of what is needed, e.g. `create issue comment`.
    q: String,
    /// How many are found at the most; 10 without it.
    #[serde(default)]
    limit: Option<Count<1, 50>>,
}

/// Tells what a function does and which arguments it takes, as JSON schemas.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DescribeTool {
    /// The name of the function.
    name: String,
}

/// Calls a function by its name, and answers with its result.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallTool {
    /// The name of the function.
    name: String,
    /// Its arguments, a JSON object.
    #[serde(default)]
    arguments: Object,
}

#[derive(Serialize, JsonSchema)]
struct Found {
    /// The functions that were found, best first.
    tools: Vec<Line>,
    /// How many fit, of which the best are listed.
    total: usize,
}

#[derive(Serialize, JsonSchema)]
struct Line {
    name: String,
    /// What it does, in a line.
    description: String,
}

/// The index of the registry that was asked last.
#[derive(Default)]
struct Kept(Mutex<Option<(Weak<Registry>, Arc<Index>)>>);

impl Kept {
    /// The index of the registry, made when it is first asked for.
    fn of(&self, registry: &Arc<Registry>) -> Arc<Index> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_this = |it: &Weak<Registry>| it.as_ptr() == Arc::as_ptr(registry);
        if let Some((_, index)) = kept.as_ref().filter(|it| is_this(&it.0)) {
            return index.clone();
        }
        let index = Arc::new(Index::of(registry));
        // A weak pointer keeps the place in memory, so that no other registry can have the same one.
        *kept = Some((Arc::downgrade(registry), index.clone()));
        index
    }
}

/// Adds the three tools where the list is too long, and takes them away where it is not.
///
/// # Errors
/// A function has one of their names.
pub(crate) fn settle(functions: &mut Functions, rule: &SearchRule) -> Result<(), String> {
    match (functions.exceed(rule), functions.has_search()) {
        (true, false) => add(functions),
        (false, true) => {
            functions.tools.retain(|it| !it.finds_others());
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add(functions: &mut Functions) -> Result<(), String> {
    let tools = &functions.tools;
    if let Some(name) = NAMES
        .iter()
        .find(|name| tools.iter().any(|it| it.name() == **name))
    {
        return Err(format!(
            "the function `{name}` has the name of one that searches, which clients are shown above `BIFOLD_SEARCH_ABOVE` functions: rename it, or set `0`"
        ));
    }
    let is_taken = tools.iter().flat_map(|it| it.paths()).any(|it| it == PATH);
    let is_public = tools.iter().any(|it| it.is_public());
    let kept = Arc::new(Kept::default());
    let search = move |cx: Context, arguments: SearchTools| search(cx, &kept, arguments);
    let mut search = Tool::new(NAMES[0], search)
        .title("Search functions")
        .read_only();
    if !is_taken {
        search = search.get(PATH).without_name_path();
    }
    let describe = Tool::new(NAMES[1], describe)
        .title("Describe a function")
        .read_only();
    let call = Tool::new(NAMES[2], call)
        .title("Call a function")
        .calls("name");
    for tool in [search, describe, call] {
        let tool = tool.tags(["search"]).finder();
        functions.add_tool(if is_public { tool.public() } else { tool });
    }
    Ok(())
}

fn search(cx: Context, kept: &Kept, SearchTools { q, limit }: SearchTools) -> Result<Found> {
    if q.chars().count() > MAX_QUERY {
        let problem = format!("has more than {MAX_QUERY} characters");
        return Err(Error::invalid_argument("q", problem));
    }
    let registry = Registry::of(&cx)?;
    let index = kept.of(&registry);
    let found = index.find(&q, |tool| is_seen(tool, &cx));
    let limit = limit.map_or(FOUND, |it| it.0) as usize;
    let tools = found.iter().take(limit).map(|tool| Line {
        name: tool.name().to_owned(),
        description: line(tool.description()).into_owned(),
    });
    Ok(Found {
        tools: tools.collect(),
        total: found.len(),
    })
}

async fn describe(cx: Context, DescribeTool { name }: DescribeTool) -> Result<Answer> {
    let registry = Registry::of(&cx)?;
    let tool = registry.get(&name).filter(|it| is_seen(it, &cx));
    // One that the caller may not call is as one that does not exist.
    let tool = tool.ok_or_else(|| {
        Error::not_found(format!(
            "there is no function `{}`; `search_tools` finds them",
            excerpt(&name)
        ))
    })?;
    let mut told = json!({
        "name": tool.name(),
        "description": tool.description(),
        "inputSchema": tool.arguments(),
        "annotations": tool.hints(),
    });
    if let Some(title) = tool.display_title() {
        told["title"] = title.into();
    }
    if let Some(schema) = tool.structured() {
        told["outputSchema"] = schema;
    }
    let told: Value = told;
    Answer::of(&told)
}

async fn call(cx: Context, CallTool { name, arguments }: CallTool) -> Result<Answer> {
    let registry = Registry::of(&cx)?;
    registry.call_named(&name, cx, arguments.get()).await
}

/// Whether the caller may be told of the tool: it can call it, on the protocol of its request.
fn is_seen(tool: &Tool, cx: &Context) -> bool {
    let is_there = match cx.protocol() {
        Some(Protocol::Mcp) => tool.on_mcp(),
        Some(Protocol::Rest) => tool.on_rest(),
        None => true,
    };
    is_there && cx.may(|| tool.needs())
}

/// The beginning of a description.
fn line(text: &str) -> Cow<'_, str> {
    let text = text.split("\n\n").next().unwrap_or_default().trim();
    let end = text.find(". ").map(|it| it + 1);
    let text = end.map_or(text, |end| &text[..end]);
    match text.char_indices().nth(MAX_LINE) {
        None => text.replace('\n', " ").into(),
        Some((end, _)) => format!("{}…", text[..end].replace('\n', " ")).into(),
    }
}
