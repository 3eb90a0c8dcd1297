//! A place in arguments, and the schemas that describe it.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;
use serde_json::value::RawValue;

/// The maximum number of references to follow at one place.
const MAX_STEPS: usize = 16;

/// A type of JSON Schema. A value of type `Number` may be whole, too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The schemas that apply to one value: its own, and those that it is composed of.
pub(super) struct Place<'s> {
    root: &'s Value,
    schemas: Vec<&'s Value>,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Boolean => "boolean",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::String => "string",
            Type::Array => "array",
            Type::Object => "object",
        }
    }

    fn has(self, value: &Value) -> bool {
        match value {
            Value::Null => self == Type::Null,
            Value::Bool(_) => self == Type::Boolean,
            Value::Number(it) if it.is_f64() => self == Type::Number,
            Value::Number(_) => self == Type::Integer,
            Value::String(_) => self == Type::String,
            Value::Array(_) => self == Type::Array,
            Value::Object(_) => self == Type::Object,
        }
    }
}

impl<'s> Place<'s> {
    /// The arguments as a whole.
    pub(super) fn root(schema: &'s Value) -> Place<'s> {
        Place {
            root: schema,
            schemas: vec![schema],
        }
    }

    /// Whether no schema describes it.
    pub(super) fn is_free(&self) -> bool {
        self.schemas.is_empty()
    }

    /// Whether a value of this type is allowed here. Without a schema every type is.
    pub(super) fn admits(&self, kind: Type) -> bool {
        let mut schemas = self.schemas.iter();
        self.schemas.is_empty() || schemas.any(|it| self.takes(it, kind, 0))
    }

    /// This place with the alternatives that an object with these fields may match.
    pub(super) fn of_object(&self, fields: &[(Cow<'_, str>, &RawValue)]) -> Place<'s> {
        self.spread(&|schema| self.is_meant(schema, fields))
    }

    /// This place with the schemas that describe arrays.
    pub(super) fn of_array(&self) -> Place<'s> {
        self.spread(&|schema| self.takes(schema, Type::Array, 0))
    }

    /// Whether the field is optional and not nullable.
    pub(super) fn may_lack(&self, name: &str) -> bool {
        let is_known = self
            .schemas
            .iter()
            .any(|it| it["properties"].get(name).is_some());
        let is_required = self.schemas.iter().any(|it| requires(it, name));
        is_known && !is_required && !self.field(name).admits(Type::Null)
    }

    /// The place of a field.
    pub(super) fn field(&self, name: &str) -> Place<'s> {
        let known = self
            .schemas
            .iter()
            .filter_map(|it| it.get("properties")?.get(name));
        let mut schemas: Vec<&Value> = known.collect();
        if schemas.is_empty() {
            let patterns = self
                .schemas
                .iter()
                .filter_map(|it| it.get("patternProperties"));
            let patterns = patterns
                .filter_map(Value::as_object)
                .flat_map(|it| it.values());
            let others = self
                .schemas
                .iter()
                .filter_map(|it| it.get("additionalProperties"));
            // Which pattern the name matches is not checked.
            schemas = patterns.chain(others.filter(|it| it.is_object())).collect();
        }
        self.inside(schemas)
    }

    /// The place of an item of an array.
    pub(super) fn item(&self, index: usize) -> Place<'s> {
        let schemas = self.schemas.iter().filter_map(|it| {
            let first = it.get("prefixItems").and_then(|it| it.get(index));
            first.or_else(|| it.get("items"))
        });
        self.inside(schemas.collect())
    }

    /// A place with each schema once: alternatives with the same schema would otherwise double at each level.
    fn inside(&self, schemas: Vec<&'s Value>) -> Place<'s> {
        let mut seen = HashSet::with_capacity(schemas.len());
        let schemas = schemas.into_iter();
        Place {
            root: self.root,
            schemas: schemas
                .filter(|it| seen.insert(std::ptr::from_ref(*it)))
                .collect(),
        }
    }

    /// The schemas here with those they refer to, and of alternatives those that are `meant`.
    fn spread(&self, meant: &dyn Fn(&'s Value) -> bool) -> Place<'s> {
        let mut schemas = Vec::new();
        for schema in &self.schemas {
            self.collect(schema, meant, &mut schemas, 0);
        }
        self.inside(schemas)
    }

    fn collect(
        &self,
        schema: &'s Value,
        meant: &dyn Fn(&'s Value) -> bool,
        found: &mut Vec<&'s Value>,
        steps: usize,
    ) {
        if steps > MAX_STEPS {
            return;
        }
        found.push(schema);
        let all = self
            .target(schema)
            .into_iter()
            .chain(members(schema, "allOf"));
        let choices = ["anyOf", "oneOf"]
            .into_iter()
            .flat_map(|key| members(schema, key));
        for inner in all.chain(choices.filter(|it| meant(it))) {
            self.collect(inner, meant, found, steps + 1);
        }
    }

    /// The target of a reference inside the same document.
    fn target(&self, schema: &'s Value) -> Option<&'s Value> {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer)
    }

    fn takes(&self, schema: &'s Value, kind: Type, steps: usize) -> bool {
        if steps > MAX_STEPS {
            return true;
        }
        let of_type = match schema.get("type") {
            Some(Value::Array(names)) => names.iter().any(|it| it == kind.name()),
            Some(name) => name == kind.name(),
            None => *schema != Value::Bool(false),
        };
        let constant = schema.get("const").into_iter();
        let choices = schema.get("enum").and_then(Value::as_array);
        let mut values = constant.chain(choices.into_iter().flatten()).peekable();
        let of_values = values.peek().is_none() || values.any(|it| kind.has(it));
        let mut all = self
            .target(schema)
            .into_iter()
            .chain(members(schema, "allOf"));
        let any = |key| {
            let mut choices = members(schema, key).peekable();
            choices.peek().is_none() || choices.any(|it| self.takes(it, kind, steps + 1))
        };
        of_type
            && of_values
            && all.all(|it| self.takes(it, kind, steps + 1))
            && any("anyOf")
            && any("oneOf")
    }

    /// Whether an object with these fields may match the schema, judged by its required fields and tags.
    fn is_meant(&self, schema: &'s Value, fields: &[(Cow<'_, str>, &RawValue)]) -> bool {
        if !self.takes(schema, Type::Object, 0) {
            return false;
        }
        let place = self.inside(vec![schema]).spread(&|_| false);
        let given = |name: &str| fields.iter().find(|it| it.0 == name).map(|it| it.1);
        place.schemas.iter().all(|schema| {
            let mut required = members(schema, "required").filter_map(Value::as_str);
            let properties = schema.get("properties").and_then(Value::as_object);
            let mut properties = properties.into_iter().flatten();
            required.all(|name| match given(name) {
                Some(raw) => raw.get() != "null" || place.field(name).admits(Type::Null),
                None => false,
            }) && properties.all(|(name, property)| is_tag(property, given(name)))
        })
    }
}

/// Whether the value equals the constant of the schema, if there is one.
fn is_tag(schema: &Value, given: Option<&RawValue>) -> bool {
    let Some(Value::String(tag)) = schema.get("const") else {
        return true;
    };
    let given = given.map(|it| serde_json::from_str::<Cow<'_, str>>(it.get()));
    given.is_none_or(|it| it.is_ok_and(|it| it == *tag))
}

fn requires(schema: &Value, name: &str) -> bool {
    members(schema, "required").any(|it| it == name)
}

fn members<'v>(schema: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    let members = schema.get(key).and_then(Value::as_array);
    members.into_iter().flatten()
}
