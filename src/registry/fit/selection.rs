//! The fields of a result that a caller selects.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::scan::Scanner;
use crate::error::excerpt::excerpt;
use crate::error::{Error, Result, suggestion};

/// The fields at the root that stay, whatever is selected: without them a result could not be understood.
pub(super) const KEPT: [&str; 4] = ["next_cursor", "total", "incomplete", "truncated"];

/// The most schemas that are looked at for one path.
const MAX_STEPS: usize = 64;

/// What is selected of a value.
#[derive(Debug, PartialEq)]
pub(super) enum Selection {
    All,
    /// These fields of the object, or of each object of the list.
    Fields(BTreeMap<String, Selection>),
}

/// The schemas that describe one value of a result.
struct Place<'s>(Vec<&'s Value>);

impl Selection {
    /// Reads paths with commas between them, all of which the schema of the result must know.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty path and an unknown field, with the names that are most similar.
    pub(super) fn parse(fields: &str, schema: &Value) -> Result<Selection> {
        let mut root = BTreeMap::new();
        for path in fields.split(',').map(str::trim) {
            let mut names = path.split('.');
            if names.any(str::is_empty) {
                let problem = "expected paths with commas between them, such as `total,list.name`";
                return Err(Error::invalid_argument("fields", problem));
            }
            check(path, schema)?;
            insert(&mut root, path);
        }
        let is_object = Place::of(schema).is_object();
        for name in KEPT.into_iter().filter(|_| is_object) {
            root.insert(name.to_owned(), Selection::All);
        }
        Ok(Selection::Fields(root))
    }

    /// What is selected of a field, whose name is in its quotes.
    pub(super) fn of(&self, quoted: &str) -> Option<&Selection> {
        let Selection::Fields(fields) = self else {
            return Some(self);
        };
        fields.get(&*name_of(quoted))
    }

    /// Writes the selected part of the next value.
    pub(super) fn write(&self, scanner: &mut Scanner<'_>, out: &mut String) {
        match (self, scanner.peek()) {
            (Selection::Fields(_), b'{') => self.write_object(scanner, out),
            (Selection::Fields(_), b'[') => {
                scanner.take(b'[');
                out.push('[');
                let mut first = true;
                while scanner.item() {
                    separate(&mut first, out);
                    self.write(scanner, out);
                }
                out.push(']');
            }
            _ => out.push_str(scanner.value()),
        }
    }

    fn write_object(&self, scanner: &mut Scanner<'_>, out: &mut String) {
        scanner.take(b'{');
        out.push('{');
        let mut first = true;
        while let Some(name) = scanner.field() {
            let Some(part) = self.of(name) else {
                scanner.value();
                continue;
            };
            separate(&mut first, out);
            out.push_str(name);
            out.push(':');
            part.write(scanner, out);
        }
        out.push('}');
    }
}

/// The name in its quotes, without them.
pub(super) fn name_of(quoted: &str) -> Cow<'_, str> {
    let bare = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match bare {
        Some(bare) if !bare.contains('\\') => Cow::Borrowed(bare),
        _ => Cow::Owned(serde_json::from_str(quoted).unwrap_or_default()),
    }
}

fn separate(first: &mut bool, out: &mut String) {
    if !std::mem::replace(first, false) {
        out.push(',');
    }
}

fn insert(fields: &mut BTreeMap<String, Selection>, path: &str) {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let inner = fields
        .entry(name.to_owned())
        .or_insert_with(|| Selection::Fields(BTreeMap::new()));
    match (rest, &mut *inner) {
        (None, _) => *inner = Selection::All,
        (Some(rest), Selection::Fields(fields)) => insert(fields, rest),
        // The whole field is selected already.
        (Some(_), Selection::All) => {}
    }
}

/// Checks that the schema knows the path.
fn check(path: &str, schema: &Value) -> Result<()> {
    let mut place = Place::of(schema);
    let mut before = String::new();
    for name in path.split('.') {
        let next = place.field(name, schema);
        if next.0.is_empty() {
            return Err(unknown(&before, name, &place));
        }
        place = next;
        before = format!("{before}{name}.");
    }
    Ok(())
}

