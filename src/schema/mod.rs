//! JSON Schemas that every client accepts: nested types inlined, no nullable type lists, an object at the root.

mod close;
mod native;
mod order;
mod validate;

pub use order::fields;
pub use schemars::JsonSchema;
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

pub(crate) use validate::{Fields, Rules, Violation};

/// The schema of an argument struct: an optional field is absent from `required` and never nullable.
pub fn input<T: JsonSchema>() -> Value {
    input_of(T::json_schema)
}

/// The schema of an argument struct as its type declares it, including nullable fields.
pub fn typed<T: JsonSchema>() -> Value {
    let mut schema = typed_of(T::json_schema);
    visit(&mut schema, &mut drop_private);
    schema
}

/// What the schema of an argument struct demands beside what decoding the struct does; `None` where that is all.
pub(crate) fn rules<T: JsonSchema>() -> Option<Rules> {
    rules_of(T::json_schema)
}

/// The schema of a result: a nullable field is an `anyOf` with `null`.
pub fn output<T: JsonSchema>() -> Value {
    output_of(T::json_schema)
}

/// The attributes of a field that say where an argument stands in a REST request. They are not published.
pub const PLACES: [&str; 3] = ["x-in", "x-name", "x-media-types"];

/// In the schema of a type that decides itself what it decodes, such as variants of a format. It is not published.
pub(crate) const DECODED: &str = "x-bifold-decoded";

/// An object with these fields, the last of each name. Collecting them at once would sort them first, with code of its own
/// for each kind of iterator.
pub(crate) fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    object.extend(fields);
    object
}

/// Generates the schema of one type; the code after it is not generic, so it is compiled once.
type Root = fn(&mut SchemaGenerator) -> Schema;

fn typed_of(root: Root) -> Value {
    let mut schema = raw(SchemaSettings::draft2020_12().for_deserialize(), root);
    close::close(&mut schema);
    schema
}

fn rules_of(root: Root) -> Option<Rules> {
    let mut schema = raw(SchemaSettings::draft2020_12().for_deserialize(), root);
    visit(&mut schema, &mut free_decoded);
    let is_open = close::close(&mut schema);
    match is_open || !native::is_enforced(&schema) {
        true => Some(Rules::of(&schema).0),
        false => None,
    }
}

fn input_of(root: Root) -> Value {
    let mut schema = raw(SchemaSettings::draft2020_12().for_deserialize(), root);
    visit(&mut schema, &mut |fields| {
        drop_null(fields);
        drop_null_default(fields);
        // Last, because the form beside `null` has just become part of the schema.
        drop_private(fields);
    });
    close::close(&mut schema);
    schema
}

fn output_of(root: Root) -> Value {
    let mut schema = raw(SchemaSettings::draft2020_12().for_serialize(), root);
    visit(&mut schema, &mut |fields| {
        drop_private(fields);
        drop_null_default(fields);
        split_null(fields);
        PLACES.iter().for_each(|it| drop(fields.remove(*it)));
    });
    schema
}

fn raw(settings: SchemaSettings, root: Root) -> Value {
    let settings = settings.with(|it| {
        it.inline_subschemas = true;
        it.meta_schema = None;
    });
    let mut schema = root(&mut settings.into_generator()).to_value();
    // The title would be the name of the Rust struct, which means nothing to a caller.
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("title");
        if fields.get("type").is_some_and(|it| it == "object") {
            fields
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()));
        }
    }
    schema
}

/// A field without a value is said by `required` already, and null is not valid for the type that is published.
fn drop_null_default(fields: &mut Map<String, Value>) {
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
}

/// `["string", "null"]` becomes `"string"`, and `anyOf: [X, null]` becomes X.
fn drop_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = fields.get("type") {
        let kept: Vec<Value> = types.iter().filter(|it| *it != "null").cloned().collect();
        if let [single] = kept.as_slice() {
            fields.insert("type".into(), single.clone());
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("enum") {
        choices.retain(|it| !it.is_null());
    }
    if let Some(Value::Array(choices)) = fields.get("anyOf") {
        let kept: Vec<Value> = choices
            .iter()
            .filter(|it| it.get("type").is_none_or(|it| it != "null"))
            .cloned()
            .collect();
        if let [Value::Object(single)] = kept.as_slice() {
            fields.remove("anyOf");
            for (key, value) in single.clone() {
                fields.entry(key).or_insert(value);
            }
        }
    }
}

/// `type: ["string", "null"]` becomes `anyOf: [{type: string}, {type: null}]`.
fn split_null(fields: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = fields.get("type") else {
        return;
    };
    let types = types.clone();
    fields.remove("type");
    let description = fields.remove("description");
    let constraints = std::mem::take(fields);
    let choices = types.into_iter().map(|it| {
        let mut choice = if it == "null" {
            Map::new()
        } else {
            constraints.clone()
        };
        choice.insert("type".into(), it);
        Value::Object(choice)
    });
    fields.insert("anyOf".into(), choices.collect());
    fields.extend(description.map(|it| ("description".to_owned(), it)));
}

/// What a type says only to this crate.
fn drop_private(fields: &mut Map<String, Value>) {
    fields.remove(DECODED);
    drop_machine_formats(fields);
}

/// A type that decodes more than its schema shows is left to its decoding.
fn free_decoded(fields: &mut Map<String, Value>) {
    if fields.contains_key(DECODED) {
        fields.clear();
    }
}

/// Formats such as `uint32` are not in the vocabulary of JSON Schema, and some clients refuse unknown formats.
fn drop_machine_formats(fields: &mut Map<String, Value>) {
    let is_machine = |it: &Value| {
        it.as_str().is_some_and(|it| {
            it.starts_with("uint") || it.starts_with("int") || matches!(it, "float" | "double")
        })
    };
    if fields.get("format").is_some_and(is_machine) {
        fields.remove("format");
    }
}

/// The `x-mcp-header` names of the properties that every client finds: those reached through `properties` alone.
pub(super) fn header_names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let schemas = properties.into_iter().flat_map(Map::values);
    schemas
        .flat_map(|it| {
            let own = it.get("x-mcp-header").and_then(Value::as_str);
            own.into_iter().chain(header_names(it))
        })
        .collect()
}

/// The schema of values of which any fields may be absent.
pub(crate) fn loosen(schema: &mut Value) {
    visit(schema, &mut |fields| drop(fields.remove("required")));
}

/// Applies `change` to the schema and to every schema inside it.
fn visit(schema: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(fields) = schema else {
        return;
    };
    change(fields);
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "patternProperties", Value::Object(schemas)) => {
                schemas.values_mut().for_each(|it| visit(it, change));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|it| visit(it, change));
            }
            ("items" | "additionalProperties" | "not", schema) => visit(schema, change),
            _ => {}
        }
    }
}
