//! The keywords of single values that every client takes; what they do not take becomes a part of the description.

use serde_json::{Map, Value};

use super::composed::Composed;
use super::wording;
use crate::schema::Rules;

/// The most values of an `enum` that are listed.
const MAX_VALUES: usize = 100;
/// The most characters of a default or of one value in a description.
const MAX_SHOWN: usize = 60;

/// Adds the keywords of a schema of one type.
pub(super) fn add(composed: &Composed, fields: &mut Map<String, Value>, description: &mut String) {
    let kind = fields
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    values(composed, &kind, fields, description);
    match kind.as_str() {
        "string" => text(composed, fields, description),
        "integer" | "number" => range(composed, &kind, fields, description),
        "array" => {
            count(composed, "minItems", fields);
            count(composed, "maxItems", fields);
        }
        _ => {}
    }
    default(composed, &kind, fields);
}

/// A file of Swagger 2.0.
pub(super) fn file(fields: &mut Map<String, Value>, description: &mut String) {
    fields.insert("type".to_owned(), "string".into());
    wording::and(description, "The bytes of a file in base64.");
}

/// `enum`: of texts where they are few, and in words otherwise.
fn values(
    composed: &Composed,
    kind: &str,
    fields: &mut Map<String, Value>,
    description: &mut String,
) {
    let Some(values) = composed.values.as_ref().filter(|it| !it.is_empty()) else {
        return;
    };
    let is_listed = kind == "string" && values.iter().all(Value::is_string);
    if is_listed && values.len() <= MAX_VALUES {
        fields.insert("enum".to_owned(), Value::Array(values.clone()));
        return;
    }
    let shown: Vec<String> = values.iter().take(20).filter_map(shown).collect();
    let more = if shown.len() < values.len() {
        ", …"
    } else {
        ""
    };
    let said = match values.len() {
        1 => format!("Always {}{more}.", shown.join("")),
        _ => format!("One of {}{more}.", shown.join(", ")),
    };
    wording::and(description, &said);
}

fn text(composed: &Composed, fields: &mut Map<String, Value>, description: &mut String) {
    match composed.text("format") {
        Some("date-time") => drop(fields.insert("format".to_owned(), "date-time".into())),
        Some("binary" | "byte") => wording::and(description, "In base64."),
        Some(format) if format.len() <= 30 => {
            wording::and(description, &format!("Format: {format}."))
        }
        _ => {}
    }
    count(composed, "minLength", fields);
    count(composed, "maxLength", fields);
    // A pattern that this server cannot check is not published.
    if let Some(pattern) = composed.text("pattern").filter(|it| it.len() <= 500) {
        let schema = serde_json::json!({"type": "string", "pattern": pattern});
        if Rules::of(&schema).1.is_empty() {
            fields.insert("pattern".to_owned(), pattern.into());
        }
    }
}

/// Bounds of a number: `exclusiveMinimum` is a flag in OpenAPI 3.0 and a number in 3.1, and few clients take either.
fn range(
    composed: &Composed,
    kind: &str,
    fields: &mut Map<String, Value>,
    description: &mut String,
) {
    for (keyword, exclusive, word, step) in [
        ("minimum", "exclusiveMinimum", "more", 1),
        ("maximum", "exclusiveMaximum", "less", -1),
    ] {
        let (bound, is_exclusive) = match (composed.rest.get(keyword), composed.rest.get(exclusive))
        {
            (Some(bound), Some(Value::Bool(true))) => (bound, true),
            (_, Some(bound @ Value::Number(_))) => (bound, true),
            (Some(bound), _) => (bound, false),
            (None, _) => continue,
        };
        if !bound.is_number() {
            continue;
        }
        let whole = bound.as_i64().and_then(|it| it.checked_add(step));
        match (is_exclusive, kind, whole) {
            (true, "integer", Some(bound)) => drop(fields.insert(keyword.to_owned(), bound.into())),
            (true, ..) => {
                fields.insert(keyword.to_owned(), bound.clone());
                wording::and(description, &format!("It is {word} than {bound}."));
            }
            (false, ..) => drop(fields.insert(keyword.to_owned(), bound.clone())),
        }
    }
}

fn count(composed: &Composed, keyword: &str, fields: &mut Map<String, Value>) {
    if let Some(count) = composed.rest.get(keyword).filter(|it| it.is_u64()) {
        fields.insert(keyword.to_owned(), count.clone());
    }
}

/// A default of the type; any other one is a mistake of the document.
fn default(composed: &Composed, kind: &str, fields: &mut Map<String, Value>) {
    let Some(default) = composed.rest.get("default") else {
        return;
    };
    let is_fit = match kind {
        "string" => default.is_string(),
        "integer" => default.is_i64() || default.is_u64(),
        "number" => default.is_number(),
        "boolean" => default.is_boolean(),
        _ => false,
    };
    let is_allowed = composed
        .values
        .as_ref()
        .is_none_or(|it| it.contains(default));
    if is_fit && is_allowed && shown(default).is_some() {
        fields.insert("default".to_owned(), default.clone());
    }
}

fn shown(value: &Value) -> Option<String> {
    let text = value.to_string();
    (text.len() <= MAX_SHOWN).then_some(text)
}
