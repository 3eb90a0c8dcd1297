//! The parameters of an operation: where each stands in a request, and how its value is written.

use std::rc::Rc;

use serde_json::{Value, json};

use super::library::{Library, Node};
use super::outline::Version;
use crate::schema;

/// Headers that are not parameters: OpenAPI describes them elsewhere, or the connection has them.
const NOT_PARAMETERS: [&str; 10] = [
    "accept",
    "content-type",
    "authorization",
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
];

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

/// How a list or an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    Spaces,
    Pipes,
    Tabs,
    Deep,
    /// As JSON.
    Json,
}

/// A parameter of an operation.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) is_required: bool,
    pub(super) style: Style,
    pub(super) explode: bool,
    /// Whether reserved characters are sent as they are.
    pub(super) is_reserved: bool,
    pub(super) description: Option<String>,
    pub(super) schema: Node,
}

impl Location {
    /// The word that tells arguments of one name apart.
    pub(super) fn word(self) -> &'static str {
        match self {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
        }
    }
}

/// The parameters of an operation: its own, and those of its path that it does not replace. Those of a body, as Swagger
/// 2.0 has them, come second.
///
/// # Errors
/// A parameter that cannot be read.
pub(super) fn parameters(
    library: &Library,
    version: Version,
    operation: &Node,
    item: &Node,
) -> Result<(Vec<Parameter>, Vec<Node>), String> {
    let mut found: Vec<Parameter> = Vec::new();
    let mut of_body = Vec::new();
    // Those of the operation come first, and win.
    for owner in [operation, item] {
        for parameter in list(library, owner)? {
            let place = parameter
                .value
                .get("in")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if version == Version::Two && matches!(place, "body" | "formData") {
                let name = parameter.value.get("name");
                let is_known = |it: &Node| {
                    it.value.get("name") == name && it.value.get("in").is_some_and(|it| it == place)
                };
                if !of_body.iter().any(is_known) {
                    of_body.push(parameter);
                }
                continue;
            }
            let Some(parameter) = read(library, version, &parameter)? else {
                continue;
            };
            let is_known =
                |it: &Parameter| it.name == parameter.name && it.location == parameter.location;
            if !found.iter().any(is_known) {
                found.push(parameter);
            }
        }
    }
    found.sort_by(|a, b| (a.location, &a.name).cmp(&(b.location, &b.name)));
    Ok((found, of_body))
}

fn list(library: &Library, owner: &Node) -> Result<Vec<Node>, String> {
    let parameters = owner.value.get("parameters").and_then(Value::as_array);
    let nodes = parameters.into_iter().flatten().map(|value| {
        library.follow(Node {
            file: owner.file,
            value: Rc::new(value.clone()),
        })
    });
    nodes.collect()
}

/// `None` if it is not a parameter.
fn read(library: &Library, version: Version, node: &Node) -> Result<Option<Parameter>, String> {
    let text = |keyword: &str| node.value.get(keyword).and_then(Value::as_str);
    let name = text("name").filter(|it| !it.is_empty());
    let name = name.ok_or("one of its parameters has no name")?.to_owned();
    let location = match text("in") {
        Some("path") => Location::Path,
        Some("query") => Location::Query,
        Some("header") => Location::Header,
        Some("cookie") => Location::Cookie,
        place => {
            let place = place.unwrap_or("nowhere");
            return Err(format!(
                "its parameter `{name}` stands in `{place}`, which is unknown"
            ));
        }
    };
    if location == Location::Header && NOT_PARAMETERS.contains(&&*name.to_ascii_lowercase()) {
        return Ok(None);
    }
    let (style, explode) = match version {
        Version::Two => collection(node, location),
        Version::Three => style(&name, node, location)?,
    };
    let content = library.get(node, "content")?;
    let content = content.as_ref().and_then(|it| it.value.as_object());
    let media = content.and_then(|it| it.iter().next());
    let (schema, style) = match media {
        Some((media, it)) => {
            let style = if super::media::is_json(media) {
                Style::Json
            } else {
                style
            };
            (it.get("schema").cloned(), style)
        }
        None if version == Version::Two => (Some(own_schema(&node.value)), style),
        None => (node.value.get("schema").cloned(), style),
    };
    Ok(Some(Parameter {
        name,
        is_required: location == Location::Path
            || node.value.get("required") == Some(&Value::Bool(true)),
        location,
        style,
        explode,
        is_reserved: node.value.get("allowReserved") == Some(&Value::Bool(true)),
        description: text("description").map(str::to_owned),
        schema: Node {
            file: node.file,
            value: Rc::new(schema.unwrap_or_else(|| json!({"type": "string"}))),
        },
    }))
}

/// The style of OpenAPI 3, and whether lists and objects are divided.
fn style(name: &str, node: &Node, location: Location) -> Result<(Style, bool), String> {
    let named = node.value.get("style").and_then(Value::as_str);
    let style = match (location, named) {
        (Location::Path, None | Some("simple")) | (Location::Header, _) => Style::Simple,
        (Location::Path, Some("label")) => Style::Label,
        (Location::Path, Some("matrix")) => Style::Matrix,
        (Location::Query, Some("spaceDelimited")) => Style::Spaces,
        (Location::Query, Some("pipeDelimited")) => Style::Pipes,
        (Location::Query, Some("deepObject")) => Style::Deep,
        (Location::Query, None | Some("form")) | (Location::Cookie, _) => Style::Form,
        (_, Some(style)) => {
            return Err(format!(
                "its parameter `{name}` has the style `{style}`, which is unknown there"
            ));
        }
    };
    let explode = node.value.get("explode").and_then(Value::as_bool);
    Ok((style, explode.unwrap_or(style == Style::Form)))
}

/// The `collectionFormat` of Swagger 2.0.
fn collection(node: &Node, location: Location) -> (Style, bool) {
    let format = node.value.get("collectionFormat").and_then(Value::as_str);
    match (location, format) {
        (Location::Query, Some("multi")) => (Style::Form, true),
        (Location::Query, Some("ssv")) => (Style::Spaces, false),
        (Location::Query, Some("pipes")) => (Style::Pipes, false),
        (Location::Query, Some("tsv")) => (Style::Tabs, false),
        (Location::Query | Location::Cookie, _) => (Style::Form, false),
        (Location::Path | Location::Header, _) => (Style::Simple, false),
    }
}

/// The schema of a parameter of Swagger 2.0, whose keywords stand beside its name.
pub(super) fn own_schema(parameter: &Value) -> Value {
    let own = [
        "name",
        "in",
        "required",
        "collectionFormat",
        "allowEmptyValue",
        "description",
    ];
    let fields = parameter.as_object().into_iter().flatten();
    let fields = fields.filter(|(keyword, _)| !own.contains(&keyword.as_str()));
    schema::object(fields.map(|(keyword, it)| (keyword.clone(), it.clone()))).into()
}
