//! Rules for the size of a schema in OpenAI's strict mode.
//!
//! The limits are listed at <https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas>.

use serde_json::Value;

use super::Finding;
use super::node::Node;

const CLIENTS: &str = "OpenAI in strict mode";
const REMEDY: &str = "divide the function into several";

const MAX_PROPERTIES: usize = 5_000;
/// Nested objects, including the arguments themselves.
const MAX_LEVELS: usize = 10;
/// Characters of all property names, definition names, and values of `enum` and `const`.
const MAX_CHARACTERS: usize = 120_000;
/// Values of all `enum`s together.
const MAX_VALUES: usize = 1_000;
/// Values of one `enum` of strings above which the next limit applies to it.
const LONG_ENUM: usize = 250;
/// Characters of such a long `enum`.
const MAX_ENUM_CHARACTERS: usize = 15_000;

pub(super) fn findings(root: &Node<'_>, nodes: &[Node<'_>]) -> Vec<Finding> {
    let count = |of: fn(&Node<'_>) -> usize| nodes.iter().map(of).sum::<usize>();
    let sizes = [
        ("properties", count(properties), MAX_PROPERTIES),
        ("levels of objects", levels(root.schema), MAX_LEVELS),
        (
            "characters of names and values",
            count(characters),
            MAX_CHARACTERS,
        ),
        (
            "values of `enum`",
            count(|node| values(node).count()),
            MAX_VALUES,
        ),
    ];
    let too_large = sizes.into_iter().filter(|(_, size, limit)| size > limit);
    let mut found: Vec<Finding> = too_large
        .map(|(what, size, limit)| {
            let problem = format!("it has {size} {what}, more than {limit}");
            root.warning(root.place.clone(), problem, CLIENTS, REMEDY)
        })
        .collect();
    found.extend(nodes.iter().filter_map(long_enum));
    found
}

fn properties(node: &Node<'_>) -> usize {
    node.properties().map_or(0, |it| it.len())
}

fn values<'s>(node: &Node<'s>) -> impl Iterator<Item = &'s Value> {
    let values = node.get("enum").and_then(Value::as_array);
    values.into_iter().flatten()
}

fn characters(node: &Node<'_>) -> usize {
    let named = ["properties", "$defs", "definitions"].into_iter();
    let named = named.filter_map(|keyword| node.get(keyword)?.as_object());
    let names = named
        .flat_map(|it| it.keys())
        .map(|name| name.chars().count());
    names
        .chain(values(node).chain(node.get("const")).map(length))
        .sum()
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

/// How deep objects are nested.
fn levels(schema: &Value) -> usize {
    let Some(fields) = schema.as_object() else {
        return 0;
    };
    let inner = match fields.get("properties").and_then(Value::as_object) {
        Some(properties) => 1 + properties.values().map(levels).max().unwrap_or(0),
        None => 0,
    };
    let items = fields.get("items").map_or(0, levels);
    let choices = fields.get("anyOf").and_then(Value::as_array);
    let choices = choices.into_iter().flatten().map(levels).max();
    inner.max(items).max(choices.unwrap_or(0))
}

fn long_enum(node: &Node<'_>) -> Option<Finding> {
    let size: usize = values(node).map(length).sum();
    (values(node).count() > LONG_ENUM && size > MAX_ENUM_CHARACTERS).then(|| {
        let problem = format!("its values have {size} characters, more than {MAX_ENUM_CHARACTERS}");
        node.warning(
            node.at("enum"),
            problem,
            CLIENTS,
            "use a string, and let the function check it",
        )
    })
}
