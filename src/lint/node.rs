//! All schemas inside a schema, each with its JSONPath.

use serde_json::{Map, Value};

use super::{Finding, Severity};

/// Keywords whose value is a schema.
const ONE: [&str; 10] = [
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose value is a map of schemas.
const NAMED: [&str; 5] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];

/// A schema with its path.
pub(super) struct Node<'s> {
    /// The name of the function.
    function: &'s str,
    /// The JSONPath from the root.
    pub(super) place: String,
    pub(super) schema: &'s Value,
    /// The keyword that contains the schema; empty for the root.
    pub(super) keyword: &'static str,
    /// How many levels of `properties` lead to it, if no other keyword does.
    pub(super) depth: Option<usize>,
}

/// The schema of the function, and after each schema those inside it.
pub(super) fn all<'s>(function: &'s str, schema: &'s Value) -> Vec<Node<'s>> {
    let root = Node {
        function,
        place: "$".to_owned(),
        schema,
        keyword: "",
        depth: Some(0),
    };
    let mut nodes = Vec::new();
    add(root, &mut nodes);
    nodes
}

fn add<'s>(node: Node<'s>, nodes: &mut Vec<Node<'s>>) {
    let inner = node.inner();
    nodes.push(node);
    for node in inner {
        add(node, nodes);
    }
}

impl<'s> Node<'s> {
    /// The value of `keyword`.
    pub(super) fn get(&self, keyword: &str) -> Option<&'s Value> {
        self.schema.get(keyword)
    }

    /// The properties of an object.
    pub(super) fn properties(&self) -> Option<&'s Map<String, Value>> {
        self.get("properties").and_then(Value::as_object)
    }

    pub(super) fn is_root(&self) -> bool {
        self.keyword.is_empty()
    }

    /// Whether `type` is exactly `kind`.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.get("type").is_some_and(|it| it == kind)
    }

    /// The path of a keyword's value.
    pub(super) fn at(&self, keyword: &str) -> String {
        format!("{}.{keyword}", self.place)
    }

    /// The path of `name` inside a keyword's value.
    pub(super) fn named(&self, keyword: &str, name: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match !name.is_empty() && name.bytes().all(is_plain) {
            true => format!("{}.{name}", self.at(keyword)),
            false => format!("{}['{name}']", self.at(keyword)),
        }
    }

    /// A finding for which a client refuses the function.
    pub(super) fn error(
        &self,
        place: String,
        problem: impl Into<String>,
        clients: &'static str,
        remedy: &'static str,
    ) -> Finding {
        Finding {
            severity: Severity::Error,
            function: self.function.to_owned(),
            place,
            problem: problem.into(),
            clients,
            remedy,
        }
    }

    /// A finding for which a client refuses the function in some of its modes or interfaces.
    pub(super) fn warning(
        &self,
        place: String,
        problem: impl Into<String>,
        clients: &'static str,
        remedy: &'static str,
    ) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..self.error(place, problem, clients, remedy)
        }
    }

    fn inner(&self) -> Vec<Node<'s>> {
        let mut nodes = Vec::new();
        for keyword in ONE {
            let schema = self
                .get(keyword)
                .filter(|it| it.is_object() || it.is_boolean());
            nodes.extend(schema.map(|it| self.child(self.at(keyword), it, keyword)));
        }
        for keyword in LIST {
            let schemas = self.get(keyword).and_then(Value::as_array);
            for (index, schema) in schemas.into_iter().flatten().enumerate() {
                let place = format!("{}[{index}]", self.at(keyword));
                nodes.push(self.child(place, schema, keyword));
            }
        }
        for keyword in NAMED {
            let schemas = self.get(keyword).and_then(Value::as_object);
            for (name, schema) in schemas.into_iter().flatten() {
                nodes.push(self.child(self.named(keyword, name), schema, keyword));
            }
        }
        nodes
    }

    fn child(&self, place: String, schema: &'s Value, keyword: &'static str) -> Node<'s> {
        let depth = self.depth.filter(|_| keyword == "properties");
        Node {
            function: self.function,
            place,
            schema,
            keyword,
            depth: depth.map(|it| it + 1),
        }
    }
}
