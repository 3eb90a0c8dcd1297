//! Rules for schemas that are not valid JSON Schema 2020-12.
//!
//! The Claude API checks every schema of a request against the dialect and refuses the request if one is invalid
//! (anthropics/claude-code#586); for some of them Claude Code drops all tools of the server
//! (anthropics/claude-code#44364).

use serde_json::Value;

use super::Finding;
use super::node::Node;

const CLIENTS: &str = "Claude";

/// A keyword, the check of its value, and a description of valid values.
type Form = (&'static str, fn(&Value) -> bool, &'static str);

/// The keywords whose values are likely to be wrong.
const FORMS: [Form; 29] = [
    (
        "type",
        is_type,
        "a JSON type, or a list of different JSON types",
    ),
    ("properties", is_schemas, "an object of schemas"),
    ("patternProperties", is_schemas, "an object of schemas"),
    ("$defs", is_schemas, "an object of schemas"),
    ("dependentSchemas", is_schemas, "an object of schemas"),
    ("items", is_schema, "one schema"),
    ("contains", is_schema, "a schema"),
    ("additionalProperties", is_schema, "a schema, or a boolean"),
    ("propertyNames", is_schema, "a schema"),
    ("not", is_schema, "a schema"),
    ("if", is_schema, "a schema"),
    ("then", is_schema, "a schema"),
    ("else", is_schema, "a schema"),
    ("anyOf", is_choice, "a list of at least one schema"),
    ("oneOf", is_choice, "a list of at least one schema"),
    ("allOf", is_choice, "a list of at least one schema"),
    ("prefixItems", is_choice, "a list of at least one schema"),
    ("enum", Value::is_array, "a list of values"),
    ("required", is_names, "a list of different names"),
    ("minimum", Value::is_number, "a number"),
    ("maximum", Value::is_number, "a number"),
    ("exclusiveMinimum", Value::is_number, "a number"),
    ("exclusiveMaximum", Value::is_number, "a number"),
    ("minLength", is_count, "a whole number of at least 0"),
    ("maxLength", is_count, "a whole number of at least 0"),
    ("minItems", is_count, "a whole number of at least 0"),
    ("maxItems", is_count, "a whole number of at least 0"),
    ("pattern", Value::is_string, "a string"),
    ("description", Value::is_string, "a string"),
];

pub(super) fn findings(node: &Node<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (keyword, fits, expected) in FORMS {
        if node.get(keyword).is_some_and(|value| !fits(value)) {
            found.push(node.error(
                node.at(keyword),
                format!("`{keyword}` is not {expected}"),
                CLIENTS,
                "write it as JSON Schema 2020-12 requires",
            ));
        }
    }
    let dialect = node.get("$schema").and_then(Value::as_str);
    if dialect.is_some_and(|it| !it.trim_end_matches('#').ends_with("/draft/2020-12/schema")) {
        found.push(node.error(
            node.at("$schema"),
            "it names another dialect than 2020-12",
            CLIENTS,
            "remove `$schema`, and write the schema in JSON Schema 2020-12",
        ));
    }
    found
}

fn is_type(value: &Value) -> bool {
    let is_one = |it: &Value| {
        let types = [
            "string", "number", "integer", "boolean", "object", "array", "null",
        ];
        it.as_str().is_some_and(|it| types.contains(&it))
    };
    match value {
        Value::Array(types) => !types.is_empty() && types.iter().all(is_one),
        one => is_one(one),
    }
}

fn is_schema(value: &Value) -> bool {
    value.is_object() || value.is_boolean()
}

fn is_schemas(value: &Value) -> bool {
    let schemas = value.as_object();
    schemas.is_some_and(|it| it.values().all(is_schema))
}

fn is_choice(value: &Value) -> bool {
    let schemas = value.as_array();
    schemas.is_some_and(|it| !it.is_empty() && it.iter().all(is_schema))
}

fn is_names(value: &Value) -> bool {
    let Some(names) = value.as_array() else {
        return false;
    };
    let is_new =
        |(index, name): (usize, &Value)| name.is_string() && !names[..index].contains(name);
    names.iter().enumerate().all(is_new)
}

fn is_count(value: &Value) -> bool {
    value.is_u64()
}
