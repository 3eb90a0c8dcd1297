//! Arrays in the place of objects: serde takes one for the fields of a struct in their order, which no schema says.

use std::sync::LazyLock;

use serde_json::Value;

use crate::error::{Error, Result};

/// Refuses arguments in which an array stands where the schema says object. The schema is made only for arguments that
/// hold an array: most calls have no use for it.
///
/// # Errors
/// `InvalidArgument` with the path of the first such array.
pub(super) fn check(schema: &LazyLock<Value>, arguments: &str) -> Result<()> {
    if !arguments.contains('[') {
        return Ok(());
    }
    // What is no object at all is refused by whoever decodes it.
    let Ok(value @ Value::Object(_)) = serde_json::from_str(arguments) else {
        return Ok(());
    };
    match misplaced(schema, &value) {
        Some(path) => Err(Error::invalid_argument(
            path,
            "expected a JSON object, got an array",
        )),
        None => Ok(()),
    }
}

/// The path of an array that stands where the schema says object. Types that contain themselves are refused at the start,
/// so no schema refers to another.
fn misplaced(schema: &Value, value: &Value) -> Option<String> {
    let inside = match value {
        Value::Array(_) if has_type(schema, "object") && !has_type(schema, "array") => {
            return Some(String::new());
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(place, item)| {
            let first = schema.get("prefixItems").and_then(|it| it.get(place));
            let path = misplaced(first.or_else(|| schema.get("items"))?, item)?;
            Some(join(format!("[{place}]"), &path))
        }),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            let known = schema.get("properties").and_then(|it| it.get(name));
            let schema = known.or_else(|| schema.get("additionalProperties"))?;
            let path = misplaced(schema, field)?;
            Some(join(name.clone(), &path))
        }),
        _ => return None,
    };
    inside
        .or_else(|| choices(schema, "allOf").find_map(|it| misplaced(it, value)))
        .or_else(|| among(choices(schema, "anyOf"), value))
        .or_else(|| among(choices(schema, "oneOf"), value))
}

/// The same of a choice of schemas: none of those that the value may be meant for has it in its place.
fn among<'s>(choices: impl Iterator<Item = &'s Value>, value: &Value) -> Option<String> {
    let mut meant = choices.filter(|it| is_meant(it, value));
    let first = misplaced(meant.next()?, value)?;
    meant
        .all(|it| misplaced(it, value).is_some())
        .then_some(first)
}

/// Whether serde could take the value for one of this schema, by its type and its tags.
fn is_meant(schema: &Value, value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return schema.get("type").is_none()
            || has_type(schema, "array")
            || has_type(schema, "object");
    };
    let mut required = choices(schema, "required").filter_map(Value::as_str);
    let mut properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let is_object = schema.get("type").is_none() || has_type(schema, "object");
    let fits = |(name, schema): (&String, &Value)| match (schema.get("const"), fields.get(name)) {
        (Some(tag), Some(field)) => tag == field,
        _ => true,
    };
    is_object && required.all(|name| fields.contains_key(name)) && properties.all(fits)
}

fn choices<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = &'s Value> {
    let choices = schema.get(key).and_then(Value::as_array);
    choices.into_iter().flatten()
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|it| it == name),
        Some(only) => only == name,
        None => false,
    }
}

fn join(step: String, path: &str) -> String {
    match path.is_empty() || path.starts_with('[') {
        true => step + path,
        false => format!("{step}.{path}"),
    }
}
