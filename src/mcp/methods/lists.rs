//! The entries of the four lists, in the form of each revision.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::mcp::messages::blocks;
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::entry::{Annotated, Argument, Entry, Listed};
use crate::mcp::methods::foreign;
use crate::registry::{PreparedTool, Prompt, Registry, Resource, Tool};

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
    pub(crate) fn entries(self, registry: &Registry, shape: Shape) -> Vec<Listed<'_>> {
        match self {
            List::Tools => tools(registry).map(|it| tool(it, shape)).collect(),
            List::Resources => resources(registry, false)
                .map(|it| resource(it, List::Resources, shape))
                .collect(),
            List::Templates => resources(registry, true)
                .map(|it| resource(it, List::Templates, shape))
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
    let json = |registry| serde_json::to_string(&list.entries(registry, Shape::Modern));
    !are_same && json(old).ok() != json(new).ok()
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

fn tool(tool: &Tool, shape: Shape) -> Listed<'_> {
    if let Some(entry) = foreign::entry(tool, "name", tool.name(), shape) {
        return Listed::Foreign(entry);
    }
    let hints = tool.hints();
    let annotations = match (tool.display_title(), shape) {
        (_, Shape::Plain) => None,
        // This revision has the title in the annotations; later revisions have it beside the name.
        (Some(title), Shape::Hinted) => {
            let mut annotations = json!(hints);
            annotations["title"] = title.into();
            Some(Annotated::Other(annotations))
        }
        _ => Some(Annotated::Hints(hints)),
    };
    let prepared = tool.prepared();
    let output = match prepared {
        _ if shape < Shape::Structured => None,
        Some(prepared) => prepared.output(),
        None => tool.structured().map(|it| raw(&it)),
    };
    let input = prepared.map_or_else(|| raw(&tool.arguments()), PreparedTool::input);
    let description = match prepared.filter(|_| !tool.is_described()) {
        Some(prepared) => prepared.description_json(),
        None => raw(tool.description()),
    };
    Listed::Own(Box::new(Entry {
        annotations,
        input_schema: Some(input),
        output_schema: output,
        ..described(tool.name(), description, tool, shape)
    }))
}

fn resource(resource: &Resource, list: List, shape: Shape) -> Listed<'_> {
    let (function, uri) = (resource.function(), resource.uri());
    let key = match list {
        List::Templates => "uriTemplate",
        _ => "uri",
    };
    if let Some(entry) = foreign::entry(function, key, uri, shape) {
        return Listed::Foreign(entry);
    }
    let annotations = resource.annotations().map(|it| {
        let mut annotations = json!(it);
        blocks::abridge(&mut annotations, shape);
        Annotated::Other(annotations)
    });
    let is_template = list == List::Templates;
    Listed::Own(Box::new(Entry {
        annotations,
        mime_type: Some(resource.mime_type()),
        size: resource.bytes(),
        uri: (!is_template).then_some(uri),
        uri_template: is_template.then_some(uri),
        ..described(
            function.name(),
            raw(function.description()),
            function,
            shape,
        )
    }))
}

fn prompt(prompt: &Prompt, shape: Shape) -> Listed<'_> {
    let function = prompt.function();
    if let Some(entry) = foreign::entry(function, "name", prompt.name(), shape) {
        return Listed::Foreign(entry);
    }
    let arguments = function.parameters().into_iter().flatten();
    let arguments = arguments.map(|(name, schema)| Argument {
        description: schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        name,
        required: function.is_required(name),
    });
    Listed::Own(Box::new(Entry {
        arguments: Some(arguments.collect()),
        ..described(prompt.name(), raw(function.description()), function, shape)
    }))
}

/// What all kinds of entries share: the name, and the metadata that the revision knows.
fn described<'r>(
    name: &'r str,
    description: Box<RawValue>,
    function: &'r Tool,
    shape: Shape,
) -> Entry<'r> {
    let mut entry = Entry {
        name,
        description: Some(description),
        ..Entry::default()
    };
    if shape >= Shape::Structured {
        entry.title = function.display_title();
        let mut meta = Cow::Borrowed(function.metadata());
        if !function.required_scopes().is_empty() {
            let scopes = json!(function.required_scopes());
            meta.to_mut().insert(SCOPES.to_owned(), scopes);
        }
        entry.meta = Some(meta).filter(|it| !it.is_empty());
    }
    if shape >= Shape::Illustrated {
        entry.icons = function.icons();
    }
    entry
}

pub(super) fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("what is listed is JSON")
}
