//! The entries of the four lists, in the form of each revision.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::mcp::messages::blocks;
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::foreign;
use crate::registry::{Prompt, Registry, Resource, Tool};

/// The key of `_meta` that names the scopes which a function needs.
pub(super) const SCOPES: &str = "bifold/scopes";

/// The lists that clients can request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl List {
    pub(crate) fn of(method: &str) -> Option<List> {
        let all = [List::Tools, List::Resources, List::Templates, List::Prompts];
        all.into_iter().find(|it| it.method() == method)
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            List::Tools => "tools/list",
            List::Resources => "resources/list",
            List::Templates => "resources/templates/list",
            List::Prompts => "prompts/list",
        }
    }

    /// The field of the result that holds the entries.
    pub(crate) fn key(self) -> &'static str {
        match self {
            List::Tools => "tools",
            List::Resources => "resources",
            List::Templates => "resourceTemplates",
            List::Prompts => "prompts",
        }
    }

    /// The names or URIs that identify the entries.
    pub(crate) fn names(self, registry: &Registry) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            List::Tools => Box::new(tools(registry).map(|it| it.name())),
            List::Resources => Box::new(resources(registry, false).map(|it| it.uri())),
            List::Templates => Box::new(resources(registry, true).map(|it| it.uri())),
            List::Prompts => Box::new(registry.prompts().iter().map(|it| it.name())),
        }
    }

    /// The entries, in the order of registration.
    pub(crate) fn entries(self, registry: &Registry, shape: Shape) -> Vec<Value> {
        match self {
            List::Tools => tools(registry).map(|it| tool(it, shape)).collect(),
            List::Resources => resources(registry, false)
                .map(|it| resource(it, "uri", shape))
                .collect(),
            List::Templates => resources(registry, true)
                .map(|it| resource(it, "uriTemplate", shape))
                .collect(),
            List::Prompts => {
                let prompts = registry.prompts().iter();
                prompts.map(|it| prompt(it, shape)).collect()
            }
        }
    }
}

/// Whether the list differs between two registries.
pub(crate) fn differ(old: &Registry, new: &Registry, list: List) -> bool {
    let are_same = match list {
        List::Tools => are_same(old.tools(), new.tools()),
        List::Resources | List::Templates => are_same(old.resources(), new.resources()),
        List::Prompts => are_same(old.prompts(), new.prompts()),
    };
    // The latest revision includes every field of an entry.
    let entries = |registry| list.entries(registry, Shape::Modern);
    !are_same && entries(old) != entries(new)
}

fn are_same<T>(old: &[Arc<T>], new: &[Arc<T>]) -> bool {
    let mut pairs = old.iter().zip(new);
    old.len() == new.len() && pairs.all(|(old, new)| Arc::ptr_eq(old, new))
}

fn tools(registry: &Registry) -> impl Iterator<Item = &Arc<Tool>> {
    registry.tools().iter().filter(|tool| tool.on_mcp())
}

fn resources(registry: &Registry, is_template: bool) -> impl Iterator<Item = &Arc<Resource>> {
    let resources = registry.resources().iter().filter(|it| it.is_listed());
    resources.filter(move |it| it.is_template() == is_template)
}

fn tool(tool: &Tool, shape: Shape) -> Value {
    if let Some(entry) = foreign::entry(tool, "name", tool.name(), shape) {
        return entry;
    }
    let mut entry = described("name", tool.name(), tool, shape);
    entry["inputSchema"] = tool.arguments();
    if shape >= Shape::Hinted {
        entry["annotations"] = json!(tool.hints());
    }
    // This revision has the title in the annotations; later revisions have it beside the name.
    if let Some(title) = tool.display_title().filter(|_| shape == Shape::Hinted) {
        entry["annotations"]["title"] = title.into();
    }
    if shape >= Shape::Structured
        && let Some(schema) = tool.structured()
    {
        entry["outputSchema"] = schema;
    }
    entry
}

fn resource(resource: &Resource, key: &str, shape: Shape) -> Value {
    let function = resource.function();
    if let Some(entry) = foreign::entry(function, key, resource.uri(), shape) {
        return entry;
    }
    let mut entry = described(key, resource.uri(), function, shape);
    entry["name"] = function.name().into();
    entry["mimeType"] = resource.mime_type().into();
    if let Some(annotations) = resource.annotations() {
        entry["annotations"] = json!(annotations);
        blocks::abridge(&mut entry["annotations"], shape);
    }
    if let Some(bytes) = resource.bytes() {
        entry["size"] = bytes.into();
    }
    entry
}

fn prompt(prompt: &Prompt, shape: Shape) -> Value {
    let function = prompt.function();
    if let Some(entry) = foreign::entry(function, "name", prompt.name(), shape) {
        return entry;
    }
    let arguments = function.parameters().into_iter().flatten().map(|(name, schema)| {
        let description = schema.get("description").cloned().unwrap_or_default();
        json!({ "name": name, "description": description, "required": function.is_required(name) })
    });
    let arguments: Vec<Value> = arguments.collect();
    let mut entry = described("name", prompt.name(), function, shape);
    entry["arguments"] = arguments.into();
    entry
}

/// The fields that all kinds of entries share: the name or URI, and the metadata that the revision knows.
fn described(key: &str, name: &str, function: &Tool, shape: Shape) -> Value {
    let mut entry = json!({ key: name, "description": function.description() });
    if let Some(title) = function
        .display_title()
        .filter(|_| shape >= Shape::Structured)
    {
        entry["title"] = title.into();
    }
    if shape >= Shape::Structured && !function.metadata().is_empty() {
        entry["_meta"] = json!(function.metadata());
    }
    if shape >= Shape::Structured && !function.required_scopes().is_empty() {
        entry["_meta"][SCOPES] = json!(function.required_scopes());
    }
    if shape >= Shape::Illustrated && !function.icons().is_empty() {
        entry["icons"] = json!(function.icons());
    }
    entry
}
