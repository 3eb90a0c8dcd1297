//! The body of an operation: its media type, and the arguments that it is made of.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::composed::Composed;
use super::library::{Library, Node};
use super::media::{self, Media};
use super::parameter;

/// The body of an operation.
pub(super) struct Body {
    pub(super) media: Media,
    pub(super) media_type: String,
    pub(super) is_required: bool,
    pub(super) description: Option<String>,
    pub(super) shape: Shape,
}

/// What arguments a body has.
pub(super) enum Shape {
    /// One for each field.
    Fields(Vec<Field>),
    /// One for all of it.
    Whole(Node),
}

/// A field of a body.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) schema: Node,
    /// The media type of a part of a form with several parts.
    pub(super) media_type: Option<String>,
}

/// The body of an operation of OpenAPI 3.
///
/// # Errors
/// It cannot be read.
pub(super) fn of_operation(library: &Library, operation: &Node) -> Result<Option<Body>, String> {
    let Some(request) = library.get(operation, "requestBody")? else {
        return Ok(None);
    };
    let contents = request.value.get("content").and_then(Value::as_object);
    let Some(contents) = contents.filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let Some((media_type, media)) = media::best(contents.keys()) else {
        return Ok(None);
    };
    let content = &contents[media_type];
    let schema = content.get("schema").cloned().unwrap_or_else(|| json!({}));
    let schema = Node {
        file: request.file,
        value: Rc::new(schema),
    };
    let encodings = content.get("encoding").and_then(Value::as_object);
    let mut body = of_schema(library, schema, media);
    if let Shape::Fields(fields) = &mut body {
        for field in fields {
            let encoding =
                encodings.and_then(|it| it.get(&field.name)?.get("contentType")?.as_str());
            field.media_type = encoding
                .and_then(|it| it.split(',').next())
                .map(|it| it.trim().to_owned());
        }
    }
    Ok(Some(Body {
        media,
        media_type: media::concrete(media_type).to_owned(),
        is_required: request.value.get("required") == Some(&Value::Bool(true)),
        description: request
            .value
            .get("description")
            .and_then(Value::as_str)
            .map(str::to_owned),
        shape: body,
    }))
}

/// The body of an operation of Swagger 2.0: a parameter `body`, or those of a form.
///
/// # Errors
/// It cannot be read.
pub(super) fn of_parameters(
    library: &Library,
    parameters: &[Node],
    consumes: &[String],
) -> Result<Option<Body>, String> {
    let is_body = |it: &&Node| it.value.get("in").is_some_and(|it| it == "body");
    if let Some(parameter) = parameters.iter().find(is_body) {
        let (media_type, media) = media::best(consumes.iter())
            .filter(|it| !matches!(it.1, Media::Form | Media::Multipart))
            .map_or(("application/json", Media::Json), |it| {
                (it.0.as_str(), it.1)
            });
        let schema = library.get(parameter, "schema")?;
        let schema = schema.unwrap_or_else(|| Node {
            file: parameter.file,
            value: Rc::new(json!({})),
        });
        return Ok(Some(Body {
            media,
            media_type: media::concrete(media_type).to_owned(),
            is_required: parameter.value.get("required") == Some(&Value::Bool(true)),
            description: parameter
                .value
                .get("description")
                .and_then(Value::as_str)
                .map(str::to_owned),
            shape: of_schema(library, schema, media),
        }));
    }
    if parameters.is_empty() {
        return Ok(None);
    }
    let is_file = |it: &Node| it.value.get("type").is_some_and(|it| it == "file");
    let is_multipart = parameters.iter().any(is_file)
        || consumes.iter().any(|it| Media::of(it) == Media::Multipart);
    let fields = parameters.iter().map(|it| {
        let name = it.value.get("name").and_then(Value::as_str);
        let mut schema = parameter::own_schema(&it.value);
        if let (Some(fields), Some(description)) =
            (schema.as_object_mut(), it.value.get("description"))
        {
            fields.insert("description".to_owned(), description.clone());
        }
        Ok(Field {
            name: name.ok_or("one of its parameters has no name")?.to_owned(),
            is_required: it.value.get("required") == Some(&Value::Bool(true)),
            schema: Node {
                file: it.file,
                value: Rc::new(schema),
            },
            media_type: None,
        })
    });
    let fields: Result<Vec<Field>, String> = fields.collect();
    let (media, media_type) = match is_multipart {
        true => (Media::Multipart, "multipart/form-data"),
        false => (Media::Form, "application/x-www-form-urlencoded"),
    };
    Ok(Some(Body {
        media,
        media_type: media_type.to_owned(),
        is_required: true,
        description: None,
        shape: Shape::Fields(fields?),
    }))
}

