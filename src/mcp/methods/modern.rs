//! Revision 2026-07-28: every request says in `_meta` who asks and in which version.

use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::context::Context;
use crate::error::Error;
use crate::error::excerpt::{said, sentence};
use crate::mcp::call::client::ClientChannel;
use crate::mcp::call::execution::Execution;
use crate::mcp::call::task::methods;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::messages::version::{MODERN, Shape};
use crate::mcp::methods::common;
use crate::mcp::{Endpoint, McpResponse};

/// The keys of `params._meta` that this revision requires.
#[derive(Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

/// Whether the key of the version is there, whatever it holds.
#[derive(Deserialize)]
struct Probe {
    #[serde(default, rename = "_meta")]
    meta: Option<Keys>,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<IgnoredAny>,
}

impl<'a> Meta<'a> {
    /// Whether the parameters carry a version, good or bad.
    pub(crate) fn is_modern(params: &RawValue) -> bool {
        let probe: Option<Probe> = serde_json::from_str(params.get()).ok();
        let keys = probe.and_then(|probe| probe.meta);
        keys.is_some_and(|keys| keys.version.is_some())
    }

    /// The version and the client's capabilities, both of which must be there.
    fn required(params: Option<&'a RawValue>) -> Result<(Cow<'a, str>, &'a RawValue), RpcError> {
        let text = params.map_or("{}", RawValue::get);
        let params: Params<'_> = serde_json::from_str(text).map_err(|error| {
            RpcError::invalid_meta(format!("`params._meta`: {}", sentence(&said(&error))))
        })?;
        let missing = |key: &str| {
            RpcError::invalid_meta(format!(
                "`params._meta` lacks `io.modelcontextprotocol/{key}`"
            ))
        };
        let meta = params.meta.ok_or_else(|| missing("protocolVersion"))?;
        let version = meta.version.ok_or_else(|| missing("protocolVersion"))?;
        let capabilities = meta
            .capabilities
            .ok_or_else(|| missing("clientCapabilities"))?;
        match capabilities.get().starts_with('{') {
            true => Ok((version, capabilities)),
            false => Err(RpcError::invalid_meta(
                "`params._meta`: `io.modelcontextprotocol/clientCapabilities` must be an object",
            )),
        }
    }
}

/// Answers one request; the checks stand in the order in which the specification lets them be told apart.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> McpResponse {
    match dispatch(endpoint, headers, request, cx).await {
        Ok(response) => response,
        Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error),
    }
}

async fn dispatch(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let (version, capabilities) = Meta::required(request.params)?;
    headers::check_version(headers, &version)?;
    if version != MODERN {
        return Err(RpcError::unsupported_version(&version));
    }
    headers::check_method(headers, &request.method)?;
    let rendered = &endpoint.rendered;
    match &*request.method {
        "server/discover" => rendered.response(request, "server/discover", rendered.discover(), cx),
        "subscriptions/listen" => endpoint.listen(request),
        "tasks/get" | "tasks/update" | "tasks/cancel" => {
            let answer = methods::answer(endpoint, headers, request, capabilities, cx);
            cx.timeout(Box::pin(answer)).await.unwrap_or_else(|| {
                let error = Error::deadline_exceeded();
                Err(RpcError::of_error(Shape::Modern, &request.method, &error))
            })
        }
        _ => {
            let shape = Shape::Modern;
            let execution = Execution { shape, request, cx };
            let channel = || ClientChannel::modern(endpoint, request, capabilities, cx);
            common::answer(endpoint, execution, headers, channel).await
        }
    }
}
