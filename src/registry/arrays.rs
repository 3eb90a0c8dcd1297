//! Refuses arrays in place of objects: serde reads an array as the fields of a struct in order, which no schema allows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Refuses arguments with an array where the schema requires an object. The schema is needed only for arguments that
/// contain an array.
///
/// Values under a `#[serde(alias)]`, which no schema shows, are not checked. Text that is not JSON passes: decoding it
/// fails with a better message.
///
/// # Errors
/// `InvalidArgument` with the path of the first such array.
pub(super) fn check(schema: &LazyLock<Value>, arguments: &str) -> Result<()> {
    if !arguments.contains('[') {
        return Ok(());
    }
    // Decoding refuses arguments that are not an object.
    let Ok(fields) = serde_json::from_str(arguments) else {
        return Ok(());
    };
    match misplaced(schema, &Part::Object(fields)) {
        Some(path) => Err(Error::invalid_argument(
            path,
            "expected a JSON object, got an array",
        )),
        None => Ok(()),
    }
}

/// A part of the arguments, parsed one level deep, so that neither its depth nor its content costs anything.
enum Part<'a> {
    Array(Vec<&'a RawValue>),
    Object(BTreeMap<String, &'a RawValue>),
    Other,
}

impl<'a> Part<'a> {
    /// Parses nothing if the schema does not describe the content.
    fn read(schema: &Value, raw: &'a RawValue) -> Part<'a> {
        let has = |key: &&str| schema.get(key).is_some_and(|it| !it.is_boolean());
        let any = |keys: &[&str]| keys.iter().chain(&["allOf", "anyOf", "oneOf"]).any(has);
        let text = raw.get();
        let read = match text.as_bytes().first() {
            Some(b'[') if any(&["prefixItems", "items"]) => {
                serde_json::from_str(text).map(Part::Array)
            }
            Some(b'[') => Ok(Part::Array(Vec::new())),
            Some(b'{') if any(&["properties", "patternProperties", "additionalProperties"]) => {
                serde_json::from_str(text).map(Part::Object)
            }
            _ => Ok(Part::Other),
        };
        read.unwrap_or(Part::Other)
    }
}

/// The path of an array where the schema requires an object. Recursive types are refused at start, so no schema refers
/// to another.
fn misplaced(schema: &Value, part: &Part) -> Option<String> {
    let inside = match part {
        Part::Array(_) if has_type(schema, "object") && !has_type(schema, "array") => {
            return Some(String::new());
        }
        Part::Array(items) => items.iter().enumerate().find_map(|(place, item)| {
            let first = schema.get("prefixItems").and_then(|it| it.get(place));
            let path = misplaced_in(first.or_else(|| schema.get("items"))?, item)?;
            Some(join(format!("[{place}]"), &path))
        }),
        Part::Object(fields) => fields.iter().find_map(|(name, field)| {
            let known = schema.get("properties").and_then(|it| it.get(name));
            let path = match known {
                Some(schema) => misplaced_in(schema, field),
                None => in_each(others(schema).map(|it| misplaced_in(it, field))),
            };
            Some(join(name.clone(), &path?))
        }),
        Part::Other => return None,
    };
    inside
        .or_else(|| choices(schema, "allOf").find_map(|it| misplaced(it, part)))
        .or_else(|| among(schema, "anyOf", part))
        .or_else(|| among(schema, "oneOf", part))
}

fn misplaced_in(schema: &Value, raw: &RawValue) -> Option<String> {
    misplaced(schema, &Part::read(schema, raw))
}

/// The path of a misplaced array inside `anyOf` or `oneOf`: an array counts only if it is misplaced in every
/// alternative that the value may match.
fn among(schema: &Value, key: &str, part: &Part) -> Option<String> {
    let meant = choices(schema, key).filter(|it| is_meant(it, part));
    in_each(meant.map(|it| misplaced(it, part)))
}

/// The first path, if every alternative has one.
fn in_each(mut paths: impl Iterator<Item = Option<String>>) -> Option<String> {
    let first = paths.next()??;
    paths.all(|it| it.is_some()).then_some(first)
}

/// Whether the value may match the schema, judged by its type and tags.
fn is_meant(schema: &Value, part: &Part) -> bool {
    let Part::Object(fields) = part else {
        return schema.get("type").is_none()
            || has_type(schema, "array")
            || has_type(schema, "object");
    };
    let mut required = choices(schema, "required").filter_map(Value::as_str);
    let mut properties = schemas(schema, "properties");
    let is_object = schema.get("type").is_none() || has_type(schema, "object");
    let fits = |(name, schema): (&String, &Value)| match (schema.get("const"), fields.get(name)) {
        (Some(Value::String(tag)), Some(field)) => {
            serde_json::from_str::<String>(field.get()).is_ok_and(|it| it == *tag)
        }
        _ => true,
    };
    is_object && required.all(|name| fields.contains_key(name)) && properties.all(fits)
}

/// The schemas of a field that has none of its own. Which pattern its name matches is not checked.
fn others(schema: &Value) -> impl Iterator<Item = &Value> {
    let patterns = schemas(schema, "patternProperties").map(|it| it.1);
    let rest = schema.get("additionalProperties");
    patterns.chain(rest.filter(|it| !it.is_boolean()))
}

fn schemas<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = (&'s String, &'s Value)> {
    let schemas = schema.get(key).and_then(Value::as_object);
    schemas.into_iter().flatten()
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
