//! From the JSON of a schema to the rules in it.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Rules;
use super::array::ArrayRules;
use super::choice::Choice;
use super::format::{Format, range};
use super::keywords::{Keywords, names_of};
use super::node::{Id, Node};
use super::number::{Multiple, Range};
use super::object::{ObjectRules, Rest};
use super::pattern::Pattern;
use super::text::TextRules;
use super::value::{Types, Values};

/// The schemas of one document.
struct Compiler<'s> {
    document: &'s Value,
    nodes: Vec<Node>,
    /// The schemas that are referred to, by their JSON pointers.
    referred: HashMap<String, Id>,
    problems: Vec<String>,
}

pub(super) fn compile(document: &Value) -> (Rules, Vec<String>) {
    let mut compiler = Compiler {
        document,
        nodes: vec![Node::default()],
        referred: HashMap::from([(String::new(), 0)]),
        problems: Vec::new(),
    };
    compiler.nodes[0] = compiler.node(document, "$");
    let rules = Rules {
        nodes: compiler.nodes,
        root: 0,
    };
    (rules, compiler.problems)
}

impl<'s> Compiler<'s> {
    fn schema(&mut self, schema: &'s Value, place: &str) -> Id {
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[id] = self.node(schema, place);
        id
    }

    fn node(&mut self, schema: &'s Value, place: &str) -> Node {
        let mut node = Node::default();
        let fields = match schema {
            Value::Object(fields) => fields,
            Value::Bool(takes_all) => {
                node.is_never = !takes_all;
                return node;
            }
            _ => {
                self.problems.push(format!(
                    "`{place}` is not a schema: it must be an object or a boolean"
                ));
                return node;
            }
        };
        let mut keywords = Keywords::new(fields, place);
        node.types = keywords.read("type", "a JSON type, or a list of them", Types::of);
        node.values = values(&mut keywords);
        node.range = numbers(&mut keywords);
        node.multiple = keywords.read(
            "multipleOf",
            "a number above 0 with at most 18 digits",
            Multiple::of,
        );
        node.text = texts(&mut keywords);
        format(&mut keywords, &mut node);
        node.array = self.array(&mut keywords);
        node.object = self.object(&mut keywords);
        node.choices = self.choices(&mut keywords);
        node.unevaluated = self.child(&mut keywords, "unevaluatedProperties");
        if place == "$" {
            keywords.get("$id");
        }
        keywords.refuse_others();
        self.problems.append(&mut keywords.problems);
        node
    }

    fn array(&mut self, keywords: &mut Keywords<'s>) -> ArrayRules {
        let contained = keywords.bounds("minContains", "maxContains").or_one();
        ArrayRules {
            length: keywords.bounds("minItems", "maxItems"),
            first: self.list(keywords, "prefixItems"),
            rest: self.child(keywords, "items"),
            is_unique: keywords.read("uniqueItems", "`true` or `false`", Value::as_bool)
                == Some(true),
            contains: self.child(keywords, "contains").map(|it| (contained, it)),
        }
    }

    fn object(&mut self, keywords: &mut Keywords<'s>) -> ObjectRules {
        let rest = self.child(keywords, "additionalProperties");
        ObjectRules {
            size: keywords.bounds("minProperties", "maxProperties"),
            required: keywords.names("required"),
            properties: self.named(keywords, "properties"),
            patterns: self.patterns(keywords),
            rest: match rest {
                Some(schema) if self.nodes[schema].is_never => Rest::Nothing,
                Some(schema) => Rest::Schema(schema),
                None => Rest::Anything,
            },
            describes_rest: rest.is_some(),
            names: self.child(keywords, "propertyNames"),
            dependent: dependent(keywords),
            dependent_schemas: self.named(keywords, "dependentSchemas"),
        }
    }

    fn choices(&mut self, keywords: &mut Keywords<'s>) -> Vec<Choice> {
        let mut choices = Vec::new();
        choices.extend(self.reference(keywords).map(|it| Choice::All(vec![it])));
        for (keyword, combine) in [
            ("allOf", Choice::All as fn(Vec<Id>) -> Choice),
            ("anyOf", Choice::Any),
            ("oneOf", Choice::One),
        ] {
            let schemas = self.list(keywords, keyword);
            choices.extend((!schemas.is_empty()).then(|| combine(schemas)));
        }
        choices.extend(self.child(keywords, "not").map(Choice::Not));
        let condition = self.child(keywords, "if");
        let (then, other) = (self.child(keywords, "then"), self.child(keywords, "else"));
        choices.extend(condition.map(|condition| Choice::If {
            condition,
            then,
            other,
        }));
        choices
    }

    fn child(&mut self, keywords: &mut Keywords<'s>, keyword: &'static str) -> Option<Id> {
        let schema = keywords.get(keyword)?;
        Some(self.schema(schema, &format!("{}.{keyword}", keywords.place)))
    }

