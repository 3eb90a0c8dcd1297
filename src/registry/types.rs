//! Checks the types of a function's arguments and result.

use serde_json::{Map, Value};

use super::tool::Tool;
use crate::schema::Rules;

/// The keys of a schema that allows everything.
const ANNOTATIONS: [&str; 8] = [
    "$comment",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// A part of a schema that many clients refuse.
enum Unportable<'s> {
    /// The type with this name contains itself and cannot be inlined.
    Recursive(&'s str),
    /// A value at this path may have any type.
    Any(String),
}

/// A line for every problem.
pub(super) fn problems(tool: &Tool) -> Vec<String> {
    // Problems of fields are noise if the type has no fields.
    let mut found = match not_a_struct(tool.schema()) {
        Some(problem) => vec![problem],
        None => of_arguments(tool),
    };
    found.extend(of_result(tool));
    found.extend(
        tool.declared_errors()
            .iter()
            .filter_map(|it| it.kind().problem()),
    );
    found
}

/// Why the arguments are not a struct, and what to do.
fn not_a_struct(schema: &Value) -> Option<String> {
    let has = |key: &str| schema.get(key).is_some();
    let instead = match schema.get("type").and_then(Value::as_str) {
        Some("object") => return None,
        Some("null") => "a function that takes nothing has no such parameter",
        _ if ["enum", "const", "oneOf", "anyOf"].iter().any(|it| has(it)) => {
            "make the enum a field of one"
        }
        _ => "make the value a field of one",
    };
    Some(format!(
        "its arguments must be a struct (a JSON object): {instead}"
    ))
}

fn of_arguments(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    if tool.description().trim().is_empty() {
        found.push(match tool.has_arguments {
            true => "its argument struct has no doc comment, so it has no description: write one, or add `.describe(\"…\")`".to_owned(),
            false => "it has no description: add `.describe(\"…\")`, because there is no argument struct whose doc comment could be one".to_owned(),
        });
    }
    // What a schema from elsewhere demands beyond our rules is for its own server to judge.
    if tool.is_dynamic() {
        return found;
    }
    found.extend(Rules::of(tool.schema()).1);
    let is_own = tool.schema().get("$schema").is_none();
    if !is_own {
        return found;
    }
    for (parameter, schema) in tool.parameters().into_iter().flatten() {
        if schema.get("description").is_none() && schema.get("$ref").is_none() {
            found.push(format!("its parameter `{parameter}` has no doc comment"));
        }
    }
    found.extend(match unportable(tool.schema(), "", tool.is_generated()) {
        Some(Unportable::Recursive(name)) => Some(recursive(name, "arguments")),
        Some(Unportable::Any(place)) => Some(format!(
            "its parameter `{place}` takes any value, which many clients refuse: give it a type, or `#[schemars(with = \"…\")]` with the type that it is documented as"
        )),
        None => None,
    });
    found
}

fn of_result(tool: &Tool) -> Option<String> {
    if tool.is_dynamic() {
        return None;
    }
    if tool.output().is_result {
        let problem = "it returns a `Result` whose error is a value: write `impl From<E> for bifold::Error` for the error, and derive no `Serialize` for it";
        return Some(problem.to_owned());
    }
    match unportable(tool.result()?, "", false)? {
        Unportable::Recursive(name) => Some(recursive(name, "result")),
        Unportable::Any(place) => {
            let what = match place.as_str() {
                "" => "its result".to_owned(),
                place => format!("the field `{place}` of its result"),
            };
            Some(format!(
                "{what} takes any value, which many clients refuse: give it a type, or return `bifold::Answer`, for which no schema is published"
            ))
        }
    }
}

fn recursive(name: &str, what: &str) -> String {
    format!(
        "the type `{name}` of its {what} contains itself, and many clients refuse such a schema: replace the inner `{name}` by its id, or return and take it as a flat list"
    )
}

/// The first reference or free schema: what contains itself cannot be inlined, and what takes any value has no schema but
/// `true`. Where `is_strict` is set, a description alone is not a schema either.
fn unportable<'s>(schema: &'s Value, place: &str, is_strict: bool) -> Option<Unportable<'s>> {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Bool(true) => return Some(Unportable::Any(place.to_owned())),
        _ => return None,
    };
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return Some(Unportable::Recursive(name));
    }
    let is_free = |key: &String| ANNOTATIONS.contains(&key.as_str()) || key.starts_with("x-");
    if is_strict && !place.is_empty() && fields.keys().all(is_free) {
        return Some(Unportable::Any(place.to_owned()));
    }
    inner(fields, place).find_map(|(place, schema)| unportable(schema, &place, is_strict))
}

/// The schemas inside a schema, each with the path of its values.
fn inner<'s>(
    fields: &'s Map<String, Value>,
    place: &str,
) -> impl Iterator<Item = (String, &'s Value)> {
    let below = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    let mut found = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("properties", Value::Object(schemas)) => {
                found.extend(schemas.iter().map(|(name, it)| (below(name), it)));
            }
            ("patternProperties", Value::Object(schemas)) => {
                found.extend(schemas.values().map(|it| (below("*"), it)));
            }
            // Allowing other fields does not describe them.
            ("additionalProperties", Value::Object(_)) => found.push((below("*"), value)),
            ("items", _) => found.push((format!("{place}[]"), value)),
            ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => {
                found.extend(schemas.iter().map(|it| (place.to_owned(), it)));
            }
            ("prefixItems", Value::Array(schemas)) => {
                found.extend(schemas.iter().map(|it| (format!("{place}[]"), it)));
            }
            _ => {}
        }
    }
    found.into_iter()
}
