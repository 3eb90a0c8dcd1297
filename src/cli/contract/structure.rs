//! Lists and objects of two schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::keywords::{listed, required, types_of};
use super::number;
use super::schema::{Compared, Gap};

impl Compared<'_> {
    pub(super) fn arrays(
        &self,
        place: &str,
        inner: &Map<String, Value>,
        outer: &Map<String, Value>,
        depth: usize,
    ) -> Vec<Gap> {
        let mut found = number::lengths(place, inner, outer, "minItems", "maxItems");
        let is_unique = |it: &Map<String, Value>| it.get("uniqueItems") == Some(&Value::Bool(true));
        if is_unique(outer) && !is_unique(inner) {
            found.push(Gap {
                place: place.to_owned(),
                inner: "items that may be equal".to_owned(),
                outer: "unique items".to_owned(),
            });
        }
        let first = |it: &Map<String, Value>| -> Vec<Value> {
            it.get("prefixItems")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let (own, other) = (first(inner), first(outer));
        let rest = |it: &Map<String, Value>| it.get("items").cloned().unwrap_or(Value::Bool(true));
        for index in 0..own.len().max(other.len()) {
            let item = |list: &[Value], of: &Map<String, Value>| {
                list.get(index).cloned().unwrap_or_else(|| rest(of))
            };
            found.extend(self.at(
                &format!("{place}[{index}]"),
                &item(&own, inner),
                &item(&other, outer),
                depth + 1,
            ));
        }
        found.extend(self.at(&format!("{place}[]"), &rest(inner), &rest(outer), depth + 1));
        found
    }

    pub(super) fn fields(
        &self,
        place: &str,
        inner: &Map<String, Value>,
        outer: &Map<String, Value>,
        depth: usize,
    ) -> Vec<Gap> {
        let below = |name: &str| match place {
            "" => name.to_owned(),
            _ => format!("{place}.{name}"),
        };
        let mut found = number::lengths(place, inner, outer, "minProperties", "maxProperties");
        let (own, other) = (required(inner), required(outer));
        for name in other.difference(&own) {
            found.push(Gap {
                place: below(name),
                inner: "optional or absent".to_owned(),
                outer: "required".to_owned(),
            });
        }
        let properties = |it: &Map<String, Value>| -> Map<String, Value> {
            it.get("properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let (own, other) = (properties(inner), properties(outer));
        let rest = |it: &Map<String, Value>| {
            it.get("additionalProperties")
                .cloned()
                .unwrap_or(Value::Bool(true))
        };
        // Fields that a pattern describes are not among the additional ones.
        let patterns = inner.get("patternProperties");
        let own_rest = match patterns.is_none() || patterns == outer.get("patternProperties") {
            true => rest(inner),
            false => Value::Bool(true),
        };
        let other_rest = rest(outer);
        for name in own.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
            let (one, two) = (
                own.get(name).unwrap_or(&own_rest),
                other.get(name).unwrap_or(&other_rest),
            );
            if *one == Value::Bool(false) {
                continue;
            }
            if !own.contains_key(name) && types_of(one).len() == 7 && types_of(two).len() < 7 {
                found.push(Gap {
                    place: below(name),
                    inner: "not described".to_owned(),
                    outer: listed(&types_of(two)),
                });
                continue;
            }
            if *two == Value::Bool(false) {
                found.push(Gap {
                    place: below(name),
                    inner: "a field".to_owned(),
                    outer: "no such field".to_owned(),
                });
                continue;
            }
            found.extend(self.at(&below(name), one, two, depth + 1));
        }
        found.extend(self.at(&below("*"), &own_rest, &other_rest, depth + 1));
        found
    }
}
