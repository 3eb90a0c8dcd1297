//! Objects with known fields take no others.

use serde_json::{Map, Value};

/// Keywords that describe fields beside `properties`: what they allow is not known here.
const OTHERS: [&str; 9] = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "$ref",
    "dependentSchemas",
];

/// Says of each object with `properties` that it takes no other fields, unless its type says what it takes. Returns whether
/// that was said anywhere.
pub(super) fn close(schema: &mut Value) -> bool {
    let Value::Object(fields) = schema else {
        return false;
    };
    let has_fields = fields.contains_key("properties");
    let is_open = has_fields && !OTHERS.iter().any(|it| fields.contains_key(*it));
    if is_open {
        fields.insert("additionalProperties".to_owned(), false.into());
    }
    inside(fields, has_fields) | is_open
}

/// Closes what is inside; not the parts that an object is flattened of, each of which has the fields of the others too, and
/// not the forms of an untagged enum, which tell one from the other by the fields that they find.
fn inside(fields: &mut Map<String, Value>, has_fields: bool) -> bool {
    let mut has_closed = false;
    for (keyword, value) in fields {
        has_closed |= match (keyword.as_str(), value) {
            ("properties" | "$defs" | "patternProperties", Value::Object(schemas)) => {
                each(schemas.values_mut())
            }
            ("oneOf", Value::Array(schemas)) if !has_fields => each(schemas.iter_mut()),
            ("anyOf", Value::Array(schemas)) if !has_fields && is_optional(schemas) => {
                each(schemas.iter_mut())
            }
            ("prefixItems", Value::Array(schemas)) => each(schemas.iter_mut()),
            ("items" | "additionalProperties", schema) => close(schema),
            _ => false,
        };
    }
    has_closed
}

fn each<'v>(schemas: impl Iterator<Item = &'v mut Value>) -> bool {
    schemas.fold(false, |has_closed, it| close(it) | has_closed)
}

/// A schema and null: the choice of an `Option`.
fn is_optional(choices: &[Value]) -> bool {
    let is_null = |it: &Value| it.get("type").is_some_and(|it| it == "null");
    choices.len() == 2 && choices.iter().any(is_null)
}