    fn list(&mut self, keywords: &mut Keywords<'s>, keyword: &'static str) -> Vec<Id> {
        let list = |it: &'s Value| it.as_array().filter(|it| !it.is_empty());
        let schemas = keywords.read(keyword, "a list of schemas", list);
        let schemas = schemas.into_iter().flatten().enumerate();
        schemas
            .map(|(index, it)| self.schema(it, &format!("{}.{keyword}[{index}]", keywords.place)))
            .collect()
    }

    fn named(&mut self, keywords: &mut Keywords<'s>, keyword: &'static str) -> Vec<(String, Id)> {
        let schemas = keywords.read(keyword, "an object of schemas", Value::as_object);
        let place = |name: &str| format!("{}.{keyword}.{name}", keywords.place);
        let schemas = schemas.into_iter().flatten();
        schemas
            .map(|(name, it)| (name.clone(), self.schema(it, &place(name))))
            .collect()
    }

    fn patterns(&mut self, keywords: &mut Keywords<'s>) -> Vec<(Pattern, Id)> {
        let schemas = self.named(keywords, "patternProperties");
        let mut patterns = Vec::new();
        for (source, id) in schemas {
            match Pattern::of(&source) {
                Ok(pattern) => patterns.push((pattern, id)),
                Err(problem) => keywords.refuse(
                    "patternProperties",
                    format!("has the pattern `{source}`, which {problem}"),
                ),
            }
        }
        patterns
    }

    /// The schema that is referred to, which may be one around this.
    fn reference(&mut self, keywords: &mut Keywords<'s>) -> Option<Id> {
        let target = keywords.read("$ref", "a string", Value::as_str)?;
        let pointer = target
            .strip_prefix('#')
            .and_then(|it| percent_decode_str(it).decode_utf8().ok())
            .map(Cow::into_owned);
        let found = pointer.and_then(|it| Some((self.document.pointer(&it)?, it)));
        let Some((schema, pointer)) = found else {
            keywords.refuse(
                "$ref",
                format!("refers to `{target}`, which is no JSON pointer to a schema of this document, such as `#/$defs/name`"),
            );
            return None;
        };
        if let Some(id) = self.referred.get(&pointer) {
            return Some(*id);
        }
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        let place = format!("${}", pointer.replace('/', "."));
        self.referred.insert(pointer, id);
        self.nodes[id] = self.node(schema, &place);
        Some(id)
    }
}

fn values(keywords: &mut Keywords<'_>) -> Vec<Values> {
    let list = |it: &Value| it.as_array().map(|it| Values::of(it));
    let choices = keywords.read("enum", "a list of values", list);
    let only = keywords.get("const").map(std::slice::from_ref);
    choices.into_iter().chain(only.map(Values::of)).collect()
}

fn numbers(keywords: &mut Keywords<'_>) -> Range {
    let mut range = Range::default();
    for (keyword, narrow, is_exclusive) in [
        (
            "minimum",
            Range::at_least as fn(&mut Range, &str, bool),
            false,
        ),
        ("exclusiveMinimum", Range::at_least, true),
        ("maximum", Range::at_most, false),
        ("exclusiveMaximum", Range::at_most, true),
    ] {
        if let Some(number) = keywords.read(keyword, "a number", Value::as_number) {
            narrow(&mut range, &number.to_string(), is_exclusive);
        }
    }
    range
}

fn texts(keywords: &mut Keywords<'_>) -> TextRules {
    let length = keywords.bounds("minLength", "maxLength");
    let source = keywords.read("pattern", "a string", Value::as_str);
    let pattern = source.and_then(|it| match Pattern::of(it) {
        Ok(pattern) => Some(pattern),
        Err(problem) => {
            keywords.refuse("pattern", problem);
            None
        }
    });
    TextRules {
        length,
        pattern,
        format: None,
    }
}

fn format(keywords: &mut Keywords<'_>, node: &mut Node) {
    let Some(name) = keywords.read("format", "a string", Value::as_str) else {
        return;
    };
    if let Some((least, most)) = range(name) {
        node.range.at_least(least, false);
        node.range.at_most(most, false);
        return;
    }
    match Format::of(name) {
        Ok(format) => node.text.format = format,
        Err(problem) => keywords.refuse("format", problem),
    }
}

fn dependent(keywords: &mut Keywords<'_>) -> Vec<(String, Vec<String>)> {
    let read = |fields: &Map<String, Value>| {
        let entries = fields.iter();
        entries
            .map(|(name, needed)| Some((name.clone(), names_of(needed)?)))
            .collect()
    };
    let entries = keywords.read("dependentRequired", "an object of lists of names", |it| {
        it.as_object().and_then(read)
    });
    entries.unwrap_or_default()
}
