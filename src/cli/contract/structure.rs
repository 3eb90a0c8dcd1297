//! Lists and objects of two schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::keywords::{listed, required, types_of};
use super::number;
use super::schema::{Compared, Gap, Pair};

impl Compared<'_> {
    pub(super) fn arrays(&self, pair: &Pair<'_>) -> Vec<Gap> {
        let mut found = number::lengths(pair, "minItems", "maxItems");
        let is_unique = |it: &Map<String, Value>| it.get("uniqueItems") == Some(&Value::Bool(true));
        if is_unique(pair.outer) && !is_unique(pair.inner) {
            found.push(pair.gap("items that may be equal", "unique items"));
        }
        let first = |it: &Map<String, Value>| -> Vec<Value> {
            let items = it.get("prefixItems").and_then(Value::as_array);
            items.cloned().unwrap_or_default()
        };
        let (own, other) = (first(pair.inner), first(pair.outer));
        let (own_rest, other_rest) = (rest(pair.inner, "items"), rest(pair.outer, "items"));
        let mut compare = |place: &str, one: &Value, two: &Value| {
            found.extend(self.at(&format!("{}{place}", pair.place), one, two, pair.depth + 1));
        };
        for index in 0..own.len().max(other.len()) {
            let one = own.get(index).unwrap_or(&own_rest);
            let two = other.get(index).unwrap_or(&other_rest);
            compare(&format!("[{index}]"), one, two);
        }
        compare("[]", &own_rest, &other_rest);
        found
    }

    pub(super) fn fields(&self, pair: &Pair<'_>) -> Vec<Gap> {
        let below = |name: &str| match pair.place {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        };
        let gap = |name: &str, inner: &str, outer: &str| Gap {
            place: below(name),
            ..pair.gap(inner, outer)
        };
        let mut found = number::lengths(pair, "minProperties", "maxProperties");
        let (own, other) = (required(pair.inner), required(pair.outer));
        let missing = other.difference(&own);
        found.extend(missing.map(|it| gap(it, "optional or absent", "required")));
        let properties = |it: &Map<String, Value>| -> Map<String, Value> {
            let fields = it.get("properties").and_then(Value::as_object);
            fields.cloned().unwrap_or_default()
        };
        let (own, other) = (properties(pair.inner), properties(pair.outer));
        // Fields that a pattern describes are not among the additional ones.
        let patterns = pair.inner.get("patternProperties");
        let own_rest = match patterns.is_none() || patterns == pair.outer.get("patternProperties") {
            true => rest(pair.inner, "additionalProperties"),
            false => Value::Bool(true),
        };
        let other_rest = rest(pair.outer, "additionalProperties");
        for name in own.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
            let one = own.get(name).unwrap_or(&own_rest);
            let two = other.get(name).unwrap_or(&other_rest);
            let wanted = types_of(two);
            let is_described = own.contains_key(name) || types_of(one).len() < 7;
            if *one == Value::Bool(false) {
                continue;
            } else if !is_described && wanted.len() < 7 {
                found.push(gap(name, "not described", &listed(&wanted)));
            } else if *two == Value::Bool(false) {
                found.push(gap(name, "a field", "no such field"));
            } else {
                found.extend(self.at(&below(name), one, two, pair.depth + 1));
            }
        }
        found.extend(self.at(&below("*"), &own_rest, &other_rest, pair.depth + 1));
        found
    }
}

/// The schema of the items or fields that are not listed.
fn rest(schema: &Map<String, Value>, keyword: &str) -> Value {
    schema.get(keyword).cloned().unwrap_or(Value::Bool(true))
}
