//! The revisions from 2024-11-05 to 2025-11-25, served without a session: `initialize` leaves nothing behind.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::context::Context;
use crate::context::updates::Topic;
use crate::error::excerpt::{said, sentence};
use crate::mcp::call::client::{ClientChannel, read_level};
use crate::mcp::call::execution::Execution;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::version::{Shape, Version};
use crate::mcp::methods::common;
use crate::mcp::methods::resources::ReadParams;
use crate::mcp::{Endpoint, McpResponse};

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

/// Answers one request of a client that speaks `version`.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> McpResponse {
    match dispatch(endpoint, version, request, cx).await {
        Ok(response) => response,
        Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error.legacy()),
    }
}

async fn dispatch(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let rendered = &endpoint.rendered;
    let shape = Shape::of(version);
    match &*request.method {
        "initialize" => {
            let result = rendered.initialize(negotiate(request)?);
            rendered.response(request, "initialize", &result, cx)
        }
        "ping" => rendered.response(request, "ping", rendered.nothing(), cx),
        "logging/setLevel" => {
            let params: SetLevel<'_> = request.read_params()?;
            read_level(params.level.get())?;
            // Nobody keeps it: a process without sessions does not know the client again.
            rendered.response(request, "logging/setLevel", rendered.nothing(), cx)
        }
        "resources/subscribe" | "resources/unsubscribe"
            if endpoint.updates.has(Topic::Contents) =>
        {
            let params: ReadParams<'_> = request.read_params()?;
            endpoint.subscribable(shape, &params.uri)?;
            // Every stream of this era hears of all documents, so there is nothing to be kept.
            rendered.response(request, "resources/subscribe", rendered.nothing(), cx)
        }
        _ => {
            let channel = || ClientChannel::legacy(endpoint, version, request, cx);
            let execution = Execution { shape, request, cx };
            common::answer(endpoint, execution, None, channel).await
        }
    }
}

/// The version that the client asks for where it is served, else the latest of this era.
fn negotiate(request: &Request<'_>) -> Result<Version, RpcError> {
    let text = request.params.map_or("{}", |params| params.get());
    let asked: Initialize<'_> = serde_json::from_str(text)
        .map_err(|error| format!("`params.protocolVersion`: {}", sentence(&said(&error))))
        .map_err(RpcError::invalid_params)?;
    Ok(Version::parse(&asked.version).unwrap_or(Version::LATEST))
}
