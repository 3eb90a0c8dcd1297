//! The schema of a form: a flat object of texts, numbers, booleans and choices, which is all that clients can show.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::schema;

/// The JSON Schema keywords that a field of a form may have (MCP `PrimitiveSchemaDefinition`, all revisions).
const KEYWORDS: [&str; 11] = [
    "type",
    "title",
    "description",
    "default",
    "enumNames",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
];

/// The text formats that clients know.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// The form whose fields make a `T`.
///
/// # Errors
/// `Internal` where `T` has a field that a form cannot have.
pub fn form<T: JsonSchema>() -> Result<Value> {
    let mut whole = schema::input::<T>();
    let Some(Value::Object(mut fields)) = whole.get_mut("properties").map(Value::take) else {
        return Err(Error::internal("a form must be a struct"));
    };
    for (name, field) in &mut fields {
        *field = simple(field).ok_or_else(|| {
            Error::internal(format!(
                "the field `{name}` of the form must be a text, a number, a boolean or a choice of texts"
            ))
        })?;
    }
    let mut form = json!({ "type": "object", "properties": fields });
    if let Some(required) = whole.get("required") {
        form["required"] = required.clone();
    }
    Ok(form)
}

/// The field in the form that clients know; `None` where it has no such form.
fn simple(schema: &Value) -> Option<Value> {
    let fields = schema.as_object()?;
    let known = fields.iter().filter(|it| KEYWORDS.contains(&it.0.as_str()));
    let known = known.map(|(keyword, value)| (keyword.clone(), value.clone()));
    let mut field = schema::object(known);
    match fields.get("type").and_then(Value::as_str) {
        Some("string") => {
            let format = fields.get("format").filter(|it| is_format(it));
            field.extend(format.map(|it| ("format".to_owned(), it.clone())));
            if let Some(choices) = fields.get("enum") {
                field.insert("enum".to_owned(), texts(choices)?.into());
            }
        }
        Some("number" | "integer" | "boolean") => {}
        Some("array") => {
            let items = fields.get("items")?;
            let choices = match items.get("enum") {
                Some(choices) => json!({ "type": "string", "enum": texts(choices)? }),
                None => json!({ "anyOf": titled(items.get("oneOf")?)? }),
            };
            field.insert("items".to_owned(), choices);
        }
        _ => {
            field.insert("type".to_owned(), "string".into());
            field.insert("oneOf".to_owned(), titled(fields.get("oneOf")?)?.into());
        }
    }
    Some(field.into())
}

fn is_format(format: &Value) -> bool {
    format.as_str().is_some_and(|it| FORMATS.contains(&it))
}

/// The values of an enum, if all are texts.
fn texts(choices: &Value) -> Option<Vec<Value>> {
    let choices = choices.as_array()?;
    choices
        .iter()
        .all(Value::is_string)
        .then(|| choices.clone())
}

/// The values of an enum with their doc comments, which are shown to the user. Variants without a doc comment share one
/// schema, so they come as a list.
fn titled(variants: &Value) -> Option<Vec<Value>> {
    let mut entries = Vec::new();
    for variant in variants.as_array()? {
        let title = variant.get("title").or(variant.get("description"));
        let names = match (variant.get("const"), variant.get("enum")) {
            (Some(name), _) => texts(&json!([name]))?,
            (None, names) => texts(names?)?,
        };
        let entry = |name: Value| json!({ "title": title.unwrap_or(&name), "const": name });
        entries.extend(names.into_iter().map(entry));
    }
    Some(entries)
}
