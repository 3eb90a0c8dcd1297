//! The revisions from 2024-11-05 to 2025-11-25, served without a session: `initialize` stores nothing.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::context::updates::Topic;
use crate::error::excerpt::{said, sentence};
use crate::mcp::call::client::{ClientChannel, read_level};
use crate::mcp::call::execution::Execution;
use crate::mcp::http::dispatch;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::response::McpResponse;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::version::{Shape, Version};
use crate::mcp::methods::resources::{self, ReadParams};

#[derive(Deserialize)]
struct Initialize<'a> {
    #[serde(borrow, rename = "protocolVersion")]
    version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct SetLevel<'a> {
    #[serde(borrow)]
    level: &'a RawValue,
}

/// Answers one request of a client that uses `version`.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> McpResponse {
    match dispatch_method(endpoint, version, request, cx).await {
        Ok(response) => response,
        Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error.legacy()),
    }
}

async fn dispatch_method(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let rendered = &endpoint.rendered;
    let shape = Shape::of(version);
    match &*request.method {
        "initialize" => {
            let result = rendered.initialize(negotiate(&request.params)?);
            McpResponse::charged(request, "initialize", &result, cx)
        }
        "ping" => McpResponse::charged(request, "ping", rendered.nothing(), cx),
        "logging/setLevel" => {
            let level = |level| SetLevel { level };
            let params = request.params.decode(|it| it.raw(Key::Level).map(level))?;
            read_level(params.level.get())?;
            // The level is not stored: without sessions the server does not recognise the client again.
            McpResponse::charged(request, "logging/setLevel", rendered.nothing(), cx)
        }
        "resources/subscribe" | "resources/unsubscribe"
            if endpoint.updates.has(Topic::Contents) =>
        {
            let params = ReadParams::of(&request.params)?;
            resources::check_listed(&endpoint.registry, shape, &params.uri)?;
            // Every stream of this era covers all documents, so there is nothing to store.
            McpResponse::charged(request, "resources/subscribe", rendered.nothing(), cx)
        }
        _ => {
            let channel = || ClientChannel::legacy(&endpoint.executor, version, request, cx);
            let execution = Execution { shape, request, cx };
            dispatch::answer(endpoint, execution, None, channel).await
        }
    }
}

/// The requested version if it is supported, otherwise the latest version of this era.
fn negotiate(params: &Params<'_>) -> Result<Version, RpcError> {
    let version = match params.fields().text(Key::ProtocolVersion) {
        Some(version) => version,
        None => misfit(params)?,
    };
    Ok(Version::parse(&version).unwrap_or(Version::LATEST))
}

/// Checks the version that a client requests.
#[cold]
fn misfit<'a>(params: &Params<'a>) -> Result<Cow<'a, str>, RpcError> {
    let asked: Result<Initialize<'_>, _> = serde_json::from_str(params.text());
    let asked = asked.map_err(|error| {
        RpcError::invalid_params(format!(
            "`params.protocolVersion`: {}",
            sentence(&said(&error))
        ))
    });
    Ok(asked?.version)
}
