//! `tools/call`: a function by its name.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Endpoint;
use super::fault::Fault;
use crate::excerpt::excerpt;
use crate::registry::Tool;

/// The parameters of `tools/call`.
#[derive(Deserialize)]
pub(super) struct CallParams<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl CallParams<'_> {
    /// The arguments, which may be left out.
    pub(super) fn arguments(&self) -> &str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

impl Endpoint {
    /// The tool of that name, if MCP clients see it.
    pub(super) fn tool(&self, name: &str) -> Result<&Tool, Fault> {
        let tool = self.registry.get(name).filter(|tool| tool.on_mcp());
        tool.ok_or_else(|| {
            let hint = self.registry.hint(name, Tool::on_mcp);
            Fault::invalid_params(format!("there is no tool `{}`{hint}", excerpt(name)))
        })
    }
}
