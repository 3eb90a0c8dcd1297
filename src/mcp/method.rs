//! The methods that both eras have in common.

use http::HeaderMap;

use super::call::CallParams;
use super::fault::Fault;
use super::list::List;
use super::peer::Peer;
use super::prompt::GetParams;
use super::read::ReadParams;
use super::turn::{Subject, Turn};
use super::{Endpoint, Reply, headers};

/// The name of a method that runs a function, for the log: names that callers make up do not belong there.
pub(super) fn of_function(name: &str) -> Option<&'static str> {
    let known = ["tools/call", "resources/read", "prompts/get"];
    known.into_iter().find(|it| *it == name)
}

/// Answers one request. A modern one over HTTP comes with the headers that must repeat what it is about. `peer` finds out who
/// asks, for the methods that run a function.
pub(super) async fn answer(
    endpoint: &Endpoint,
    turn: Turn<'_>,
    modern: Option<&HeaderMap>,
    peer: impl FnOnce() -> Result<Option<Peer>, Fault>,
) -> Result<Reply, Fault> {
    let payloads = &endpoint.payloads;
    let Turn { shape, request, cx } = turn;
    if let Some(list) = List::of(&request.method).filter(|list| payloads.has(*list)) {
        let page = payloads.page(list, shape, request)?;
        return payloads.reply(request, list.method(), page, cx);
    }
    let repeated = |name: &str, place| headers::check_name(modern, name, place);
    match &*request.method {
        "tools/call" => {
            let params: CallParams<'_> = request.read_params()?;
            repeated(&params.name, "params.name")?;
            let tool = endpoint.tool(&params.name)?;
            headers::check_params(modern, tool, params.arguments)?;
            let subject = Subject::Tool(tool.name());
            endpoint
                .run(turn, peer()?, subject, params.arguments())
                .await
        }
        "resources/read" if payloads.has(List::Resources) => {
            let params: ReadParams<'_> = request.read_params()?;
            repeated(&params.uri, "params.uri")?;
            let (place, arguments) = endpoint.resource(shape, &params.uri)?;
            let subject = Subject::Resource(place, params.uri.into_owned());
            endpoint.run(turn, peer()?, subject, &arguments).await
        }
        "prompts/get" if payloads.has(List::Prompts) => {
            let params: GetParams<'_> = request.read_params()?;
            repeated(&params.name, "params.name")?;
            let subject = Subject::Prompt(endpoint.prompt(&params.name)?.name());
            endpoint
                .run(turn, peer()?, subject, params.arguments())
                .await
        }
        "completion/complete" if payloads.has_completions() => {
            endpoint.complete(shape, request, cx).await
        }
        method => Err(Fault::method_not_found(method)),
    }
}
