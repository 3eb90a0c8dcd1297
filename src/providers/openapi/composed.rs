//! One schema with everything that it is composed of: references followed, and `allOf` merged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::library::{FileId, Library, Node, reference};

/// The most schemas that one schema is composed of.
const MAX_PARTS: usize = 64;

/// A reference that is being followed: its file and its text.
pub(super) type Reference = (FileId, String);

/// A schema without references and `allOf`.
#[derive(Default)]
pub(super) struct Composed {
    /// The type that it names; none where several are possible.
    pub(super) kind: Option<String>,
    /// Several types, as of OpenAPI 3.1, without `null`.
    pub(super) kinds: Vec<String>,
    pub(super) is_nullable: bool,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: BTreeSet<String>,
    pub(super) items: Option<Node>,
    /// The schema of further fields.
    pub(super) additional: Option<Node>,
    /// Whether further fields are excluded.
    pub(super) is_closed: bool,
    /// The members of `oneOf` or `anyOf`, without null.
    pub(super) choices: Vec<Node>,
    pub(super) discriminator: Option<Node>,
    /// The values of `enum` or `const`, without null.
    pub(super) values: Option<Vec<Value>>,
    /// All other keywords.
    pub(super) rest: Map<String, Value>,
    /// The references that were followed.
    pub(super) references: Vec<Reference>,
    /// Whether a part contains itself, or cannot be read, and was left out.
    pub(super) is_cut: bool,
    /// The reference that was not followed.
    cut: Option<String>,
    parts: usize,
}

impl Composed {
    /// Composes a schema; `open` are the references that lead to it.
    pub(super) fn of(library: &Library, schema: &Node, open: &[Reference]) -> Composed {
        let mut composed = Composed::default();
        composed.add(library, schema, open);
        composed.settle();
        composed
    }

    /// The last name of the references, for a remark.
    pub(super) fn name(&self) -> Option<&str> {
        let followed = self.references.first().map(|it| &it.1);
        let reference = self.cut.as_ref().or(followed)?;
        let name = reference.rsplit('/').next()?;
        let name = name.split('.').next()?;
        (!name.is_empty() && name.len() <= 80).then_some(name)
    }

    /// The text of a keyword.
    pub(super) fn text(&self, keyword: &str) -> Option<&str> {
        self.rest.get(keyword)?.as_str()
    }

    pub(super) fn flag(&self, keyword: &str) -> bool {
        self.rest.get(keyword) == Some(&Value::Bool(true))
    }

    fn add(&mut self, library: &Library, schema: &Node, open: &[Reference]) {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            self.is_cut = true;
            return;
        }
        let Some(fields) = schema.value.as_object() else {
            return;
        };
        if let Some(target) = reference(&schema.value) {
            let key = (schema.file, target.to_owned());
            if open.contains(&key) || self.references.contains(&key) {
                self.is_cut = true;
                self.cut = Some(key.1);
                return;
            }
            self.references.push(key);
            match library.target(schema.file, target) {
                Ok(target) => self.add(library, &target, open),
                Err(_) => self.is_cut = true,
            }
        }
        let node = |value: &Value| Node {
            file: schema.file,
            value: Rc::new(value.clone()),
        };
        for (keyword, value) in fields {
            match (keyword.as_str(), value) {
                ("$ref" | "$schema" | "$id" | "$comment" | "xml" | "externalDocs", _) => {}
                ("allOf", Value::Array(members)) => {
                    for member in members {
                        self.add(library, &node(member), open);
                    }
                }
                ("properties", Value::Object(properties)) => {
                    let properties = properties.iter();
                    self.properties
                        .extend(properties.map(|(name, it)| (name.clone(), node(it))));
                }
                ("required", Value::Array(names)) => {
                    let names = names.iter().filter_map(Value::as_str);
                    self.required.extend(names.map(str::to_owned));
                }
                ("items", Value::Object(_)) => self.items = Some(node(value)),
                ("additionalProperties", Value::Bool(is_open)) => self.is_closed |= !is_open,
                ("additionalProperties", Value::Object(fields)) if !fields.is_empty() => {
                    self.additional = Some(node(value));
                }
                ("oneOf" | "anyOf", Value::Array(members)) if self.choices.is_empty() => {
                    self.choose(members, &node);
                }
                ("discriminator", _) => self.discriminator = Some(node(value)),
                ("type", _) => self.name_type(value),
                ("nullable" | "x-nullable", Value::Bool(is_nullable)) => {
                    self.is_nullable |= is_nullable;
                }
                ("enum", Value::Array(values)) => self.restrict(values),
                ("const", value) => self.restrict(std::slice::from_ref(value)),
                (extension, _) if extension.starts_with("x-") => {}
                (keyword, value) => drop(self.rest.insert(keyword.to_owned(), value.clone())),
            }
        }
    }

    fn name_type(&mut self, value: &Value) {
        match value {
            Value::String(kind) if kind == "null" => self.is_nullable = true,
            Value::String(kind) => {
                self.kind.get_or_insert_with(|| kind.clone());
            }
            Value::Array(kinds) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let (null, kinds): (Vec<&str>, Vec<&str>) = kinds.partition(|it| *it == "null");
                self.is_nullable |= !null.is_empty();
                match kinds.as_slice() {
                    [kind] => drop(self.kind.get_or_insert_with(|| (*kind).to_owned())),
                    kinds => self.kinds = kinds.iter().map(|it| (*it).to_owned()).collect(),
                }
            }
            _ => {}
        }
    }

    fn choose(&mut self, members: &[Value], node: &impl Fn(&Value) -> Node) {
        for member in members {
            let is_null = member.get("type").is_some_and(|it| it == "null")
                || member
                    .get("enum")
                    .is_some_and(|it| *it == Value::Array(vec![Value::Null]));
            match is_null {
                true => self.is_nullable = true,
                false => self.choices.push(node(member)),
            }
        }
    }

    /// Values that are allowed by all parts, unless there are none.
    fn restrict(&mut self, values: &[Value]) {
        self.is_nullable |= values.contains(&Value::Null);
        let mut values: Vec<Value> = values.iter().filter(|it| !it.is_null()).cloned().collect();
        if let Some(known) = &self.values {
            let both: Vec<Value> = known
                .iter()
                .filter(|it| values.contains(it))
                .cloned()
                .collect();
            values = if both.is_empty() { known.clone() } else { both };
        }
        self.values = Some(values);
    }

    /// Finds the type where none is named.
    fn settle(&mut self) {
        if self.kind.is_some() || !self.kinds.is_empty() || !self.choices.is_empty() {
            return;
        }
        let is_object = !self.properties.is_empty() || self.additional.is_some() || self.is_closed;
        let all = |is: fn(&Value) -> bool| {
            let values = self.values.as_ref();
            values.is_some_and(|it| !it.is_empty() && it.iter().all(is))
        };
        let has = |names: &[&str]| names.iter().any(|it| self.rest.contains_key(*it));
        let kind = match () {
            () if is_object => "object",
            () if self.items.is_some() => "array",
            () if all(Value::is_string) || has(&["pattern", "minLength", "maxLength"]) => "string",
            () if all(Value::is_i64) => "integer",
            () if all(Value::is_number) || has(&["minimum", "maximum"]) => "number",
            () if all(Value::is_boolean) => "boolean",
            () => return,
        };
        self.kind = Some(kind.to_owned());
    }
}
