//! Finds schemas of arguments that some clients refuse, although the protocol allows them.
//!
//! A schema that is generated from an argument struct avoids most of these problems. A schema that was given directly
//! ([`Tool::input_schema`](crate::Tool::input_schema)), or that a type's own `JsonSchema` returns, may contain any of
//! them. Each rule names a public report or the documentation of the client.
//!
//! ```
//! use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool, lint};
//! use serde::Deserialize;
//!
//! /// Answers at once.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Ping {}
//!
//! async fn ping(_: Context, Ping {}: Ping) -> Result<Content> {
//!     Ok(Content::text("pong"))
//! }
//!
//! let server = Server::new("example", "1.0.0").tools(vec![Tool::new("ping", ping)]);
//! let app = App::new(Config::default(), server)?;
//! assert!(lint::findings(&app.registry()).is_empty());
//! # Ok::<(), bifold::StartError>(())
//! ```

mod dialect;
mod header;
mod limit;
mod name;
mod node;
mod refusal;
mod subset;

use std::fmt;

use serde_json::Value;

use crate::registry::Registry;

/// A part of a schema that some client refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How severe it is.
    pub severity: Severity,
    /// The name of the function.
    pub function: String,
    /// Its path in the schema of the arguments (JSONPath), or `name`.
    pub place: String,
    /// The problem.
    pub problem: String,
    /// The clients that refuse it.
    pub clients: &'static str,
    /// The solution.
    pub remedy: &'static str,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A client refuses the function, or with it every function of the server.
    Error,
    /// A client refuses the function in one of its modes or interfaces.
    Warning,
}

/// All findings in the functions that MCP clients see, in the order of registration.
pub fn findings(registry: &Registry) -> Vec<Finding> {
    let tools = registry.tools().iter().filter(|tool| tool.on_mcp());
    tools
        .flat_map(|tool| {
            let mut found = name::findings(tool.name());
            found.extend(of_schema(tool.name(), &tool.arguments()));
            found
        })
        .collect()
}

/// All findings in one schema of arguments, which no server has to accept for that.
///
/// ```
/// let findings = bifold::lint::of_schema("f", &serde_json::json!({"type": ["object", "null"]}));
/// assert_eq!(findings[0].problem, "it names several types");
/// ```
pub fn of_schema(function: &str, schema: &Value) -> Vec<Finding> {
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
