//! The arguments of one tool: their names, their schemas, and where the value of each goes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::body::{Body, Shape};
use super::composed::Composed;
use super::library::{Library, Node};
use super::media::Media;
use super::names;
use super::parameter::Parameter;
use super::plan::{Argument, Target};
use super::portable::{self, portable};
use super::wording;

/// The most schemas in the arguments of one tool.
const MAX_NODES: usize = 300;
/// The most arguments of one tool.
const MAX_ARGUMENTS: usize = 250;

/// The arguments of a tool that is being planned.
pub(super) struct Arguments<'l> {
    library: &'l Library,
    taken: HashSet<String>,
    list: Vec<Argument>,
    properties: Map<String, Value>,
    typed: Map<String, Value>,
    required: Vec<Value>,
    nodes: usize,
    left: usize,
    /// Whether a schema was too large or contains itself.
    pub(super) is_cut: bool,
}

impl<'l> Arguments<'l> {
    /// No arguments yet; `count` will come.
    ///
    /// # Errors
    /// They are too many.
    pub(super) fn new(library: &'l Library, count: usize) -> Result<Arguments<'l>, String> {
        if count > MAX_ARGUMENTS {
            return Err(format!(
                "it has {count} arguments, more than {MAX_ARGUMENTS}"
            ));
        }
        Ok(Arguments {
            library,
            taken: HashSet::new(),
            list: Vec::new(),
            properties: Map::new(),
            typed: Map::new(),
            required: Vec::new(),
            nodes: MAX_NODES,
            left: count,
            is_cut: false,
        })
    }

    /// Adds one of a parameter.
    pub(super) fn add_parameter(&mut self, parameter: Parameter) {
        let name = self.name(&parameter.name, parameter.location.word());
        let description = parameter.description.as_deref();
        self.describe(&name, &parameter.schema, description, parameter.is_required);
        self.list.push(Argument {
            name,
            wire: parameter.name,
            target: Target::Parameter {
                location: parameter.location,
                style: parameter.style,
                explode: parameter.explode,
                is_reserved: parameter.is_reserved,
            },
        });
    }

    /// Adds those of a body; returns how the body is made.
    pub(super) fn add_body(&mut self, body: Body) -> (Media, String) {
        match body.shape {
            Shape::Whole(schema) => {
                let name = self.name("body", "request");
                self.describe(
                    &name,
                    &schema,
                    body.description.as_deref(),
                    body.is_required,
                );
                self.list.push(Argument {
                    wire: name.clone(),
                    name,
                    target: Target::Body,
                });
            }
            Shape::Fields(fields) => {
                for field in fields {
                    let name = self.name(&field.name, "body");
                    // An optional body may be left out with all its fields.
                    let is_required = field.is_required && body.is_required;
                    let is_nullable = self.describe(&name, &field.schema, None, is_required);
                    let is_file =
                        body.media == Media::Multipart && is_file(self.library, &field.schema);
                    self.list.push(Argument {
                        name,
                        wire: field.name,
                        target: Target::Field {
                            media_type: field.media_type,
                            is_file,
                            is_null: field.is_required && is_nullable,
                        },
                    });
                }
            }
        }
        (body.media, body.media_type)
    }

    /// A name that no other argument has.
    fn name(&mut self, wire: &str, word: &str) -> String {
        let plain = names::of_argument(wire);
        let told_apart = names::of_argument(&format!("{word}_{plain}"));
        let numbered = (2..).map(|number| names::of_argument(&format!("{plain}_{number}")));
        let candidates = [plain.clone(), told_apart].into_iter().chain(numbered);
        let mut free = candidates.filter(|it| !self.taken.contains(it));
        let name = free.next().unwrap_or(plain);
        self.taken.insert(name.clone());
        name
    }

    /// Publishes an argument; returns whether the API takes null for it.
    fn describe(
        &mut self,
        name: &str,
        schema: &Node,
        description: Option<&str>,
        is_required: bool,
    ) -> bool {
        let share = (self.nodes / self.left.max(1)).max(12);
        self.left = self.left.saturating_sub(1);
        let mut found = portable(self.library, schema, share);
        self.nodes = self.nodes.saturating_sub(portable::count(&found.schema));
        self.is_cut |= found.is_cut;
        let description = description.map(|it| wording::shorten(it, wording::OF_ARGUMENT));
        let description = description.filter(|it| !it.is_empty());
        if let (Some(fields), Some(description)) = (found.schema.as_object_mut(), description) {
            // What was said of the schema in words is kept.
            let remarks = fields
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let own = schema.value.get("description").and_then(Value::as_str);
            let own = own
                .map(|it| wording::shorten(it, wording::OF_ARGUMENT))
                .unwrap_or_default();
            let remarks = remarks.strip_prefix(&*own).unwrap_or_default();
            let remarks = remarks.trim_start_matches(['.', ' ']).to_owned();
            let mut whole = description;
            if !remarks.is_empty() && !whole.contains(&remarks) {
                wording::and(&mut whole, &remarks);
            }
            fields.insert("description".to_owned(), whole.into());
        }
        if let Some(fields) = found.schema.as_object_mut() {
            fields
                .entry("description")
                .or_insert_with(|| name.replace('_', " ").into());
        }
        let typed = portable::typed(&found.schema, found.is_nullable);
        portable::publish(&mut found.schema);
        self.typed.insert(name.to_owned(), typed);
        self.properties.insert(name.to_owned(), found.schema);
        if is_required && !found.is_nullable {
            self.required.push(name.into());
        }
        found.is_nullable
    }

    /// The arguments, the published schema of them, and the one by which they are checked.
    pub(super) fn finish(self) -> (Vec<Argument>, Value, Value) {
        let whole = |properties: Map<String, Value>| {
            let mut schema =
                json!({"type": "object", "properties": properties, "additionalProperties": false});
            if !self.required.is_empty() {
                schema["required"] = self.required.clone().into();
            }
            schema
        };
        (self.list, whole(self.properties), whole(self.typed))
    }
}

fn is_file(library: &Library, schema: &Node) -> bool {
    let composed = Composed::of(library, schema, &[]);
    composed.kind.as_deref() == Some("file")
        || matches!(composed.text("format"), Some("binary"))
        || composed.text("contentMediaType").is_some()
}

/// How many arguments a body has.
pub(super) fn size(body: Option<&Body>) -> usize {
    match body.map(|it| &it.shape) {
        Some(Shape::Fields(fields)) => fields.len(),
        Some(Shape::Whole(_)) => 1,
        None => 0,
    }
}
