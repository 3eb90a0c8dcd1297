//! The four lists: what each entry says of a function, in the form of each revision.

use serde_json::{Value, json};

use crate::mcp::messages::blocks;
use crate::mcp::messages::version::Shape;
use crate::registry::{Prompt, Registry, Resource, Tool};

/// The lists that a client may ask for.
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

    /// The entries, in the order of registration.
    pub(crate) fn entries(self, registry: &Registry, shape: Shape) -> Vec<Value> {
        let resources = |is_template: bool| {
            let resources = registry.resources().iter();
            resources.filter(move |it| it.is_template() == is_template)
        };
        match self {
            List::Tools => {
                let tools = registry.tools().iter().filter(|tool| tool.on_mcp());
                tools.map(|it| tool(it, shape)).collect()
            }
            List::Resources => resources(false)
                .map(|it| resource(it, "uri", shape))
                .collect(),
            List::Templates => resources(true)
                .map(|it| resource(it, "uriTemplate", shape))
                .collect(),
            List::Prompts => {
                let prompts = registry.prompts().iter();
                prompts.map(|it| prompt(it, shape)).collect()
            }
        }
    }
}

fn tool(tool: &Tool, shape: Shape) -> Value {
    let mut entry = described("name", tool.name(), tool, shape);
    entry["inputSchema"] = tool.arguments();
    if shape >= Shape::Hinted {
        entry["annotations"] = json!(tool.hints());
    }
    // This revision has the title among the hints, and those after it beside the name.
    if let Some(title) = tool.display_title().filter(|_| shape == Shape::Hinted) {
        entry["annotations"]["title"] = title.into();
    }
    if let Some(schema) = tool.result().filter(|_| shape >= Shape::Structured) {
        entry["outputSchema"] = schema.clone();
    }
    entry
}

fn resource(resource: &Resource, key: &str, shape: Shape) -> Value {
    let function = resource.function();
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
    let arguments = function.parameters().into_iter().flatten().map(|(name, schema)| {
        let description = schema.get("description").cloned().unwrap_or_default();
        json!({ "name": name, "description": description, "required": function.is_required(name) })
    });
    let arguments: Vec<Value> = arguments.collect();
    let mut entry = described("name", prompt.name(), function, shape);
    entry["arguments"] = arguments.into();
    entry
}

/// What every entry says: its name or URI, and of the function behind it what the revision knows.
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
    if shape >= Shape::Illustrated && !function.icons().is_empty() {
        entry["icons"] = json!(function.icons());
    }
    entry
}
