//! `tools/call`: a function by its name.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::excerpt::excerpt;
use crate::mcp::Endpoint;
use crate::mcp::messages::error::RpcError;
use crate::registry::Tool;

/// The parameters of `tools/call`.
#[derive(Deserialize)]
pub(crate) struct CallParams<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
}

impl CallParams<'_> {
    /// The arguments, which may be left out.
    pub(crate) fn arguments(&self) -> &str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

impl Endpoint {
    /// The tool of that name, if MCP clients see it.
    pub(crate) fn tool(&self, name: &str) -> Result<&Arc<Tool>, RpcError> {
        let tool = self.registry.get(name).filter(|tool| tool.on_mcp());
        tool.ok_or_else(|| {
            let hint = self.registry.hint(name, Tool::on_mcp);
            RpcError::invalid_params(format!("there is no tool `{}`{hint}", excerpt(name)))
        })
    }
}
