//! The schema of a form: a flat object of texts, numbers, yes or no, and choices, which is all that clients show.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::schema;

/// What a field may say of itself (MCP `PrimitiveSchemaDefinition`, all revisions).
const KEYWORDS: [&str; 17] = [
    "type",
    "title",
    "description",
    "default",
    "enum",
    "enumNames",
    "oneOf",
    "const",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "anyOf",
    "minItems",
    "maxItems",
];

/// The form that is filled in to a `T`.
///
/// # Errors
/// `Internal` where a field of `T` is more than a form can hold.
pub fn form<T: JsonSchema>() -> Result<Value> {
    let mut whole = schema::input::<T>();
    let Some(Value::Object(mut fields)) = whole.get_mut("properties").map(Value::take) else {
        return Err(Error::internal("a form must be a struct"));
    };
    for (name, field) in &mut fields {
        choices_by_title(field);
        if !is_simple(field) {
            return Err(Error::internal(format!(
                "the form has a field `{name}` that is no text, number, yes or no, or choice of texts"
            )));
        }
        if let Some(field) = field.as_object_mut() {
            field.retain(|keyword, _| KEYWORDS.contains(&keyword.as_str()));
        }
    }
    let mut form = json!({ "type": "object", "properties": fields });
    if let Some(required) = whole.get("required") {
        form["required"] = required.clone();
    }
    Ok(form)
}

/// An enum whose variants have doc comments becomes a choice whose entries have titles.
fn choices_by_title(field: &mut Value) {
    let title = |choices: &mut Value| {
        for choice in choices.as_array_mut().into_iter().flatten() {
            let Some(choice) = choice.as_object_mut() else {
                continue;
            };
            let text = choice.remove("description").or(choice.remove("title"));
            let name = choice.get("const").cloned();
            choice.retain(|keyword, _| keyword == "const");
            choice.extend(text.or(name).map(|it| ("title".to_owned(), it)));
        }
    };
    let Some(fields) = field.as_object_mut() else {
        return;
    };
    if let Some(choices) = fields.get_mut("oneOf") {
        title(choices);
        fields.insert("type".to_owned(), "string".into());
    }
    if let Some(items) = fields.get_mut("items").and_then(Value::as_object_mut)
        && let Some(mut choices) = items.remove("oneOf").or(items.remove("anyOf"))
    {
        title(&mut choices);
        *items = Map::from_iter([("anyOf".to_owned(), choices)]);
    }
}

fn is_simple(field: &Value) -> bool {
    match field.get("type").and_then(Value::as_str) {
        Some("string" | "number" | "integer" | "boolean") => true,
        Some("array") => field.get("items").is_some_and(|items| {
            items.get("anyOf").is_some()
                || items.get("enum").is_some() && items.get("type").is_some_and(|it| it == "string")
        }),
        _ => false,
    }
}
