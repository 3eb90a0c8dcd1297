//! Dispatches the methods that both eras share.

use http::HeaderMap;

use crate::mcp::call::client::ClientChannel;
use crate::mcp::call::execution::{Execution, Subject};
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::response::McpResponse;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::methods::lists::List;
use crate::mcp::methods::prompts::{self, GetParams};
use crate::mcp::methods::resources::{self, ReadParams};
use crate::mcp::methods::tools::{self, CallParams};
use crate::mcp::methods::{completion, cursor};

/// The method for the log, if it is one that runs a function. Unknown names come from the caller and are not logged.
pub(crate) fn of_function(name: &str) -> Option<&'static str> {
    let known = ["tools/call", "resources/read", "prompts/get"];
    known.into_iter().find(|it| *it == name)
}

/// Answers one request. For a modern request over HTTP `headers` holds the headers that repeat parts of the body.
/// `channel` determines the client's capabilities, for the methods that run a function.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    execution: Execution<'_>,
    modern: Option<&HeaderMap>,
    channel: impl FnOnce() -> Result<Option<ClientChannel>, RpcError>,
) -> Result<McpResponse, RpcError> {
    let Endpoint {
        rendered,
        registry,
        executor,
        ..
    } = endpoint;
    let Execution { shape, request, cx } = execution;
    let params = &request.params;
    if let Some(list) = List::of(&request.method).filter(|list| rendered.has(*list)) {
        let personal = endpoint.personal_lists(cx);
        let rendered = personal.as_deref().unwrap_or(rendered);
        let page = rendered.page(list, shape, cursor::of(params)?)?;
        return McpResponse::charged(request, list.method(), page, cx);
    }
    let repeated = |name: &str, place| headers::check_name(modern, name, place);
    // Boxed: these futures are large, and every layer above would copy them.
    let executed = match &*request.method {
        "tools/call" => {
            let params = CallParams::of(params)?;
            repeated(&params.name, "params.name")?;
            let tool = tools::find(registry, &params.name)?;
            headers::check_params(modern, tool, params.arguments)?;
            let subject = Subject::Tool(tool.clone());
            let key = tools::once_key(request)?;
            let keyed = cx.clone().with_once_key(key);
            let execution = Execution {
                cx: &keyed,
                ..execution
            };
            Box::pin(executor.run(execution, channel()?, subject, params.arguments())).await?
        }
        "resources/read" if rendered.has(List::Resources) => {
            let params = ReadParams::of(params)?;
            repeated(&params.uri, "params.uri")?;
            let (resource, arguments) = resources::find(registry, shape, &params.uri)?;
            let subject = Subject::Resource {
                resource: resource.clone(),
                uri: params.uri.into_owned(),
                ttl_ms: rendered.ttl_ms(),
            };
            Box::pin(executor.run(execution, channel()?, subject, &arguments)).await?
        }
        "prompts/get" if rendered.has(List::Prompts) => {
            let params = GetParams::of(params)?;
            repeated(&params.name, "params.name")?;
            let prompt = prompts::find(registry, &params.name)?;
            let subject = Subject::Prompt(prompt.clone());
            Box::pin(executor.run(execution, channel()?, subject, params.arguments())).await?
        }
        "completion/complete" if rendered.has_completions() => {
            let result = Box::pin(completion::complete(
                registry,
                rendered.server(),
                shape,
                params,
                cx,
            ))
            .await?;
            return Ok(McpResponse::result(request, "completion/complete", &result));
        }
        method => return Err(RpcError::method_not_found(method)),
    };
    Ok(McpResponse::executed(request, executed))
}
