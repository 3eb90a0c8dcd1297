//! The methods that both eras have in common.

use http::HeaderMap;

use crate::mcp::call::client::ClientChannel;
use crate::mcp::call::execution::{Execution, Subject};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::methods::lists::List;
use crate::mcp::methods::prompts::GetParams;
use crate::mcp::methods::resources::ReadParams;
use crate::mcp::methods::tools::CallParams;
use crate::mcp::{Endpoint, McpResponse};

/// The name of a method that runs a function, for the log: names that callers make up do not belong there.
pub(crate) fn of_function(name: &str) -> Option<&'static str> {
    let known = ["tools/call", "resources/read", "prompts/get"];
    known.into_iter().find(|it| *it == name)
}

/// Answers one request. A modern one over HTTP comes with the headers that must repeat what it is about. `channel` finds out who
/// asks, for the methods that run a function.
pub(crate) async fn answer(
    endpoint: &Endpoint,
    execution: Execution<'_>,
    modern: Option<&HeaderMap>,
    channel: impl FnOnce() -> Result<Option<ClientChannel>, RpcError>,
) -> Result<McpResponse, RpcError> {
    let rendered = &endpoint.rendered;
    let Execution { shape, request, cx } = execution;
    if let Some(list) = List::of(&request.method).filter(|list| rendered.has(*list)) {
        let page = rendered.page(list, shape, request)?;
        return rendered.response(request, list.method(), page, cx);
    }
    let repeated = |name: &str, place| headers::check_name(modern, name, place);
    match &*request.method {
        "tools/call" => {
            let params: CallParams<'_> = request.read_params()?;
            repeated(&params.name, "params.name")?;
            let tool = endpoint.tool(&params.name)?;
            headers::check_params(modern, tool, params.arguments)?;
            let subject = Subject::Tool(tool.clone());
            endpoint
                .run(execution, channel()?, subject, params.arguments())
                .await
        }
        "resources/read" if rendered.has(List::Resources) => {
            let params: ReadParams<'_> = request.read_params()?;
            repeated(&params.uri, "params.uri")?;
            let (resource, arguments) = endpoint.resource(shape, &params.uri)?;
            let subject = Subject::Resource {
                resource: resource.clone(),
                uri: params.uri.into_owned(),
                ttl_ms: rendered.ttl_ms(),
            };
            endpoint
                .run(execution, channel()?, subject, &arguments)
                .await
        }
        "prompts/get" if rendered.has(List::Prompts) => {
            let params: GetParams<'_> = request.read_params()?;
            repeated(&params.name, "params.name")?;
            let subject = Subject::Prompt(endpoint.prompt(&params.name)?.clone());
            endpoint
                .run(execution, channel()?, subject, params.arguments())
                .await
        }
        "completion/complete" if rendered.has_completions() => {
            endpoint.complete(shape, request, cx).await
        }
        method => Err(RpcError::method_not_found(method)),
    }
}
