//! Schemas of arguments that every client takes: no references, one type each, and a bound on their size.

use serde_json::{Map, Value, json};

use super::composed::{Composed, Reference};
use super::keywords;
use super::library::{Library, Node};
use super::wording;

/// The most schemas inside the arguments of one tool.
const MAX_NODES: usize = 300;
/// The most characters of the schema of one argument.
const MAX_CHARACTERS: usize = 24_000;
/// How deep objects are described: the first of these with which the schema is small enough.
const DEPTHS: [usize; 7] = [8, 6, 5, 4, 3, 2, 1];

/// Marks fields that take null, which no client is told.
const NULLABLE: &str = "x-nullable";

/// The portable form of one schema.
pub(super) struct Portable {
    pub(super) schema: Value,
    /// Whether the API takes null.
    pub(super) is_nullable: bool,
    /// Whether a part was left out of the description.
    pub(super) is_cut: bool,
}

struct Writer<'l> {
    library: &'l Library,
    left: usize,
    depth: usize,
    is_cut: bool,
}

/// The portable form of the schema of an argument, of at most `nodes` schemas.
pub(super) fn portable(library: &Library, schema: &Node, nodes: usize) -> Portable {
    let nodes = nodes.min(MAX_NODES);
    let mut last = None;
    for depth in DEPTHS {
        let mut writer = Writer {
            library,
            left: nodes,
            depth,
            is_cut: false,
        };
        let (mut value, is_nullable) = writer.write(schema, &[], 0);
        let is_small = writer.left > 0 && value.to_string().len() <= MAX_CHARACTERS;
        if !is_small && depth == 1 {
            value = cut_short(&value);
            writer.is_cut = true;
        }
        last = Some(Portable {
            schema: value,
            is_nullable,
            is_cut: writer.is_cut,
        });
        if is_small {
            break;
        }
    }
    last.unwrap_or_else(|| Portable {
        schema: json!({}),
        is_nullable: false,
        is_cut: true,
    })
}

/// The schema by which arguments are checked: as the published one, with null where the API takes it.
pub(super) fn typed(schema: &Value, is_nullable: bool) -> Value {
    let mut typed = schema.clone();
    admit_null(&mut typed);
    match is_nullable {
        true => json!({ "anyOf": [typed, { "type": "null" }] }),
        false => typed,
    }
}

fn admit_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(admit_null);
            if fields.remove(NULLABLE).is_some() {
                let own = std::mem::take(fields);
                *schema = json!({ "anyOf": [own, { "type": "null" }] });
            }
        }
        Value::Array(items) => items.iter_mut().for_each(admit_null),
        _ => {}
    }
}

/// Takes the marks away.
pub(super) fn publish(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get(NULLABLE) == Some(&Value::Bool(true)) {
                fields.remove(NULLABLE);
            }
            fields.values_mut().for_each(publish);
        }
        Value::Array(items) => items.iter_mut().for_each(publish),
        _ => {}
    }
}

