//! What an operation answers with: how its response is read, and what is published of it.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::composed::{Composed, Reference};
use super::library::{Library, Node};
use super::media::{self, Media};
use super::outline::Version;
use super::wording;

/// The most fields that are described.
const MAX_FIELDS: usize = 60;
/// How deep objects are described.
const MAX_DEPTH: usize = 3;

/// How the response is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Returns {
    /// JSON, which is asked for with this media type.
    Json(String),
    /// Text or bytes of this media type.
    Bytes(String),
    /// The document does not say; whatever comes is read.
    Unknown,
}

/// What an operation answers with when it succeeds, and the schema of its JSON.
///
/// # Errors
/// A response that cannot be read.
pub(super) fn of_operation(
    library: &Library,
    version: Version,
    operation: &Node,
    produces: &[String],
) -> Result<(Returns, Option<Value>), String> {
    let Some(response) = success(library, operation)? else {
        return Ok((Returns::Unknown, None));
    };
    let (media_type, schema) = match version {
        Version::Three => {
            let contents = response.value.get("content").and_then(Value::as_object);
            let best = contents.and_then(|it| Some((media::best(it.keys())?.0, it)));
            let Some((media_type, contents)) = best else {
                return Ok((Returns::Unknown, None));
            };
            (
                media_type.clone(),
                contents[media_type].get("schema").cloned(),
            )
        }
        Version::Two => {
            let Some(schema) = response.value.get("schema") else {
                return Ok((Returns::Unknown, None));
            };
            let best = media::best(produces.iter()).map(|it| it.0.clone());
            (
                best.unwrap_or_else(|| "application/json".to_owned()),
                Some(schema.clone()),
            )
        }
    };
    if Media::of(&media_type) != Media::Json {
        return Ok((
            Returns::Bytes(media::concrete(&media_type).to_owned()),
            None,
        ));
    }
    let schema = schema.map(|value| Node {
        file: response.file,
        value: Rc::new(value),
    });
    let returns = Returns::Json(media::concrete(&media_type).to_owned());
    let output = schema.map(|it| published(library, &it));
    Ok((returns, output))
}

/// The response of the lowest status of success that has a body, or else of any success.
fn success(library: &Library, operation: &Node) -> Result<Option<Node>, String> {
    let responses = operation.value.get("responses").and_then(Value::as_object);
    let mut found = Vec::new();
    for (status, value) in responses.into_iter().flatten() {
        let rank = match status.as_str() {
            it if it.starts_with('2') && it.len() == 3 => 0,
            "default" => 1,
            _ => continue,
        };
        let response = library.follow(Node {
            file: operation.file,
            value: Rc::new(value.clone()),
        })?;
        let has_body = ["content", "schema"]
            .iter()
            .any(|it| response.value.get(*it).is_some());
        if has_body {
            found.push(((rank, status), response));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found.into_iter().next().map(|it| it.1))
}

/// The schema of a result. It names fields and says in words what they are: clients refuse a result that does not fit its
/// schema, and APIs do not always keep to theirs.
fn published(library: &Library, schema: &Node) -> Value {
    let mut left = MAX_FIELDS;
    let mut schema = told(library, schema, &[], 0, &mut left);
    if let Some(fields) = schema.as_object_mut()
        && fields.contains_key("properties")
    {
        fields.insert("type".to_owned(), "object".into());
    }
    schema
}

fn told(
    library: &Library,
    schema: &Node,
    open: &[Reference],
    level: usize,
    left: &mut usize,
) -> Value {
    let composed = Composed::of(library, schema, open);
    let open: Vec<Reference> = open.iter().chain(&composed.references).cloned().collect();
    let is_object = composed.kind.as_deref() == Some("object") && composed.choices.is_empty();
    let mut fields = Map::new();
    let kind = match (composed.kind.as_deref(), composed.items.as_ref()) {
        (Some("array"), Some(items)) => {
            let items = Composed::of(library, items, &open);
            format!(
                "List of {}.",
                items
                    .kind
                    .as_deref()
                    .map_or("values".to_owned(), |it| format!("{it}s"))
            )
        }
        (Some("array"), None) => "List.".to_owned(),
        (Some("object"), _) | (None, _) => String::new(),
        (Some(kind), _) => {
            let mut letters = kind.chars().take(20);
            let first = letters.next().map(|it| it.to_ascii_uppercase());
            format!("{}.", first.into_iter().chain(letters).collect::<String>())
        }
    };
    let description = composed.text("description").unwrap_or_default();
    let mut description = wording::shorten(description, 120);
    if !kind.is_empty() && level > 0 {
        description = match description.is_empty() {
            true => kind,
            false => format!("{kind} {description}"),
        };
    } else if level == 0 && description.is_empty() {
        description = kind;
    }
    if is_object && level < MAX_DEPTH && *left > 0 {
        let mut properties = Map::new();
        for (name, schema) in &composed.properties {
            if *left == 0 {
                break;
            }
            let inner = Composed::of(library, schema, &open);
            if inner.flag("writeOnly") {
                continue;
            }
            *left -= 1;
            properties.insert(name.clone(), told(library, schema, &open, level + 1, left));
        }
        if !properties.is_empty() || level == 0 {
            fields.insert("properties".to_owned(), properties.into());
        }
    }
    if description.is_empty() && !fields.contains_key("properties") {
        description = "A value.".to_owned();
    }
    if !description.is_empty() {
        fields.insert("description".to_owned(), description.into());
    }
    json!(fields)
}
