//! What an OpenAPI document says of a contract.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lock::FORM;
use crate::schema;

/// The most references that are followed one inside the other; a schema that contains itself is cut there.
const MAX_DEPTH: usize = 8;

/// The most values that references are replaced by, in a whole document: a small one can refer to itself without end.
const MAX_VALUES: u32 = 300_000;

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// The paths of each function, with the place of each parameter.
pub(super) fn routes(document: &Value) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let inside = Document::new(document);
    for (route, name, operation) in operations(document) {
        let places = operation["parameters"].as_array().into_iter().flatten();
        let places = schema::object(places.filter_map(|it| {
            let it = inside.resolved(it);
            Some((it["name"].as_str()?.to_owned(), it["in"].clone()))
        }));
        let routes = found.entry(name).or_insert_with(|| json!({}));
        routes[route] = Value::Object(places);
    }
    found
}

/// The contract of a server, as far as its document says it.
pub(super) fn contract(document: &Value) -> Value {
    let routes = routes(document);
    let inside = Document::new(document);
    let mut tools = Map::new();
    for (_, name, operation) in operations(document) {
        // A function has the same arguments and the same result at each of its paths.
        tools.entry(name.clone()).or_insert_with(|| {
            let (status, media_type, result) = success(operation, &inside);
            json!({
                "description": operation["description"],
                "routes": routes.get(&name),
                "arguments": arguments(operation, &inside),
                "result": result,
                "media_type": media_type,
                "status": status,
                "scopes": scopes(operation),
            })
        });
    }
    let info = &document["info"];
    json!({
        "contract": FORM,
        "name": info["title"],
        "version": info["version"],
        "seen_over": "rest",
        "tools": tools,
    })
}

/// Every operation: its method and path, its name, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let route = format!("{} {path}", method.to_ascii_uppercase());
            let name = ["x-tool", "operationId"]
                .iter()
                .find_map(|it| operation[*it].as_str());
            found.push((route.clone(), name.unwrap_or(&route).to_owned(), operation));
        }
    }
    found
}

/// The parameters and the fields of the body, as one object. Headers of the library itself are left out.
fn arguments(operation: &Value, document: &Document<'_>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = document.resolved(parameter);
        let Some(name) = parameter["name"]
            .as_str()
            .filter(|it| *it != "Idempotency-Key")
        else {
            continue;
        };
        properties.insert(name.to_owned(), parameter["schema"].clone());
        if parameter["required"] == true {
            required.push(Value::from(name));
        }
    }
    let body = document.resolved(&operation["requestBody"]);
    let content = body["content"].as_object();
    let json = content.and_then(|it| it.get("application/json").or_else(|| it.values().next()));
    let schema = json.map(|it| it["schema"].clone()).unwrap_or_default();
    let mut whole = match schema {
        Value::Object(fields) if fields.contains_key("properties") => fields,
        Value::Null => Map::from_iter([("additionalProperties".to_owned(), Value::Bool(false))]),
        other => {
            properties.insert("body".to_owned(), other);
            if body["required"] == true {
                required.push("body".into());
            }
            Map::new()
        }
    };
    whole.insert("type".to_owned(), "object".into());
    let fields = whole.entry("properties").or_insert_with(|| json!({}));
    if let Some(fields) = fields.as_object_mut() {
        fields.extend(properties);
    }
    if body["required"] == true || whole.get("required").is_none() || !required.is_empty() {
        let names = whole.entry("required").or_insert_with(|| json!([]));
        if let Some(names) = names.as_array_mut() {
            names.extend(required);
        }
    }
    Value::Object(whole)
}

/// Status, media type and schema of a success.
fn success(operation: &Value, document: &Document<'_>) -> (Value, Value, Value) {
    let responses = operation["responses"].as_object();
    let mut responses = responses.into_iter().flatten();
    let Some((status, response)) = responses.find(|it| it.0.starts_with('2')) else {
        return (Value::Null, Value::Null, Value::Null);
    };
    let response = document.resolved(response);
    let content = response["content"].as_object();
    let json = content.and_then(|it| {
        it.get_key_value("application/json")
            .or_else(|| it.iter().next())
    });
    let status = status.parse::<u16>().map_or(Value::Null, Value::from);
    match json {
        Some((media_type, content)) => {
            (status, media_type.clone().into(), content["schema"].clone())
        }
        None => (status, Value::Null, Value::Null),
    }
}

fn scopes(operation: &Value) -> Vec<String> {
    let schemes = operation["security"].as_array().into_iter().flatten();
    let schemes = schemes.filter_map(Value::as_object).flat_map(Map::values);
    let scopes = schemes.filter_map(Value::as_array).flatten();
    let mut scopes: Vec<String> = scopes
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// A document whose references are followed.
struct Document<'d> {
    value: &'d Value,
    left: Cell<u32>,
}

impl<'d> Document<'d> {
    fn new(value: &'d Value) -> Document<'d> {
        let left = Cell::new(MAX_VALUES);
        Document { value, left }
    }

    /// The value with what its references lead to in their place, as far as that ends soon.
    fn resolved(&self, value: &Value) -> Value {
        self.at(value, 0)
    }

    fn at(&self, value: &Value, depth: usize) -> Value {
        self.left.set(self.left.get().saturating_sub(1));
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let target = reference.strip_prefix('#');
                    let target = target.and_then(|it| self.value.pointer(it));
                    return match target {
                        Some(target) if depth < MAX_DEPTH && self.left.get() > 0 => {
                            self.at(target, depth + 1)
                        }
                        _ => value.clone(),
                    };
                }
                let fields = fields.iter();
                schema::object(fields.map(|(name, it)| (name.clone(), self.at(it, depth)))).into()
            }
            Value::Array(items) => items.iter().map(|it| self.at(it, depth)).collect(),
            other => other.clone(),
        }
    }
}
