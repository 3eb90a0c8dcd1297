//! What a mounted server offers, as functions of our own: what clients could not take is left out, each with its reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::call;
use super::lists::Listed;
use super::params::Theirs;
use super::peer::Peer;
use super::wire::shown;
use crate::registry::{Functions, Prompt, Resource, Tool};

/// The largest entry of a list.
const MAX_ENTRY: usize = 256 << 10;

/// How deep the schema of a tool may be.
const MAX_DEPTH: usize = 48;

/// The refusals that are kept.
const MAX_REFUSED: usize = 100;

/// Something that is not offered, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    /// The kind and the name of the server.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
}

/// What is offered of one server.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) functions: Functions,
    pub(super) refused: Vec<Refused>,
    /// The entries behind the functions, by kind and name: an entry that stays the same keeps its function.
    known: BTreeMap<String, Known>,
}

struct Known {
    entry: Value,
    function: Function,
}

#[derive(Clone)]
enum Function {
    Tool(Arc<Tool>),
    Resource(Arc<Resource>),
    Prompt(Arc<Prompt>),
}

impl Offer {
    /// The functions of the lists. Those of `earlier` whose entries are the same stay the same.
    pub(super) fn new(peer: &Arc<Peer>, listed: Listed, earlier: &Offer) -> Offer {
        let mut offer = Offer {
            refused: listed.cut,
            ..Offer::default()
        };
        for entry in listed.tools {
            let is_wanted = |name: &str| {
                peer.mount
                    .tools
                    .as_ref()
                    .is_none_or(|it| it.iter().any(|it| it == name))
            };
            if entry["name"].as_str().is_some_and(|it| !is_wanted(it)) {
                continue;
            }
            offer.add(peer, "tool", "name", entry, earlier, tool);
        }
        for entry in listed.resources {
            offer.add(peer, "resource", "uri", entry, earlier, resource);
        }
        for entry in listed.templates {
            offer.add(peer, "template", "uriTemplate", entry, earlier, template);
        }
        for entry in listed.prompts {
            offer.add(peer, "prompt", "name", entry, earlier, prompt);
        }
        if listed.has_resources && peer.names.has_prefix() {
            let key = "resource\n".to_owned();
            let function = match earlier.known.get(&key) {
                Some(known) => known.function.clone(),
                None => Function::Resource(Arc::new(others(peer))),
            };
            offer.put(key, Value::Null, function);
        }
        offer
    }

    fn add(
        &mut self,
        peer: &Arc<Peer>,
        kind: &str,
        key: &str,
        entry: Value,
        earlier: &Offer,
        make: fn(&Arc<Peer>, &Value) -> Result<Function, String>,
    ) {
        let theirs = text(&entry, key);
        let (what, name) = (
            format!("{kind} `{}`", shown(theirs)),
            format!("{kind}\n{theirs}"),
        );
        if self.known.contains_key(&name) {
            return self.refuse(what, "the server lists it twice".to_owned());
        }
        let known = earlier.known.get(&name).filter(|it| it.entry == entry);
        let made = check(&entry, theirs).and_then(|()| match known {
            Some(known) => Ok(known.function.clone()),
            None => make(peer, &entry),
        });
        match made {
            Ok(function) => self.put(name, entry, function),
            Err(why) => self.refuse(what, why),
        }
    }

    fn put(&mut self, name: String, entry: Value, function: Function) {
        match &function {
            Function::Tool(tool) => self.functions.tools.push(tool.clone()),
            Function::Resource(resource) => self.functions.resources.push(resource.clone()),
            Function::Prompt(prompt) => self.functions.prompts.push(prompt.clone()),
        }
        self.known.insert(name, Known { entry, function });
    }

    pub(super) fn refuse(&mut self, what: String, why: String) {
        if self.refused.len() < MAX_REFUSED {
            self.refused.push(Refused { what, why });
        }
    }
}

fn check(entry: &Value, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let bytes = entry.to_string().len();
    match bytes <= MAX_ENTRY {
        true => Ok(()),
        false => Err(format!(
            "its entry has {bytes} bytes, and {MAX_ENTRY} are the most"
        )),
    }
}