/// How many schemas are in a schema.
pub(super) fn count(schema: &Value) -> usize {
    match schema {
        Value::Object(fields) => {
            let own = usize::from(
                ["type", "anyOf", "description"]
                    .iter()
                    .any(|it| fields.contains_key(*it)),
            );
            own + fields.values().map(count).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The schema without what is inside it.
fn cut_short(schema: &Value) -> Value {
    let mut description = schema["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    wording::and(&mut description, "Its schema is too large to be shown.");
    match schema["type"].as_str() {
        Some("array") => {
            json!({"type": "array", "items": {"description": "See the API."}, "description": description})
        }
        Some(kind) => json!({"type": kind, "description": description}),
        None => json!({ "description": description }),
    }
}

impl Writer<'_> {
    /// The schema, and whether null is allowed.
    fn write(&mut self, schema: &Node, open: &[Reference], level: usize) -> (Value, bool) {
        let composed = Composed::of(self.library, schema, open);
        self.left = self.left.saturating_sub(1);
        let is_nullable = composed.is_nullable;
        let mut fields = Map::new();
        let mut description = composed.text("description").unwrap_or_default();
        if description.is_empty() {
            description = composed.text("title").unwrap_or_default();
        }
        let mut description = wording::shorten(description, wording::OF_ARGUMENT);
        let is_full = self.left == 0 || level >= self.depth;
        let open: Vec<Reference> = open.iter().chain(&composed.references).cloned().collect();
        if composed.is_cut {
            self.is_cut = true;
            let name = composed
                .name()
                .map_or(String::new(), |it| format!(" `{it}`"));
            wording::and(
                &mut description,
                &format!("The schema{name} is not repeated here."),
            );
        }
        let mut is_choice = false;
        match composed.kind.as_deref() {
            _ if !composed.choices.is_empty() => {
                is_choice = self.choose(
                    &composed,
                    &open,
                    level,
                    &mut fields,
                    is_full,
                    &mut description,
                );
            }
            Some("object") => self.object(
                &composed,
                &open,
                level,
                &mut fields,
                is_full,
                &mut description,
            ),
            Some("array") => self.array(&composed, &open, level, &mut fields, is_full),
            Some("file") => keywords::file(&mut fields, &mut description),
            Some(kind @ ("string" | "integer" | "number" | "boolean")) => {
                fields.insert("type".to_owned(), kind.into());
            }
            _ if composed.kinds.len() > 1 => self.several(&composed, &open, level, &mut fields),
            _ if composed.is_cut => drop(fields.insert("type".to_owned(), "object".into())),
            _ => {}
        }
        if !is_choice {
            keywords::add(&composed, &mut fields, &mut description);
        }
        if fields.get("type").is_none() && fields.get("anyOf").is_none() {
            wording::and(&mut description, "Any JSON value.");
        }
        if !description.is_empty() {
            fields.insert("description".to_owned(), description.into());
        }
        (Value::Object(fields), is_nullable)
    }

    fn object(
        &mut self,
        composed: &Composed,
        open: &[Reference],
        level: usize,
        fields: &mut Map<String, Value>,
        is_full: bool,
        description: &mut String,
    ) {
        fields.insert("type".to_owned(), "object".into());
        let is_empty = composed.properties.is_empty();
        if is_full && (!is_empty || composed.additional.is_some()) {
            self.is_cut = true;
            let names: Vec<&str> = composed
                .properties
                .keys()
                .take(12)
                .map(String::as_str)
                .collect();
            if !names.is_empty() {
                wording::and(description, &format!("Fields: {}.", names.join(", ")));
            }
            return;
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, schema) in &composed.properties {
            let inner = Composed::of(self.library, schema, open);
            // The API sets it; a client must not.
            if inner.flag("readOnly") {
                continue;
            }
            let (mut schema, is_nullable) = self.write(schema, open, level + 1);
            if let (true, Some(fields)) = (is_nullable, schema.as_object_mut()) {
                fields.insert(NULLABLE.to_owned(), true.into());
            }
            if composed.required.contains(name) && !is_nullable {
                required.push(name.as_str().into());
            }
            properties.insert(name.clone(), schema);
        }
        if !properties.is_empty() {
            fields.insert("properties".to_owned(), properties.into());
        }
        if !required.is_empty() {
            fields.insert("required".to_owned(), Value::Array(required));
        }
        match &composed.additional {
            Some(schema) => {
                let (schema, _) = self.write(schema, open, level + 1);
                fields.insert("additionalProperties".to_owned(), schema);
            }
            None if composed.is_closed && !is_empty => {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            None => {}
        }
    }

    fn array(
        &mut self,
        composed: &Composed,
        open: &[Reference],
        level: usize,
        fields: &mut Map<String, Value>,
        is_full: bool,
    ) {
        fields.insert("type".to_owned(), "array".into());
        let items = match &composed.items {
            // A list adds no level of objects.
            Some(items) if !is_full || level == self.depth => self.write(items, open, level).0,
            Some(_) | None => json!({"description": "Any JSON value."}),
        };
        fields.insert("items".to_owned(), items);
    }

    /// Several types, as of OpenAPI 3.1.
    fn several(
        &mut self,
        composed: &Composed,
        open: &[Reference],
        level: usize,
        fields: &mut Map<String, Value>,
    ) {
        let mut choices = Vec::new();
        for kind in &composed.kinds {
            choices.push(match kind.as_str() {
                "array" => {
                    let mut fields = Map::new();
                    self.array(composed, open, level, &mut fields, self.left == 0);
                    Value::Object(fields)
                }
                "object" => {
                    let mut fields = Map::new();
                    let is_full = self.left == 0 || level >= self.depth;
                    self.object(
                        composed,
                        open,
                        level,
                        &mut fields,
                        is_full,
                        &mut String::new(),
                    );
                    Value::Object(fields)
                }
                "string" | "number" | "integer" | "boolean" => json!({ "type": kind }),
                _ => continue,
            });
        }
        if !choices.is_empty() {
            fields.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }

    /// `oneOf` and `anyOf`: one choice is the schema itself, others are `anyOf`. Returns whether the schema is a choice.
    fn choose(
        &mut self,
        composed: &Composed,
        open: &[Reference],
        level: usize,
        fields: &mut Map<String, Value>,
        is_full: bool,
        description: &mut String,
    ) -> bool {
        let is_object =
            composed.kind.as_deref() == Some("object") || !composed.properties.is_empty();
        if is_full && is_object {
            self.is_cut = true;
            fields.insert("type".to_owned(), "object".into());
            return true;
        }
        let members = super::choice::members(self.library, composed, open);
        let mut written = Vec::new();
        for member in &members {
            let (schema, _) = self.write(member, open, level + usize::from(members.len() > 1));
            if !written.contains(&schema) {
                written.push(schema);
            }
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
        }
        let single = match written.as_slice() {
            [single] => single.as_object(),
            _ => None,
        };
        match single {
            Some(single) => {
                for (keyword, value) in single {
                    match (keyword.as_str(), value) {
                        ("description", Value::String(text)) if description.is_empty() => {
                            description.clone_from(text);
                        }
                        ("description", _) => {}
                        _ => drop(fields.insert(keyword.clone(), value.clone())),
                    }
                }
            }
            // A choice that takes anything excludes nothing.
            None if written
                .iter()
                .any(|it| it.get("type").is_none() && it.get("anyOf").is_none()) => {}
            None => drop(fields.insert("anyOf".to_owned(), written.into())),
        }
        true
    }
}
