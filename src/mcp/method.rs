//! The methods that both eras have in common, beside `tools/call`.

use http::HeaderMap;

use super::fault::Fault;
use super::list::List;
use super::message::Request;
use super::prompt::GetParams;
use super::read::ReadParams;
use super::version::Shape;
use super::{Endpoint, Reply, headers};
use crate::context::Context;

/// Answers one request. A modern one comes with the headers that must repeat what it is about.
pub(super) async fn answer(
    endpoint: &Endpoint,
    shape: Shape,
    request: &Request<'_>,
    modern: Option<&HeaderMap>,
    cx: &Context,
) -> Result<Reply, Fault> {
    let payloads = &endpoint.payloads;
    if let Some(list) = List::of(&request.method).filter(|list| payloads.has(*list)) {
        let page = payloads.page(list, shape, request)?;
        return Ok(payloads.reply(request, list.method(), page));
    }
    match &*request.method {
        "resources/read" if payloads.has(List::Resources) => {
            let params: ReadParams<'_> = request.read_params()?;
            modern.map_or(Ok(()), |it| {
                headers::check_name(it, &params.uri, "params.uri")
            })?;
            endpoint.read(shape, request, &params.uri, cx).await
        }
        "prompts/get" if payloads.has(List::Prompts) => {
            let params: GetParams<'_> = request.read_params()?;
            modern.map_or(Ok(()), |it| {
                headers::check_name(it, &params.name, "params.name")
            })?;
            endpoint.get(shape, request, &params, cx).await
        }
        "completion/complete" if payloads.has_completions() => {
            endpoint.complete(shape, request, cx).await
        }
        method => Err(Fault::method_not_found(method)),
    }
}
