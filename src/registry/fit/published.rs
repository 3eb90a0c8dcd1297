//! The schemas that a tool publishes of its arguments and its result, with what may be asked for.

use serde_json::{Value, json};

use super::Fit;
use super::selection::KEPT;
use crate::registry::output::Output;
use crate::schema;

impl Fit {
    /// The schema of all arguments.
    pub(in crate::registry) fn input(&self, own: &Value) -> &Value {
        self.input.get_or_init(|| {
            let mut schema = own.clone();
            if let Some(fields) = schema.as_object_mut() {
                let properties = fields.entry("properties").or_insert_with(|| json!({}));
                if let Some(properties) = properties.as_object_mut() {
                    properties.extend(self.properties());
                }
            }
            schema
        })
    }

    /// What is published of the result.
    pub(in crate::registry) fn output(&self, own: &Output) -> &Output {
        self.output.get_or_init(|| {
            let mut output = own.clone();
            if let Some(schema) = &mut output.schema {
                if self.selects {
                    loosen(schema);
                }
                if self.is_paged() {
                    page(schema);
                }
            }
            output
        })
    }
}

/// Requires only the fields that stay, whatever is selected: clients check results by this schema.
fn loosen(schema: &mut Value) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_kept = |it: &&Value| it.as_str().is_some_and(|it| KEPT.contains(&it));
    let kept: Vec<Value> = required
        .into_iter()
        .flatten()
        .filter(is_kept)
        .cloned()
        .collect();
    schema::loosen(schema);
    if !kept.is_empty() {
        schema["required"] = kept.into();
    }
}

/// Adds the fields that a page has.
fn page(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let properties = fields.entry("properties").or_insert_with(|| json!({}));
    properties["next_cursor"] = json!({
        "anyOf": [{ "type": "string" }, { "type": "null" }],
        "description": "The `cursor` of the next page; null at the end.",
    });
    properties["truncated"] = json!({
        "type": "object",
        "description": "Only where `max_bytes` has left items out.",
        "properties": {
            "shown": { "type": "integer" },
            "total": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "next_cursor": { "type": "string" },
        },
        "required": ["shown", "total", "next_cursor"],
    });
    let required = fields.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.push("next_cursor".into());
    }
}
