//! Schemas of several forms.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::keywords::types;

/// The forms of a schema, and what all of them have in common.
pub(super) fn branches(schema: &Map<String, Value>) -> Option<(Map<String, Value>, Vec<Value>)> {
    let mut rest = schema.clone();
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = rest.remove(keyword) {
            return Some((rest, choices));
        }
    }
    let several = match schema.get("type") {
        Some(Value::Array(several)) => several.len() > 1,
        Some(Value::String(_)) => schema.get("nullable") == Some(&Value::Bool(true)),
        _ => false,
    };
    if !several {
        return None;
    }
    let choices = types(schema)
        .into_iter()
        .map(|it| json!({ "type": it }))
        .collect();
    rest.remove("type");
    rest.remove("nullable");
    Some((rest, choices))
}

/// Whether it is certain that no value fits both schemas.
pub(super) fn is_apart(one: &Value, other: &Value) -> bool {
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        return *one == Value::Bool(false) || *other == Value::Bool(false);
    };
    if let (Some(own), Some(others)) = (fixed(one), fixed(other)) {
        return own.is_disjoint(&others);
    }
    let (own, others) = (all_types(one), all_types(other));
    if own.is_disjoint(&others) {
        return true;
    }
    if own.len() > 1 || own != ["object"].into() || others != own {
        return false;
    }
    // Two objects with the same required field, whose values differ.
    let property = |it: &Map<String, Value>, name: &str| it.get("properties")?.get(name).cloned();
    let required = one.get("required").and_then(Value::as_array);
    let mut names = required.into_iter().flatten().filter_map(Value::as_str);
    let is_required = |name: &str| {
        let required = other.get("required").and_then(Value::as_array);
        required.is_some_and(|it| it.iter().any(|it| it == name))
    };
    names.any(|name| {
        let both = property(one, name).zip(property(other, name));
        is_required(name) && both.is_some_and(|(one, other)| is_apart(&one, &other))
    })
}

/// The only values of a schema, as texts.
fn fixed(schema: &Map<String, Value>) -> Option<BTreeSet<String>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => Some([only.to_string()].into()),
        (None, Some(Value::Array(values))) => Some(values.iter().map(Value::to_string).collect()),
        _ => None,
    }
}

/// The types of a schema, where an integer is a number.
fn all_types(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let types = types(schema).into_iter();
    types
        .map(|it| if it == "integer" { "number" } else { it })
        .collect()
}
