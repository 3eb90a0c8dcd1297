//! Revision 2026-07-28: every request carries its version and the client's capabilities in `_meta`.

use http::HeaderMap;

use crate::context::Context;
use crate::error::Error;
use crate::mcp::call::client::ClientChannel;
use crate::mcp::call::execution::Execution;
use crate::mcp::call::task::methods;
use crate::mcp::http::dispatch;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::response::McpResponse;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::messages::version::{MODERN, Shape};
use crate::mcp::methods::subscriptions;

/// Answers one request. The order of the checks follows the specification.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> McpResponse {
    match dispatch_method(endpoint, headers, request, cx).await {
        Ok(response) => response,
        Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error),
    }
}

async fn dispatch_method(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let (version, capabilities) = request.params.required_meta()?;
    headers::check_version(headers, &version)?;
    if version != MODERN {
        return Err(RpcError::unsupported_version(&version));
    }
    headers::check_method(headers, &request.method)?;
    let Endpoint {
        rendered,
        executor,
        updates,
        ..
    } = endpoint;
    match &*request.method {
        "server/discover" => {
            McpResponse::charged(request, "server/discover", rendered.discover(), cx)
        }
        "subscriptions/listen" => {
            let events = subscriptions::listen(updates, rendered.server(), request, cx.expiry())?;
            Ok(McpResponse::listening(events))
        }
        "tasks/get" | "tasks/update" | "tasks/cancel" => {
            let answer = methods::answer(executor, headers, request, capabilities, cx);
            let (method, result) = cx.timeout(answer).await.unwrap_or_else(|| {
                let error = Error::deadline_exceeded();
                Err(RpcError::of_error(Shape::Modern, &request.method, &error))
            })?;
            Ok(McpResponse::result(request, method, &result))
        }
        _ => {
            let shape = Shape::Modern;
            let execution = Execution { shape, request, cx };
            let channel = || ClientChannel::modern(executor, request, capabilities, cx);
            dispatch::answer(endpoint, execution, headers, channel).await
        }
    }
}