fn tool(peer: &Arc<Peer>, entry: &Value) -> Result<Function, String> {
    let theirs = text(entry, "name");
    let ours = peer.names.name(theirs)?;
    let schema = &entry["inputSchema"];
    schema_problem(schema).map_or(Ok(()), Err)?;
    let mut shown = entry.clone();
    rewrite_ui(peer, &mut shown);
    let hint = |name: &str| entry["annotations"][name] == true;
    let known = Arc::new(Theirs {
        method: "tools/call",
        name: Some(theirs.to_owned()),
        is_repeatable: hint("readOnlyHint") || hint("idempotentHint"),
        headers: headers(schema),
    });
    let mut tool = dynamic(peer, ours, schema.clone(), known, entry)
        .with_entry(shown)
        .post(format!("/{}/{theirs}", peer.mount.name))
        .without_name_path();
    if hint("readOnlyHint") {
        tool = tool.read_only();
    }
    if let Some(schema) = entry.get("outputSchema").filter(|it| it.is_object()) {
        tool = tool.output_schema(schema.clone());
    }
    Ok(Function::Tool(Arc::new(tool)))
}

fn resource(peer: &Arc<Peer>, entry: &Value) -> Result<Function, String> {
    let uri = text(entry, "uri");
    if uri.contains('{') {
        return Err("its URI has a brace".to_owned());
    }
    let ours = peer.names.uri(uri).ok_or("its URI has no scheme")?;
    let resource = document(peer, ours, entry);
    Ok(Function::Resource(Arc::new(resource)))
}

fn template(peer: &Arc<Peer>, entry: &Value) -> Result<Function, String> {
    let uri = text(entry, "uriTemplate");
    let ours = peer.names.uri(uri).ok_or("its template has no scheme")?;
    if !uri.contains('{') {
        return Err("its template has no variable".to_owned());
    }
    let mut resource = document(peer, ours, entry);
    if peer.completes() {
        for variable in variables(uri) {
            let (peer, uri, name) = (peer.clone(), uri.to_owned(), variable.clone());
            resource = resource.complete(variable, move |cx, typed| {
                let reference = json!({ "type": "ref/resource", "uri": uri });
                call::complete(peer.clone(), reference, name.clone(), cx, typed)
            });
        }
    }
    Ok(Function::Resource(Arc::new(resource)))
}

fn prompt(peer: &Arc<Peer>, entry: &Value) -> Result<Function, String> {
    let theirs = text(entry, "name");
    let ours = peer.names.name(theirs)?;
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in entry["arguments"].as_array().into_iter().flatten() {
        let name = text(argument, "name");
        let description = text(argument, "description");
        properties.insert(
            name.to_owned(),
            json!({ "type": "string", "description": description }),
        );
        if argument["required"] == true {
            required.push(name);
        }
    }
    let names: Vec<String> = properties.keys().cloned().collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    let known = Arc::new(Theirs {
        method: "prompts/get",
        name: Some(theirs.to_owned()),
        is_repeatable: true,
        headers: Vec::new(),
    });
    let function = dynamic(peer, ours, schema, known, entry);
    let mut prompt = Prompt::new(function.with_entry(entry.clone()));
    if peer.completes() {
        for argument in names {
            let (peer, theirs, name) = (peer.clone(), theirs.to_owned(), argument.clone());
            prompt = prompt.complete(argument, move |cx, typed| {
                let reference = json!({ "type": "ref/prompt", "name": theirs });
                call::complete(peer.clone(), reference, name.clone(), cx, typed)
            });
        }
    }
    Ok(Function::Prompt(Arc::new(prompt)))
}

/// A document, or a template of some.
fn document(peer: &Arc<Peer>, ours: String, entry: &Value) -> Resource {
    let mime_type = match text(entry, "mimeType") {
        "" => "application/octet-stream",
        given => given,
    };
    Resource::new(
        ours,
        mime_type.to_owned(),
        reader(peer, entry).with_entry(entry.clone()),
    )
}

/// The documents that the server has beside those that it lists.
fn others(peer: &Arc<Peer>) -> Resource {
    let function = reader(peer, &Value::Null);
    let uri = format!("mount:{}", peer.mount.name);
    let names = peer.names.clone();
    Resource::new(uri, "application/octet-stream", function).unlisted(move |uri| names.owns(uri))
}

