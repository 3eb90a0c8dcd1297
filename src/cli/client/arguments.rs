//! Arguments from the command line: `key=value`, typed by a schema, and `key:=json`.

use serde_json::{Map, Value};

use crate::error::suggestion;

/// One argument as it was typed.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    /// `key=value`.
    Text(String, String),
    /// `key:=json`.
    Json(String, Value),
}

impl Argument {
    /// Reads one argument.
    ///
    /// # Errors
    /// It has another form.
    pub(super) fn parse(text: &str) -> Result<Argument, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("expected `KEY=VALUE` or `KEY:=JSON`")?;
        let Some(key) = key.strip_suffix(':') else {
            return Ok(Argument::Text(key.to_owned(), value.to_owned()));
        };
        let json = serde_json::from_str(value);
        let json = json.map_err(|error| format!("`{key}` is not JSON: {error}"))?;
        Ok(Argument::Json(key.to_owned(), json))
    }
}

/// The arguments as an object, each of the type that the input schema of the tool gives it. A key that stands more than
/// once makes a list.
///
/// # Errors
/// A value that cannot have its type, or a key that the schema does not know.
pub(super) fn object(arguments: &[Argument], schema: &Value) -> Result<Value, String> {
    let mut fields = Map::new();
    for argument in arguments {
        let (key, value, is_item) = match argument {
            Argument::Json(key, value) => (key, value.clone(), false),
            Argument::Text(key, text) => {
                let property = known(schema, key)?;
                let value = typed(property, text).map_err(|it| format!("`{key}`: {it}"))?;
                (key, value, is_list(property) && !text.starts_with('['))
            }
        };
        match fields.get_mut(key) {
            Some(Value::Array(list)) if is_item => list.push(value),
            Some(_) => return Err(format!("`{key}` is given more than once")),
            None if is_item => {
                fields.insert(key.clone(), Value::Array(vec![value]));
            }
            None => {
                fields.insert(key.clone(), value);
            }
        }
    }
    Ok(Value::Object(fields))
}

/// The schema of a parameter, of its own or of all that have none.
fn known<'a>(schema: &'a Value, key: &str) -> Result<&'a Value, String> {
    let properties = schema["properties"].as_object();
    let found = properties.and_then(|it| it.get(key));
    if found.is_none() && schema["additionalProperties"] == false {
        let names = properties.into_iter().flatten().map(|it| it.0.as_str());
        let names: Vec<&str> = names.collect();
        let hint = suggestion::hint(&suggestion::closest(key, names.iter().copied()));
        let all = match names.is_empty() {
            true => "the tool takes no arguments".to_owned(),
            false => format!("the tool takes {}", names.join(", ")),
        };
        return Err(format!("there is no argument `{key}`{hint}; {all}"));
    }
    Ok(found.unwrap_or(&schema["additionalProperties"]))
}

/// The value of a text by its schema. Where the schema does not decide, a text that is JSON is taken as such.
fn typed(schema: &Value, text: &str) -> Result<Value, String> {
    let types = types(schema);
    let has = |name: &str| types.iter().any(|it| it == name);
    if has("array") && !text.starts_with('[') {
        return typed(&schema["items"], text);
    }
    let json: Option<Value> = serde_json::from_str(text).ok();
    let json = json.filter(|json| types.is_empty() || types.iter().any(|it| fits(json, it)));
    if has("string") {
        // Texts stay texts, even `1` and `true`, unless the schema allows those too.
        let is_other = |json: &Value| !json.is_string();
        return Ok(json.filter(is_other).unwrap_or_else(|| text.into()));
    }
    match json {
        Some(json) => Ok(json),
        None if types.is_empty() => Ok(text.into()),
        None => Err(format!("expected {}", types.join(" or "))),
    }
}

fn is_list(schema: &Value) -> bool {
    types(schema).iter().any(|it| it == "array")
}

/// The types that a schema names, in it or in its alternatives.
fn types(schema: &Value) -> Vec<String> {
    let mut all = Vec::new();
    match &schema["type"] {
        Value::String(name) => all.push(name.clone()),
        Value::Array(names) => {
            all.extend(names.iter().filter_map(Value::as_str).map(str::to_owned))
        }
        _ => {}
    }
    for choices in ["anyOf", "oneOf"] {
        for choice in schema[choices].as_array().into_iter().flatten() {
            all.extend(types(choice));
        }
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        if all.is_empty() && value.is_string() {
            all.push("string".into());
        }
    }
    all
}

fn fits(json: &Value, name: &str) -> bool {
    match name {
        "integer" => json.is_i64() || json.is_u64(),
        "number" => json.is_number(),
        "boolean" => json.is_boolean(),
        "array" => json.is_array(),
        "object" => json.is_object(),
        "null" => json.is_null(),
        _ => json.is_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Value, String> {
        let schema = json!({"additionalProperties": false, "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer"},
            "ratio": {"type": "number"},
            "is_new": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "place": {"type": "object"},
            "limit": {"type": ["integer", "null"]},
            "id": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "side": {"enum": ["buy", "sell"]},
            "any": {},
        }});
        let parsed: Result<Vec<Argument>, String> =
            arguments.iter().map(|it| Argument::parse(it)).collect();
        object(&parsed?, &schema)
    }

    #[test]
    fn a_value_has_the_type_of_its_parameter() {
        for (arguments, expected) in [
            (&["name=1"][..], json!({"name": "1"})),
            (&["name="], json!({"name": ""})),
            (&["name=a=b"], json!({"name": "a=b"})),
            (&["count=3", "ratio=0.5"], json!({"count": 3, "ratio": 0.5})),
            (&["ratio=2"], json!({"ratio": 2})),
            (&["is_new=true"], json!({"is_new": true})),
            (&["tags=a", "tags=1"], json!({"tags": ["a", "1"]})),
            (&["tags=[\"a\",\"b\"]"], json!({"tags": ["a", "b"]})),
            (&["sizes=1", "sizes=2"], json!({"sizes": [1, 2]})),
            (&["place={\"x\":1}"], json!({"place": {"x": 1}})),
            (&["limit=null"], json!({"limit": null})),
            (&["id=7"], json!({"id": 7})),
            (&["id=x7"], json!({"id": "x7"})),
            (&["side=buy"], json!({"side": "buy"})),
            (&["any=5"], json!({"any": 5})),
            (&["any=five"], json!({"any": "five"})),
            (
                &["name:=5", "count:=\"x\""],
                json!({"name": 5, "count": "x"}),
            ),
        ] {
            assert_eq!(read(arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn a_value_that_cannot_have_its_type_is_refused_with_its_key() {
        for (arguments, problem) in [
            (&["count=three"][..], "`count`: expected integer"),
            (&["count=1.5"], "`count`: expected integer"),
            (&["is_new=yes"], "`is_new`: expected boolean"),
            (&["sizes=1", "sizes=b"], "`sizes`: expected integer"),
            (&["place=x"], "`place`: expected object"),
            (&["limit=x"], "`limit`: expected integer or null"),
            (&["name=a", "name=b"], "`name` is given more than once"),
            (&["any:={"], "`any` is not JSON"),
            (&["count"], "expected `KEY=VALUE` or `KEY:=JSON`"),
            (&["coumt=1"], "there is no argument `coumt`"),
        ] {
            let error = read(arguments).unwrap_err();
            assert!(error.starts_with(problem), "{arguments:?}: {error}");
        }
    }
}
