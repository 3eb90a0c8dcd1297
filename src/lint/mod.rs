//! What clients refuse in the schemas of arguments, though the protocol allows it.
//!
//! Much of it cannot be in a schema that is made from an argument struct, or stops the start. What was given word for
//! word ([`Tool::input_schema`](crate::Tool::input_schema)), or comes from a type's own `JsonSchema`, is what this
//! module is for. Each rule names a public report or the documentation of the client that it speaks of.

mod dialect;
mod header;
mod limit;
mod node;
mod refusal;
mod subset;

use std::fmt;

use serde_json::Value;

use crate::registry::Registry;

/// Something in a schema that not every client takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the function.
    pub function: &'static str,
    /// Where it stands in the schema of the arguments (JSONPath).
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// Who refuses it.
    pub clients: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A client refuses the function, or every function of the server with it.
    Error,
    /// A client refuses it in one of its modes, or through one of its interfaces.
    Warning,
}

/// All findings in the functions that MCP clients see, in the order of registration.
pub fn findings(registry: &Registry) -> Vec<Finding> {
    let tools = registry.tools().iter().filter(|tool| tool.on_mcp());
    tools
        .flat_map(|tool| of_schema(tool.name(), &tool.arguments()))
        .collect()
}

fn of_schema(function: &'static str, schema: &Value) -> Vec<Finding> {
    let nodes = node::all(function, schema);
    let root = &nodes[0];
    let mut found = Vec::new();
    for node in &nodes {
        found.extend(dialect::findings(node));
        found.extend(refusal::findings(node, root));
        found.extend(subset::findings(node));
    }
    found.extend(header::findings(&nodes));
    found.extend(limit::findings(root, &nodes));
    found
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: function `{}`, `{}`: {}, which is refused by {}; {}",
            self.severity, self.function, self.place, self.problem, self.clients, self.remedy
        )
    }
}
