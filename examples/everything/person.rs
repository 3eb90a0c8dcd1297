//! A tool whose schema is published unchanged.

use bifold::{Content, Context, JsonSchema, Result, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

/// The tool; its arguments are less precise than its schema.
pub fn tool() -> Tool {
    Tool::sync("json_schema_2020_12_tool", person).input_schema(schema())
}

/// Tool with JSON Schema 2020-12 features
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Person {
    name: Option<String>,
    address: Option<Address>,
    contact_method: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Address {
    street: Option<String>,
    city: Option<String>,
}

fn person(_: Context, person: Person) -> Result<Content> {
    let contact = person.phone.or(person.email).or(person.contact_method);
    let place = person.address.and_then(|it| it.city.or(it.street));
    let known: Vec<String> = [person.name, contact, place]
        .into_iter()
        .flatten()
        .collect();
    Ok(Content::text(known.join(", ")))
}

/// A schema that is published unchanged.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
