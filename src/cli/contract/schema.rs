//! Whether every value of one JSON Schema is also a value of another.
//!
//! What cannot be shown is reported: a contract is never said to be kept where it may be broken.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::keywords::{
    self, ANNOTATIONS, constraints, equal, listed, merged, resolved, types, values,
};
use super::number;
use super::union::{branches, is_apart};
use crate::schema::Rules;

/// The most schemas that are compared one inside the other. A schema that contains itself is then the same again.
pub(super) const MAX_DEPTH: usize = 64;

/// The most pairs of schemas that are compared.
const MAX_PAIRS: u32 = 200_000;

/// Keywords that are compared one by one.
const COMPARED: [&str; 22] = [
    "$ref",
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "prefixItems",
    "properties",
    "required",
    "additionalProperties",
    "nullable",
];

/// Keywords that combine schemas, which are compared too.
const COMBINED: [&str; 5] = ["anyOf", "oneOf", "allOf", "minProperties", "maxProperties"];

/// A place where the inner schema allows values that the outer one does not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gap {
    pub(super) place: String,
    /// What the inner schema has there, and the outer one.
    pub(super) inner: String,
    pub(super) outer: String,
}

/// Two schemas at one place.
pub(super) struct Pair<'p> {
    pub(super) place: &'p str,
    pub(super) inner: &'p Map<String, Value>,
    pub(super) outer: &'p Map<String, Value>,
    /// In how many schemas they stand.
    pub(super) depth: usize,
}

impl Pair<'_> {
    pub(super) fn gap(&self, inner: impl Into<String>, outer: impl Into<String>) -> Gap {
        Gap {
            place: self.place.to_owned(),
            inner: inner.into(),
            outer: outer.into(),
        }
    }
}

/// Two documents whose schemas are compared.
pub(super) struct Compared<'s> {
    pub(super) inner: &'s Value,
    pub(super) outer: &'s Value,
    left: Cell<u32>,
}