/// An object has an argument for each field, unless it may have fields that it does not name.
fn of_schema(library: &Library, schema: Node, media: Media) -> Shape {
    match media {
        Media::Text => return Shape::Whole(text("The text of the body.")),
        Media::Bytes => return Shape::Whole(text("The bytes of the body in base64.")),
        Media::Json | Media::Form | Media::Multipart => {}
    }
    let composed = Composed::of(library, &schema, &[]);
    let is_form = media != Media::Json;
    let is_open = composed.additional.is_some() || composed.properties.is_empty();
    if !composed.choices.is_empty() {
        return choice(library, &composed).map_or(Shape::Whole(schema), Shape::Fields);
    }
    if composed.kind.as_deref() != Some("object") || (is_open && !is_form) || composed.is_nullable {
        return Shape::Whole(schema);
    }
    Shape::Fields(fields(library, &composed))
}

fn fields(library: &Library, composed: &Composed) -> Vec<Field> {
    let properties = composed.properties.iter();
    let properties = properties.filter(|(_, schema)| {
        let inner = Composed::of(library, schema, &composed.references);
        !inner.flag("readOnly")
    });
    let fields = properties.map(|(name, schema)| Field {
        name: name.clone(),
        is_required: composed.required.contains(name),
        schema: schema.clone(),
        media_type: None,
    });
    fields.collect()
}

/// The fields of a choice between objects: all of them, of which those are required that every object requires. `None`
/// where a member is not an object, or where a field has several schemas.
fn choice(library: &Library, composed: &Composed) -> Option<Vec<Field>> {
    let mut found: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    let members = super::choice::members(library, composed, &composed.references);
    for member in &members {
        let member = Composed::of(library, member, &[]);
        let is_plain = member.kind.as_deref() == Some("object")
            && member.choices.is_empty()
            && member.additional.is_none()
            && !member.properties.is_empty();
        if !is_plain {
            return None;
        }
        for field in fields(library, &member) {
            found.entry(field.name.clone()).or_default().push(field);
        }
    }
    let total = members.len();
    let merged = found.into_values().map(|mut same| {
        let is_required = same.len() == total && same.iter().all(|it| it.is_required);
        let mut schemas: Vec<Node> = Vec::new();
        for field in &same {
            if !schemas
                .iter()
                .any(|it| it.file == field.schema.file && it.value == field.schema.value)
            {
                schemas.push(field.schema.clone());
            }
        }
        let mut field = same.swap_remove(0);
        field.is_required = is_required;
        if schemas.len() > 1 {
            let file = schemas[0].file;
            if schemas.iter().any(|it| it.file != file) {
                return None;
            }
            field.schema = merged_values(library, &schemas, file);
        }
        Some(field)
    });
    merged.collect()
}

/// One schema of several for the same field: the values of all, or a choice.
fn merged_values(library: &Library, schemas: &[Node], file: usize) -> Node {
    let composed: Vec<Composed> = schemas
        .iter()
        .map(|it| Composed::of(library, it, &[]))
        .collect();
    let values: Option<Vec<&Vec<Value>>> = composed.iter().map(|it| it.values.as_ref()).collect();
    let value = match values {
        Some(lists) => {
            let mut values: Vec<&Value> = Vec::new();
            for value in lists.into_iter().flatten() {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            json!({ "enum": values })
        }
        None => {
            let members: Vec<&Value> = schemas.iter().map(|it| &*it.value).collect();
            json!({ "anyOf": members })
        }
    };
    Node {
        file,
        value: Rc::new(value),
    }
}

fn text(description: &str) -> Node {
    Node {
        file: 0,
        value: Rc::new(json!({"type": "string", "description": description})),
    }
}
