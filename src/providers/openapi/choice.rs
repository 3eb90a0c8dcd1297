//! The members of a choice, each with what all of them share, and with the value that tells it from the others.

use std::rc::Rc;

use serde_json::{Value, json};

use super::composed::{Composed, Reference};
use super::library::{Library, Node, reference};
use crate::schema;

/// The most members of a choice that are described.
const MAX_MEMBERS: usize = 24;

/// The members as schemas of their own.
pub(super) fn members(library: &Library, composed: &Composed, open: &[Reference]) -> Vec<Node> {
    let choices = composed.choices.iter().take(MAX_MEMBERS);
    choices
        .map(|member| {
            let mut parts = vec![(*member.value).clone()];
            parts.extend(shared(composed, member.file));
            parts.extend(tag(library, composed, member, open));
            match parts.len() {
                1 => member.clone(),
                _ => Node {
                    file: member.file,
                    value: Rc::new(json!({ "allOf": parts })),
                },
            }
        })
        .collect()
}

/// The fields that stand beside the choice.
fn shared(composed: &Composed, file: usize) -> Option<Value> {
    let own = composed.properties.iter();
    // A schema of another file cannot stand here, because its references would lead elsewhere.
    let own = own.filter(|(_, node)| node.file == file);
    let properties = schema::object(own.map(|(name, node)| (name.clone(), (*node.value).clone())));
    let required: Vec<&String> = composed.required.iter().collect();
    match properties.is_empty() && required.is_empty() {
        true => None,
        false => Some(json!({ "type": "object", "properties": properties, "required": required })),
    }
}

/// The value of the discriminator that stands for a member: what `mapping` says, or else the name of its schema.
fn tag(library: &Library, composed: &Composed, member: &Node, open: &[Reference]) -> Option<Value> {
    let discriminator = composed.discriminator.as_ref()?;
    let property = match &*discriminator.value {
        Value::String(name) => name,
        other => other.get("propertyName")?.as_str()?,
    };
    let target = reference(&member.value)?;
    let mapping = discriminator
        .value
        .get("mapping")
        .and_then(Value::as_object);
    let name = target.rsplit('/').next().unwrap_or(target);
    let mut mapped: Vec<&str> = mapping
        .into_iter()
        .flatten()
        .filter(|(_, it)| it.as_str().is_some_and(|it| it == target || it == name))
        .map(|(value, _)| value.as_str())
        .collect();
    if mapped.is_empty() {
        mapped.push(name);
    }
    let own = Composed::of(library, member, open);
    let known = own.properties.get(property);
    let says_itself = known.is_some_and(|it| Composed::of(library, it, open).values.is_some());
    let values = match says_itself {
        true => json!({}),
        false => json!({ "type": "string", "enum": mapped }),
    };
    Some(
        json!({ "type": "object", "properties": { property: tagged(known, values) }, "required": [property] }),
    )
}

fn tagged(known: Option<&Node>, values: Value) -> Value {
    let mut schema = known
        .and_then(|it| it.value.as_object().cloned())
        .unwrap_or_default();
    for (keyword, value) in values.as_object().into_iter().flatten() {
        schema.insert(keyword.clone(), value.clone());
    }
    Value::Object(schema)
}
