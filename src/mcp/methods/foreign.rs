//! Entries of lists that come from other MCP servers, in the form of each revision.

use serde_json::{Value, json};

use crate::mcp::messages::version::Shape;
use crate::mcp::methods::lists::SCOPES;
use crate::registry::Tool;

/// The fields of entries that came with a later revision than the first, each with that revision.
const SINCE: [(&str, Shape); 5] = [
    ("annotations", Shape::Hinted),
    ("title", Shape::Structured),
    ("outputSchema", Shape::Structured),
    ("_meta", Shape::Structured),
    ("icons", Shape::Illustrated),
];

/// The entry that another server has for the function, under our name or URI; `None` for a function of our own.
pub(crate) fn entry(function: &Tool, key: &str, name: &str, shape: Shape) -> Option<Value> {
    let mut entry = function.entry()?.clone();
    entry[key] = name.into();
    let is_object = |schema: &Value| schema.get("type").is_some_and(|it| it == "object");
    let fields = entry.as_object_mut()?;
    for (field, since) in SINCE {
        if shape < since && !(field == "annotations" && key != "name") {
            fields.remove(field);
        }
    }
    // Before this revision the root is an object, and some clients refuse the whole list for another one.
    if shape < Shape::Modern && fields.get("outputSchema").is_some_and(|it| !is_object(it)) {
        fields.remove("outputSchema");
    }
    if shape >= Shape::Structured && !function.required_scopes().is_empty() {
        entry["_meta"][SCOPES] = json!(function.required_scopes());
    }
    Some(entry)
}
