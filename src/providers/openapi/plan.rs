//! What is known of one imported operation: its arguments, how a request is made of them, and what is published.

use std::rc::Rc;

use http::Method;
use serde_json::{Map, Value, json};

use super::arguments::{Arguments, size};
use super::body;
use super::document::Span;
use super::library::{Library, Node};
use super::media::Media;
use super::outline::{Entry, Version};
use super::parameter::{self, Location, Parameter, Style};
use super::returns::{self, Returns};
use super::wording;

/// One imported operation.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) call: Call,
    /// The schema that is published.
    pub(super) input: Value,
    /// The same with null where the API takes it.
    pub(super) typed: Value,
    pub(super) output: Option<Value>,
    /// The schemes of each alternative by which it can be called; `None` where the document decides.
    pub(super) security: Option<Vec<Vec<String>>>,
    /// The servers of the operation or of its path, if it has its own.
    pub(super) servers: Option<Node>,
    /// What differs from the document.
    pub(super) notes: Vec<String>,
}

/// How a request is made of arguments, and its response read.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) arguments: Vec<Argument>,
    /// The media type of the body.
    pub(super) body: Option<(Media, String)>,
    pub(super) is_body_required: bool,
    pub(super) returns: Returns,
}

/// An argument, and where its value goes.
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) wire: String,
    pub(super) target: Target,
}

/// Where the value of an argument goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Parameter {
        location: Location,
        style: Style,
        explode: bool,
        is_reserved: bool,
    },
    Field {
        media_type: Option<String>,
        is_file: bool,
        /// Whether null is sent where the argument is absent: the API requires the field, and takes null.
        is_null: bool,
    },
    Body,
}

/// What the whole document says of every operation.
pub(super) struct Common {
    pub(super) version: Version,
    /// The media types of bodies and of responses, as Swagger 2.0 has them.
    pub(super) consumes: Vec<String>,
    pub(super) produces: Vec<String>,
}

/// Plans one operation.
///
/// # Errors
/// Why it cannot be imported.
pub(super) fn plan(library: &Library, common: &Common, entry: &Entry) -> Result<Plan, String> {
    let (place, item) = entry.place.clone()?;
    let operation = library.node(place)?;
    let item = item_node(library, item)?;
    if matches!(entry.method, Method::OPTIONS | Method::TRACE) {
        return Err(format!(
            "requests with {} say nothing of the API's data",
            entry.method
        ));
    }
    let text = |name: &str| operation.value.get(name).and_then(Value::as_str);
    let (parameters, of_body) = parameter::parameters(library, common.version, &operation, &item)?;
    let body = match common.version {
        Version::Three => body::of_operation(library, &operation)?,
        Version::Two => {
            let own = list(&operation.value, "consumes");
            let consumes = own.as_deref().unwrap_or(&common.consumes);
            body::of_parameters(library, &of_body, consumes)?
        }
    };
    let produces = list(&operation.value, "produces");
    let produces = produces.as_deref().unwrap_or(&common.produces);
    let (returns, output) = returns::of_operation(library, common.version, &operation, produces)?;
    let body = body.filter(|_| !matches!(entry.method, Method::GET | Method::HEAD));
    let parameters = with_path(parameters, &entry.path);
    let mut arguments = Arguments::new(library, parameters.len() + size(body.as_ref()))?;
    for parameter in parameters {
        arguments.add_parameter(parameter);
    }
    let is_body_required = body.as_ref().is_some_and(|it| it.is_required);
    let body = body.map(|body| arguments.add_body(body));
    let mut notes = Vec::new();
    if arguments.is_cut {
        notes.push("a part of its arguments is described in words".to_owned());
    }
    let is_deprecated = operation.value.get("deprecated") == Some(&Value::Bool(true));
    let title = text("summary")
        .map(|it| wording::shorten(it, 100))
        .filter(|it| !it.is_empty());
    let mut description = text("description").unwrap_or_default();
    if description.trim().is_empty() {
        description = text("summary").unwrap_or_default();
    }
    let mut description = wording::shorten(description, wording::OF_TOOL);
    if description.is_empty() {
        description = entry.label();
    }
    if is_deprecated {
        description = format!("Deprecated. {description}");
    }
    let (list_of_arguments, input, typed) = arguments.finish();
    Ok(Plan {
        name: entry.name.clone(),
        title,
        description,
        tags: list(&operation.value, "tags").unwrap_or_default(),
        call: Call {
            method: entry.method.clone(),
            path: entry.path.clone(),
            arguments: list_of_arguments,
            body,
            is_body_required,
            returns,
        },
        input,
        typed,
        output,
        security: security(&operation.value),
        servers: servers(&operation).or_else(|| servers(&item)),
        notes,
    })
}

/// The parts of a path item that its operations share. Its operations are not decoded.
fn item_node(library: &Library, item: super::library::Place) -> Result<Node, String> {
    let file = library.file(item.file);
    let mut fields = Map::new();
    for name in ["parameters", "servers"] {
        let span: Option<Span> = file.field(item.span, name);
        if let Some(span) = span {
            fields.insert(name.to_owned(), file.value(span)?);
        }
    }
    Ok(Node {
        file: item.file,
        value: Rc::new(Value::Object(fields)),
    })
}

fn servers(owner: &Node) -> Option<Node> {
    let servers = owner.value.get("servers")?;
    servers.as_array().filter(|it| !it.is_empty())?;
    Some(Node {
        file: owner.file,
        value: Rc::new(servers.clone()),
    })
}

/// The alternatives of `security`, each with its schemes.
pub(super) fn security(owner: &Value) -> Option<Vec<Vec<String>>> {
    let alternatives = owner.get("security")?.as_array()?;
    let names = |it: &Value| {
        let schemes = it.as_object().into_iter().flat_map(Map::keys);
        schemes.cloned().collect::<Vec<String>>()
    };
    Some(alternatives.iter().map(names).collect())
}

/// A list of texts.
pub(super) fn list(owner: &Value, name: &str) -> Option<Vec<String>> {
    let texts = owner.get(name)?.as_array()?.iter();
    Some(texts.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The parameters with those that only the path names, without those that it does not name.
fn with_path(parameters: Vec<Parameter>, path: &str) -> Vec<Parameter> {
    let variables = variables(path);
    let mut parameters = parameters;
    parameters.retain(|it| it.location != Location::Path || variables.contains(&&*it.name));
    for variable in variables {
        let is_known = |it: &Parameter| it.location == Location::Path && it.name == variable;
        if !parameters.iter().any(is_known) {
            parameters.push(Parameter {
                name: variable.to_owned(),
                location: Location::Path,
                is_required: true,
                style: Style::Simple,
                explode: false,
                is_reserved: false,
                description: None,
                schema: Node {
                    file: 0,
                    value: Rc::new(json!({"type": "string"})),
                },
            });
        }
    }
    // Those of the path keep their names where others have the same one.
    parameters.sort_by_key(|it| it.location);
    parameters
}

/// The names in braces.
pub(super) fn variables(path: &str) -> Vec<&str> {
    let parts = path.split('{').skip(1);
    parts
        .filter_map(|it| it.split_once('}').map(|it| it.0))
        .collect()
}
