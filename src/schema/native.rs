//! What decoding enforces of the schema that was made from the type, so that nothing else has to.

use serde_json::{Map, Value};

/// Whether each value that is decoded fits the schema: it names types, fields and their presence, and nothing more.
pub(super) fn is_enforced(schema: &Value) -> bool {
    let Value::Object(fields) = schema else {
        return *schema == Value::Bool(true);
    };
    fields
        .iter()
        .all(|(keyword, value)| is_native(fields, keyword, value))
}

fn is_native(fields: &Map<String, Value>, keyword: &str, value: &Value) -> bool {
    match keyword {
        "type" | "required" | "title" | "description" | "default" | "examples" | "deprecated"
        | "readOnly" | "writeOnly" => true,
        "properties" => each(value.as_object().into_iter().flat_map(Map::values)),
        "items" => is_enforced(value),
        // Where it is `false`, the type denies unknown fields.
        "additionalProperties" => value.is_boolean() || is_enforced(value),
        "prefixItems" => each(value.as_array().into_iter().flatten()),
        "minItems" | "maxItems" => {
            let first = fields.get("prefixItems").and_then(Value::as_array);
            first.is_some_and(|it| *value == it.len())
        }
        "anyOf" => is_optional(value),
        "format" => range(fields).is_some(),
        "minimum" => range(fields).is_some_and(|it| it.0.is_some_and(|it| *value == it)),
        "maximum" => range(fields).is_some_and(|it| it.1.is_some_and(|it| *value == it)),
        extension => extension.starts_with("x-"),
    }
}

fn each<'v>(mut schemas: impl Iterator<Item = &'v Value>) -> bool {
    schemas.all(is_enforced)
}

/// A schema and null: the choice of an `Option`.
fn is_optional(choices: &Value) -> bool {
    let is_null = |it: &Value| it.get("type").is_some_and(|it| it == "null");
    match choices.as_array().map(Vec::as_slice) {
        Some([one, other]) => {
            (is_null(one) || is_null(other)) && is_enforced(one) && is_enforced(other)
        }
        _ => false,
    }
}

/// The least and the most that the schema of a number type names beside its format.
fn range(fields: &Map<String, Value>) -> Option<(Option<i64>, Option<i64>)> {
    Some(match fields.get("format")?.as_str()? {
        "int8" => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        "int16" => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        "uint8" => (Some(0), Some(u8::MAX.into())),
        "uint16" => (Some(0), Some(u16::MAX.into())),
        "uint32" | "uint64" | "uint128" | "uint" => (Some(0), None),
        "int32" | "int64" | "int128" | "int" | "float" | "double" => (None, None),
        _ => return None,
    })
}
