//! The schema of a result in MCP lists, where agents pay for it: a tool may shorten it.

use serde_json::{Map, Value};

use super::tool::Tool;
use crate::schema;

impl Tool {
    /// Shortens the schema of the result in MCP lists, which agents pay for: this many levels of fields, without their
    /// descriptions. An object below them is any object there. The OpenAPI document has the whole schema.
    ///
    /// ```
    /// use bifold::{JsonSchema, Tool};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// struct Place {
    ///     name: &'static str,
    ///     position: Position,
    /// }
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// struct Position {
    ///     latitude: f64,
    ///     longitude: f64,
    /// }
    ///
    /// fn place() -> Place {
    ///     Place { name: "Null Island", position: Position { latitude: 0.0, longitude: 0.0 } }
    /// }
    ///
    /// let tool = Tool::new("place", place).describe("A place.").brief(1);
    /// let listed = tool.structured().unwrap_or_default();
    /// assert_eq!(listed["properties"]["position"], serde_json::json!({ "type": "object" }));
    /// ```
    pub fn brief(mut self, levels: usize) -> Tool {
        self.brief = Some(levels);
        self
    }
}

/// The schema without descriptions and without the fields below this many levels. What the whole one admits, this one
/// admits too.
pub(super) fn shortened(schema: &Value, levels: usize) -> Value {
    let Value::Object(fields) = schema else {
        return schema.clone();
    };
    let mut short = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("description", _) => continue,
            // An object whose fields are not shown may have any.
            ("properties" | "required" | "additionalProperties", _) if levels == 0 => continue,
            ("properties", Value::Object(properties)) => {
                let inner = levels.saturating_sub(1);
                let properties = properties.iter();
                schema::object(properties.map(|(name, it)| (name.clone(), shortened(it, inner))))
                    .into()
            }
            ("items" | "additionalProperties", schema) => shortened(schema, levels),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter().map(|it| shortened(it, levels)).collect()
            }
            (_, value) => value.clone(),
        };
        short.insert(key.clone(), value);
    }
    Value::Object(short)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::shortened;

    #[test]
    fn levels_below_the_last_are_any_object() {
        let leaf = json!({ "type": "string", "description": "A leaf." });
        let inner = json!({ "type": "object", "properties": { "description": leaf }, "required": ["description"], "additionalProperties": false });
        let list = json!({ "type": "array", "items": { "anyOf": [inner, { "type": "null" }] } });
        let root = json!({ "type": "object", "description": "All.", "properties": { "inner": inner, "list": list }, "required": ["list"] });
        let short = |levels| shortened(&root, levels);
        let any = json!({ "type": "object" });
        assert_eq!(short(0), any);
        let list = json!({ "type": "array", "items": { "anyOf": [any, { "type": "null" }] } });
        let one = json!({ "type": "object", "properties": { "inner": any, "list": list }, "required": ["list"] });
        assert_eq!(short(1), one);
        let two = short(2);
        let leaf = &two["properties"]["inner"]["properties"]["description"];
        assert_eq!(*leaf, json!({ "type": "string" }));
        assert_eq!(
            two["properties"]["inner"]["required"],
            json!(["description"])
        );
    }
}