impl<'s> Compared<'s> {
    pub(super) fn new(inner: &'s Value, outer: &'s Value) -> Compared<'s> {
        let left = Cell::new(MAX_PAIRS);
        Compared { inner, outer, left }
    }

    /// The places where a value of the inner schema may not be one of the outer.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.at("", self.inner, self.outer, 0);
        gaps.dedup();
        gaps
    }

    pub(super) fn at(&self, place: &str, inner: &Value, outer: &Value, depth: usize) -> Vec<Gap> {
        let gap = |inner: &str, outer: &str| {
            vec![Gap {
                place: place.to_owned(),
                inner: inner.to_owned(),
                outer: outer.to_owned(),
            }]
        };
        let (Some(inner), Some(outer)) = (resolved(inner, self.inner), resolved(outer, self.outer))
        else {
            return gap("a reference that leads nowhere", "a schema");
        };
        if *outer == Value::Bool(false) && *inner != Value::Bool(false) {
            return gap("a value", "nothing");
        }
        let empty = Map::new();
        let (own, other) = (
            inner.as_object().unwrap_or(&empty),
            outer.as_object().unwrap_or(&empty),
        );
        if *inner == Value::Bool(false)
            || constraints(own) == constraints(other) && self.is_same(inner, outer)
        {
            return Vec::new();
        }
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return gap("a schema", "one that is too large to be compared"),
        }
        self.objects(&Pair {
            place,
            inner: own,
            outer: other,
            depth,
        })
    }

    /// Equal texts mean equal schemas where neither refers to others, or both documents are equal.
    fn is_same(&self, inner: &Value, outer: &Value) -> bool {
        let refers = |it: &Value| it.to_string().contains("\"$ref\"");
        self.inner == self.outer || !refers(inner) && !refers(outer)
    }

    fn objects(&self, pair: &Pair<'_>) -> Vec<Gap> {
        let Pair { inner, outer, .. } = *pair;
        if let Some(values) = values(inner) {
            return self.values(pair, &values);
        }
        let form_fits = |form: Value| {
            let outer = Value::Object(outer.clone());
            self.at(pair.place, &form, &outer, pair.depth + 1)
        };
        if let Some(parts) = inner.get("allOf").and_then(Value::as_array) {
            let mut form = inner.clone();
            form.remove("allOf");
            let form = parts
                .iter()
                .fold(Value::Object(form), |form, part| match form {
                    Value::Object(fields) => merged(&fields, part, self.inner),
                    never => never,
                });
            return form_fits(form);
        }
        if let Some((rest, choices)) = branches(inner) {
            // Each form of the inner schema on its own.
            let forms = choices
                .iter()
                .map(|choice| merged(&rest, choice, self.inner));
            return forms.flat_map(form_fits).collect();
        }
        let mut found = self.combined(pair);
        found.extend(unknown(pair));
        let types = types(inner);
        if let Some(wanted) = outer.get("type").map(|_| keywords::types(outer)) {
            let missing: Vec<&str> = types.difference(&wanted).copied().collect();
            let missing = missing
                .iter()
                .filter(|it| **it != "integer" || !wanted.contains("number"));
            if missing.count() > 0 {
                found.push(pair.gap(listed(&types), listed(&wanted)));
                return found;
            }
        }
        if let Some(values) = values(outer) {
            found.push(pair.gap("other values too", format!("only {}", Value::from(values))));
        }
        let has = |names: &[&str]| names.iter().any(|it| types.contains(it));
        if has(&["number", "integer"]) {
            found.extend(number::gaps(pair));
        }
        if has(&["string"]) {
            found.extend(number::lengths(pair, "minLength", "maxLength"));
            found.extend(equal(pair, &["pattern", "format"]));
        }
        if has(&["array"]) {
            found.extend(self.arrays(pair));
        }
        if has(&["object"]) {
            found.extend(self.fields(pair));
        }
        found
    }

    /// Each of a few values is checked by the outer schema itself.
    fn values(&self, pair: &Pair<'_>, values: &[Value]) -> Vec<Gap> {
        let mut document = Value::Object(pair.outer.clone());
        if let (Some(fields), Some(defs)) = (document.as_object_mut(), self.outer.get("$defs")) {
            fields.entry("$defs").or_insert_with(|| defs.clone());
        }
        let (rules, problems) = Rules::of(&document);
        let is_good = |it: &&Value| problems.is_empty() && rules.check(&it.to_string()).is_ok();
        let wrong: Vec<String> = values
            .iter()
            .filter(|it| !is_good(it))
            .map(Value::to_string)
            .collect();
        if wrong.is_empty() {
            return Vec::new();
        }
        let others = keywords::values(pair.outer);
        let others = others.map_or("other values".to_owned(), |it| Value::from(it).to_string());
        vec![pair.gap(wrong.join(", "), others)]
    }

    /// The choices of the outer schema: one of them must have all values of the inner one.
    fn combined(&self, pair: &Pair<'_>) -> Vec<Gap> {
        let inner = Value::Object(pair.inner.clone());
        let mut found = Vec::new();
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let Some(choices) = pair.outer.get(keyword).and_then(Value::as_array) else {
                continue;
            };
            let each: Vec<Vec<Gap>> = choices
                .iter()
                .map(|choice| self.at(pair.place, &inner, choice, pair.depth + 1))
                .collect();
            if keyword == "allOf" {
                found.extend(each.into_iter().flatten());
                continue;
            }
            let fits = each.iter().position(Vec::is_empty);
            let is_only = |fit: usize| {
                let others = choices.iter().enumerate().filter(|it| it.0 != fit);
                let mut others = others.map(|it| resolved(it.1, self.outer).unwrap_or(it.1));
                keyword == "anyOf" || others.all(|it| is_apart(&inner, it))
            };
            match fits {
                Some(fit) if is_only(fit) => {}
                Some(_) => {
                    found.push(pair.gap("values of several forms", "exactly one of the forms"));
                }
                None => {
                    // The gaps to the form that is most like it: any value is far from `null`, but in one place only.
                    let likeness = |(gaps, choice): &(Vec<Gap>, &Value)| {
                        let choice = resolved(choice, self.outer).unwrap_or(choice);
                        (is_apart(&inner, choice), gaps.len())
                    };
                    let nearest = each.into_iter().zip(choices).min_by_key(likeness);
                    found.extend(nearest.map(|it| it.0).unwrap_or_default());
                }
            }
        }
        found
    }
}

/// Keywords whose meaning is not compared must be equal, or absent in the outer schema.
fn unknown(pair: &Pair<'_>) -> Vec<Gap> {
    let is_known = |it: &str| {
        ANNOTATIONS.contains(&it)
            || COMPARED.contains(&it)
            || COMBINED.contains(&it)
            || it.starts_with("x-")
    };
    let names = pair.outer.keys().map(String::as_str);
    let names: Vec<&str> = names.filter(|it| !is_known(it)).collect();
    equal(pair, &names)
}