fn reader(peer: &Arc<Peer>, entry: &Value) -> Tool {
    let known = Arc::new(Theirs {
        method: "resources/read",
        name: None,
        is_repeatable: true,
        headers: Vec::new(),
    });
    let schema = json!({ "type": "object", "properties": { "uri": { "type": "string" } } });
    let owner = peer.clone();
    let name = format!("{}_resource", peer.mount.name);
    let tool = Tool::dynamic(name, schema, move |cx, arguments| {
        call::read(owner.clone(), known.clone(), cx, arguments)
    });
    described(peer, tool, entry)
}

fn dynamic(
    peer: &Arc<Peer>,
    ours: String,
    schema: Value,
    known: Arc<Theirs>,
    entry: &Value,
) -> Tool {
    let owner = peer.clone();
    let tool = Tool::dynamic(ours, schema, move |cx, arguments| {
        call::call(owner.clone(), known.clone(), cx, arguments)
    });
    described(peer, tool, entry)
}

/// What all functions of a server have in common. The server checks the arguments itself.
fn described(peer: &Arc<Peer>, tool: Tool, entry: &Value) -> Tool {
    let mount = &peer.mount.name;
    let said = [text(entry, "description"), text(entry, "title")];
    let said = said.into_iter().find(|it| !it.trim().is_empty());
    let description = said.map_or_else(
        || format!("A function of the server `{mount}`."),
        str::to_owned,
    );
    let tool = tool
        .unchecked()
        .describe(description)
        .tags([mount.clone()])
        .needs_scopes(peer.mount.scopes.iter().cloned());
    match text(entry, "title") {
        "" => tool,
        title => tool.title(title.to_owned()),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Why clients could not take a schema of arguments.
fn schema_problem(schema: &Value) -> Option<String> {
    let is_schema = |it: &Value| it.is_object() || it.is_boolean();
    let properties = schema.get("properties");
    let required = schema.get("required");
    if schema.get("type").is_none_or(|it| it != "object") {
        return Some("its `inputSchema` has not the type `object`".to_owned());
    }
    if properties.is_some_and(|it| it.as_object().is_none_or(|it| !it.values().all(is_schema))) {
        return Some("the `properties` of its `inputSchema` are not schemas".to_owned());
    }
    let are_names = |it: &Value| {
        it.as_array()
            .is_some_and(|it| it.iter().all(Value::is_string))
    };
    if required.is_some_and(|it| !are_names(it)) {
        return Some("`required` of its `inputSchema` is not a list of names".to_owned());
    }
    is_deeper(schema, MAX_DEPTH)
        .then(|| format!("its `inputSchema` is more than {MAX_DEPTH} levels deep"))
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(fields) => levels == 0 || fields.values().any(|it| is_deeper(it, levels - 1)),
        Value::Array(items) => levels == 0 || items.iter().any(|it| is_deeper(it, levels - 1)),
        _ => false,
    }
}

/// The parameters that a modern server wants repeated in headers (`x-mcp-header`), with their places.
fn headers(schema: &Value) -> Vec<(Vec<String>, HeaderName)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), schema)];
    while let Some((place, schema)) = open.pop() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut place: Vec<String> = place.clone();
            place.push(name.clone());
            let header = property["x-mcp-header"].as_str();
            let header = header.and_then(|it| format!("mcp-param-{it}").parse().ok());
            found.extend(header.map(|it| (place.clone(), it)));
            if place.len() < 8 {
                open.push((place, property));
            }
        }
    }
    found
}

/// The names of the variables of a template.
fn variables(template: &str) -> Vec<String> {
    let parts = template
        .split('{')
        .skip(1)
        .filter_map(|it| it.split_once('}'));
    let names = parts.flat_map(|(inner, _)| inner.split(','));
    let names =
        names.map(|it| it.trim_matches(|it: char| !it.is_ascii_alphanumeric() && it != '_'));
    names
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The page of a tool (MCP Apps) has our URI too.
fn rewrite_ui(peer: &Peer, entry: &mut Value) {
    for place in ["/_meta/ui/resourceUri", "/_meta/ui~1resourceUri"] {
        if let Some(uri) = entry.pointer_mut(place)
            && let Some(ours) = uri.as_str().and_then(|it| peer.names.uri(it))
        {
            *uri = ours.into();
        }
    }
}
