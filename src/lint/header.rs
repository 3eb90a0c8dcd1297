//! Rules for `x-mcp-header` that the check at start does not cover.
//!
//! A client of revision 2026-07-28 drops a tool whose `x-mcp-header` is not reached through `properties` alone, is
//! not a header name, is not on a string, an integer or a boolean, or occurs twice (MCP 2026-07-28, Streamable HTTP).

use std::collections::HashSet;

use http::HeaderName;
use serde_json::Value;

use super::Finding;
use super::node::Node;

const CLIENTS: &str = "every client of revision 2026-07-28";

pub(super) fn findings(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for node in nodes {
        let Some(header) = node.get("x-mcp-header") else {
            continue;
        };
        let name = header.as_str().unwrap_or_default();
        let is_new = seen.insert(name.to_ascii_lowercase());
        // The top-level parameters were checked at start.
        if node.depth == Some(1) {
            continue;
        }
        let mut flaw = |problem: &str, remedy| {
            found.push(node.error(node.at("x-mcp-header"), problem, CLIENTS, remedy));
        };
        if node.depth.is_none() || node.is_root() {
            flaw(
                "it is not on a property that is reached through `properties` alone",
                "remove it, or move the property",
            );
        }
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            flaw("it is not a header name", "use letters, digits and `-`");
        }
        if !is_scalar(node) {
            flaw(
                "its property is not a string, an integer or a boolean",
                "remove it",
            );
        }
        if !is_new {
            flaw("another parameter has the same name", "choose another name");
        }
    }
    found
}

fn is_scalar(node: &Node<'_>) -> bool {
    let kind = node.get("type").and_then(Value::as_str);
    matches!(kind, Some("string" | "integer" | "boolean"))
}
