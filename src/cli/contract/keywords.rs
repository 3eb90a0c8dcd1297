//! The keywords of a schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::schema::{Gap, MAX_DEPTH, Pair};
use crate::schema;

/// Keywords that say nothing of which values are valid.
pub(super) const ANNOTATIONS: [&str; 14] = [
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "contentEncoding",
    "contentMediaType",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Every type.
const ALL: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// The keywords that say which values are valid.
pub(super) fn constraints(schema: &Map<String, Value>) -> Map<String, Value> {
    let is_meant = |it: &str| !ANNOTATIONS.contains(&it) && !it.starts_with("x-");
    let kept = schema.iter().filter(|it| is_meant(it.0));
    schema::object(kept.map(|(name, value)| (name.clone(), bare(name, value))))
}

/// The same without the annotations inside.
fn bare(keyword: &str, value: &Value) -> Value {
    let of = |it: &Value| match it {
        Value::Object(fields) => Value::Object(constraints(fields)),
        other => other.clone(),
    };
    match (keyword, value) {
        ("properties" | "patternProperties", Value::Object(schemas)) => {
            let schemas = schemas.iter();
            schema::object(schemas.map(|(name, it)| (name.clone(), of(it)))).into()
        }
        ("items" | "additionalProperties", it) => of(it),
        ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
            list.iter().map(of).collect()
        }
        ("required", Value::Array(names)) => {
            let names: BTreeSet<String> = names.iter().map(Value::to_string).collect();
            names.into_iter().collect()
        }
        (_, other) => other.clone(),
    }
}

/// The schema that is referred to, with what stands beside the reference.
pub(super) fn resolved<'v>(schema: &'v Value, document: &'v Value) -> Option<&'v Value> {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => schema = document.pointer(reference.strip_prefix('#')?)?,
            None => return Some(schema),
        }
    }
    None
}

/// One form of a schema with what all forms have; a keyword that both have is combined.
pub(super) fn merged(rest: &Map<String, Value>, choice: &Value, document: &Value) -> Value {
    let choice = resolved(choice, document).unwrap_or(choice);
    let Value::Object(fields) = choice else {
        return match choice {
            Value::Bool(false) => Value::Bool(false),
            _ => Value::Object(rest.clone()),
        };
    };
    let mut merged = rest.clone();
    for (keyword, value) in fields {
        match (keyword.as_str(), merged.get_mut(keyword), value) {
            (_, None, _) => drop(merged.insert(keyword.clone(), value.clone())),
            ("properties", Some(Value::Object(into)), Value::Object(from)) => {
                into.extend(from.clone());
            }
            ("required", Some(Value::Array(into)), Value::Array(from)) => into.extend(from.clone()),
            (_, Some(own), value) if *own == *value => {}
            // What the form says is narrower than what both say or as narrow.
            (_, Some(own), value) => *own = value.clone(),
        }
    }
    Value::Object(merged)
}

pub(super) fn values(schema: &Map<String, Value>) -> Option<Vec<Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => Some(vec![only.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    }
}

/// The types of a schema; all of them where it names none.
pub(super) fn types(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let mut types: BTreeSet<&str> = match schema.get("type") {
        Some(Value::String(one)) => [one.as_str()].into(),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => ALL.into(),
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        types.insert("null");
    }
    types
}

pub(super) fn types_of(schema: &Value) -> BTreeSet<&str> {
    match schema {
        Value::Object(fields) => types(fields),
        _ => ALL.into(),
    }
}

pub(super) fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The keywords of the outer schema that the inner one does not have with the same value.
pub(super) fn equal(pair: &Pair<'_>, keywords: &[&str]) -> Vec<Gap> {
    let shown = |it: Option<&Value>, keyword: &str| match it {
        Some(value) => format!("{keyword} {value}"),
        None => format!("any {keyword}"),
    };
    let keywords = keywords.iter();
    let gaps = keywords.filter_map(|keyword| {
        let wanted = pair.outer.get(*keyword)?;
        let own = pair.inner.get(*keyword);
        let told = || pair.gap(shown(own, keyword), shown(Some(wanted), keyword));
        (own != Some(wanted)).then(told)
    });
    gaps.collect()
}

pub(super) fn listed(types: &BTreeSet<&str>) -> String {
    match types.len() {
        7 => "any type".to_owned(),
        _ => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}
