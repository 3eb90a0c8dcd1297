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

/// A schema that is being written.
struct Draft<'c> {
    composed: &'c Composed,
    /// The references that lead to it, and those that it consists of.
    open: &'c [Reference],
    level: usize,
    /// Whether what is inside it is not described any more.
    is_full: bool,
    fields: Map<String, Value>,
    description: String,
}

impl<'c> Draft<'c> {
    /// Another form of the same schema.
    fn form(&self, is_full: bool) -> Draft<'c> {
        Draft {
            is_full,
            fields: Map::new(),
            description: String::new(),
            ..*self
        }
    }

    fn set(&mut self, keyword: &str, value: impl Into<Value>) {
        self.fields.insert(keyword.to_owned(), value.into());
    }

    fn has_type(&self) -> bool {
        ["type", "anyOf"]
            .iter()
            .any(|it| self.fields.contains_key(*it))
    }

    fn remark(&mut self, text: &str) {
        wording::and(&mut self.description, text);
    }

    fn finished(mut self) -> Value {
        if !self.description.is_empty() {
            let description = std::mem::take(&mut self.description);
            self.set("description", description);
        }
        Value::Object(self.fields)
    }
}

impl Writer<'_> {
    /// The schema, and whether null is allowed.
    fn write(&mut self, schema: &Node, open: &[Reference], level: usize) -> (Value, bool) {
        let composed = Composed::of(self.library, schema, open);
        self.left = self.left.saturating_sub(1);
        let texts = ["description", "title"].iter();
        let mut texts = texts.filter_map(|it| composed.text(it));
        let text = texts.find(|it| !it.is_empty()).unwrap_or_default();
        let open: Vec<Reference> = open.iter().chain(&composed.references).cloned().collect();
        let mut draft = Draft {
            composed: &composed,
            open: &open,
            level,
            is_full: self.left == 0 || level >= self.depth,
            fields: Map::new(),
            description: wording::shorten(text, wording::OF_ARGUMENT),
        };
        if composed.is_cut {
            self.is_cut = true;
            let name = composed.name().map(|it| format!(" `{it}`"));
            let name = name.unwrap_or_default();
            draft.remark(&format!("The schema{name} is not repeated here."));
        }
        match composed.kind.as_deref() {
            _ if !composed.choices.is_empty() => self.choose(&mut draft),
            Some("object") => self.object(&mut draft),
            Some("array") => self.array(&mut draft),
            Some("file") => keywords::file(&mut draft.fields, &mut draft.description),
            Some(kind @ ("string" | "integer" | "number" | "boolean")) => draft.set("type", kind),
            _ if composed.kinds.len() > 1 => self.several(&mut draft),
            _ if composed.is_cut => draft.set("type", "object"),
            _ => {}
        }
        if composed.choices.is_empty() {
            keywords::add(&composed, &mut draft.fields, &mut draft.description);
        }
        if !draft.has_type() {
            draft.remark("Any JSON value.");
        }
        (draft.finished(), composed.is_nullable)
    }

    fn object(&mut self, draft: &mut Draft<'_>) {
        draft.set("type", "object");
        let composed = draft.composed;
        let is_empty = composed.properties.is_empty();
        if draft.is_full && (!is_empty || composed.additional.is_some()) {
            self.is_cut = true;
            let names = composed.properties.keys().take(12);
            let names: Vec<&str> = names.map(String::as_str).collect();
            if !names.is_empty() {
                draft.remark(&format!("Fields: {}.", names.join(", ")));
            }
            return;
        }
        let mut properties = Map::new();
        let mut required: Vec<Value> = Vec::new();
        for (name, schema) in &composed.properties {
            let inner = Composed::of(self.library, schema, draft.open);
            // The API sets it; a client must not.
            if inner.flag("readOnly") {
                continue;
            }
            let (mut schema, is_nullable) = self.write(schema, draft.open, draft.level + 1);
            if let (true, Some(fields)) = (is_nullable, schema.as_object_mut()) {
                fields.insert(NULLABLE.to_owned(), true.into());
            }
            if composed.required.contains(name) && !is_nullable {
                required.push(name.as_str().into());
            }
            properties.insert(name.clone(), schema);
        }
        if !properties.is_empty() {
            draft.set("properties", properties);
        }
        if !required.is_empty() {
            draft.set("required", required);
        }
        match &composed.additional {
            Some(schema) => {
                let (schema, _) = self.write(schema, draft.open, draft.level + 1);
                draft.set("additionalProperties", schema);
            }
            None if composed.is_closed && !is_empty => draft.set("additionalProperties", false),
            None => {}
        }
    }

    fn array(&mut self, draft: &mut Draft<'_>) {
        draft.set("type", "array");
        let items = match &draft.composed.items {
            // A list adds no level of objects.
            Some(items) if !draft.is_full || draft.level == self.depth => {
                self.write(items, draft.open, draft.level).0
            }
            Some(_) | None => json!({"description": "Any JSON value."}),
        };
        draft.set("items", items);
    }

    /// Several types, as of OpenAPI 3.1.
    fn several(&mut self, draft: &mut Draft<'_>) {
        let mut choices: Vec<Value> = Vec::new();
        for kind in &draft.composed.kinds {
            let is_full = self.left == 0;
            choices.push(match kind.as_str() {
                "array" => {
                    let mut form = draft.form(is_full);
                    self.array(&mut form);
                    form.fields.into()
                }
                "object" => {
                    let mut form = draft.form(is_full || draft.level >= self.depth);
                    self.object(&mut form);
                    form.fields.into()
                }
                "string" | "number" | "integer" | "boolean" => json!({ "type": kind }),
                _ => continue,
            });
        }
        if !choices.is_empty() {
            draft.set("anyOf", choices);
        }
    }

    /// `oneOf` and `anyOf`: one choice is the schema itself, others are `anyOf`.
    fn choose(&mut self, draft: &mut Draft<'_>) {
        let composed = draft.composed;
        let is_object =
            composed.kind.as_deref() == Some("object") || !composed.properties.is_empty();
        if draft.is_full && is_object {
            self.is_cut = true;
            draft.set("type", "object");
            return;
        }
        let members = super::choice::members(self.library, composed, draft.open);
        let level = draft.level + usize::from(members.len() > 1);
        let mut written = Vec::new();
        for member in &members {
            let (schema, _) = self.write(member, draft.open, level);
            if !written.contains(&schema) {
                written.push(schema);
            }
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
        }
        // A choice that takes anything excludes nothing.
        let is_open = |it: &Value| it.get("type").is_none() && it.get("anyOf").is_none();
        match <[Value; 1]>::try_from(written) {
            Ok([Value::Object(single)]) => {
                for (keyword, value) in single {
                    match (keyword.as_str(), value) {
                        ("description", Value::String(text)) if draft.description.is_empty() => {
                            draft.description = text;
                        }
                        ("description", _) => {}
                        (keyword, value) => draft.set(keyword, value),
                    }
                }
            }
            Ok(_) => {}
            Err(written) if written.iter().any(is_open) => {}
            Err(written) => draft.set("anyOf", written),
        }
    }
}
