//! JSON objects that are handed on as they came.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The text of a JSON object, as it came.
#[derive(Serialize)]
pub struct Object(Box<RawValue>);

impl Object {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl Default for Object {
    fn default() -> Object {
        Object(RawValue::from_string("{}".to_owned()).expect("two braces are JSON"))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Object, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().starts_with('{') {
            true => Ok(Object(raw)),
            false => Err(serde::de::Error::custom("expected a JSON object")),
        }
    }
}

impl JsonSchema for Object {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