fn unknown(before: &str, name: &str, place: &Place<'_>) -> Error {
    let known: Vec<&str> = place.names();
    let close = suggestion::closest(name, known.iter().copied());
    let close: Vec<String> = close.iter().map(|it| format!("{before}{it}")).collect();
    let close: Vec<&str> = close.iter().map(String::as_str).collect();
    let hint = match (close.is_empty(), known.is_empty()) {
        (false, _) => suggestion::hint(&close),
        (true, true) => String::new(),
        (true, false) => {
            let known = known.iter().map(|it| format!("`{before}{it}`"));
            format!("; known: {}", known.collect::<Vec<_>>().join(", "))
        }
    };
    let problem = format!("the result has no field `{before}{}`{hint}", excerpt(name));
    Error::invalid_argument("fields", problem)
}

impl<'s> Place<'s> {
    /// The schemas of a value: this one, those that it is combined of, and those of the items of a list.
    fn of(schema: &'s Value) -> Place<'s> {
        Place::spread(vec![schema], schema)
    }

    fn spread(mut open: Vec<&'s Value>, root: &'s Value) -> Place<'s> {
        let mut found = Vec::new();
        while let Some(schema) = open.pop() {
            if found.len() >= MAX_STEPS {
                break;
            }
            found.push(schema);
            let lists = ["anyOf", "oneOf", "allOf", "prefixItems"].iter();
            let lists = lists.filter_map(|it| schema.get(it)?.as_array());
            open.extend(lists.flatten());
            open.extend(schema.get("items").filter(|it| it.is_object()));
            let reference = schema.get("$ref").and_then(Value::as_str);
            let pointer = reference.and_then(|it| it.strip_prefix('#'));
            open.extend(pointer.and_then(|it| root.pointer(it)));
        }
        Place(found)
    }

    fn field(&self, name: &str, root: &'s Value) -> Place<'s> {
        let named = |schema: &&'s Value| -> Option<&'s Value> {
            let schema: &'s Value = schema;
            let known = schema.get("properties").and_then(|it| it.get(name));
            let rest = || {
                schema
                    .get("additionalProperties")
                    .filter(|it| **it != false)
            };
            known.or_else(rest)
        };
        let schemas: Vec<&'s Value> = self.0.iter().filter_map(named).collect();
        Place::spread(schemas, root)
    }

    fn names(&self) -> Vec<&'s str> {
        let properties = self
            .0
            .iter()
            .filter_map(|it| it.get("properties")?.as_object());
        properties
            .flat_map(|it| it.keys().map(String::as_str))
            .collect()
    }

    fn is_object(&self) -> bool {
        self.0.first().is_some_and(|it| it.get("items").is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Scanner, Selection};

    #[test]
    fn the_selected_part_is_written_as_it_stands() {
        let row = json!({"properties": {"a": {}, "b": {"anyOf": [
            {"type": "null"},
            {"properties": {"c": {}, "d": {"additionalProperties": {"properties": {"e": {}}}}}},
        ]}}});
        let schema = json!({"properties": {
            "rows": {"items": row}, "total": {}, "matrix": {"items": {"items": row}}, "free": {"additionalProperties": true},
        }});
        let text = r#"{"rows":[{"a":1.50,"b":null},{"b":{"c":"}","d":{"x":{"e":1,"f":2}}},"a":[1, 2]}],"total":2,"matrix":[[{"a":1,"b":2}],[]],"free":{"x":1,"y":2}}"#;
        for (fields, expected) in [
            ("total", r#"{"total":2}"#),
            ("rows.a", r#"{"rows":[{"a":1.50},{"a":[1, 2]}],"total":2}"#),
            (
                "rows.b.c",
                r#"{"rows":[{"b":null},{"b":{"c":"}"}}],"total":2}"#,
            ),
            (
                "rows.b.d.x.e , free.y",
                r#"{"rows":[{"b":null},{"b":{"d":{"x":{"e":1}}}}],"total":2,"free":{"y":2}}"#,
            ),
            ("matrix.a", r#"{"total":2,"matrix":[[{"a":1}],[]]}"#),
            (
                "matrix,matrix.a",
                r#"{"total":2,"matrix":[[{"a":1,"b":2}],[]]}"#,
            ),
            (
                "matrix.a,matrix",
                r#"{"total":2,"matrix":[[{"a":1,"b":2}],[]]}"#,
            ),
        ] {
            let selection = Selection::parse(fields, &schema).unwrap();
            let mut out = String::new();
            selection.write(&mut Scanner::new(text), &mut out);
            assert_eq!(out, expected, "{fields}");
        }
    }
}
