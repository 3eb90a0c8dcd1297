//! `tools/call`: calls a function by its name.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::context::once::OnceKey;
use crate::error::excerpt::excerpt;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::fields::text;
use crate::mcp::messages::params::{Key, Params};
use crate::registry::{Registry, Tool};

/// The parameters of `tools/call`.
#[derive(Deserialize)]
pub(crate) struct CallParams<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
}

impl<'a> CallParams<'a> {
    pub(crate) fn of(params: &Params<'a>) -> Result<CallParams<'a>, RpcError> {
        params.decode(|it| {
            Some(CallParams {
                name: it.text(Key::Name)?,
                arguments: it.optional(Key::Arguments)?,
            })
        })
    }

    /// The arguments, which are optional.
    pub(crate) fn arguments(&self) -> &str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

/// The key under which the call is made once.
pub(crate) fn once_key(request: &Request<'_>) -> Result<Option<OnceKey>, RpcError> {
    let Some(raw) = request.params.meta.once else {
        return Ok(None);
    };
    let key = OnceKey::parse(&text(raw).unwrap_or_default());
    key.map(Some).map_err(|problem| {
        RpcError::invalid_params(format!("`params._meta.bifold/idempotencyKey`: {problem}"))
    })
}

/// Finds a tool by its name among those on MCP.
pub(crate) fn find<'r>(registry: &'r Registry, name: &str) -> Result<&'r Arc<Tool>, RpcError> {
    let tool = registry.get(name).filter(|tool| tool.on_mcp());
    tool.ok_or_else(|| {
        let hint = registry.hint(name, Tool::on_mcp);
        RpcError::invalid_params(format!("there is no tool `{}`{hint}", excerpt(name)))
    })
}
