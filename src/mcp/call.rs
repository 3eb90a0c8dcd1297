//! `tools/call`: the one method that runs a function, in one answer or as a stream of its progress.

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::accept;
use super::events::Events;
use super::fault::Fault;
use super::message::{Request, is_id};
use super::result::response;
use super::version::Shape;
use super::{Body, Endpoint, Reply};
use crate::context::Context;
use crate::registry::Tool;
use crate::telemetry::{Outcome, Pending};

/// The parameters of `tools/call`.
#[derive(Deserialize)]
pub(super) struct CallParams<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

impl<'a> CallParams<'a> {
    /// The token by which the client wants to be told of progress, if it does.
    fn progress_token(&self) -> Option<&'a RawValue> {
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(borrow, default, rename = "progressToken")]
            token: Option<&'a RawValue>,
        }
        // Few calls have one, so what every modern call has is read once more for those alone.
        let meta = self.meta.filter(|it| it.get().contains("progressToken"))?;
        let meta: Option<Meta<'a>> = serde_json::from_str(meta.get()).ok();
        meta?.token.filter(|token| is_id(token))
    }
}

impl Endpoint {
    /// The tool of that name, if MCP clients see it.
    pub(super) fn tool(&self, name: &str) -> Result<&Tool, Fault> {
        let tool = self.registry.get(name).filter(|tool| tool.on_mcp());
        tool.ok_or_else(|| {
            let hint = self.registry.hint(name, Tool::on_mcp);
            Fault::invalid_params(format!("there is no tool `{name}`{hint}"))
        })
    }

    /// Calls the tool; its failure is a result that says so, never a JSON-RPC error.
    pub(super) async fn call(
        &self,
        shape: Shape,
        request: &Request<'_>,
        tool: &Tool,
        params: &CallParams<'_>,
        cx: &Context,
    ) -> Reply {
        let token = params.progress_token();
        if let Some(token) = token.filter(|_| request.accept.is_some_and(accept::events)) {
            return self.stream(shape, request, tool, params, token, cx);
        }
        let arguments = params.arguments.map_or("{}", RawValue::get);
        let answer = self.registry.call(tool, cx.clone(), arguments).await;
        let server = (shape == Shape::Modern).then_some(self.payloads.server());
        let body = response(request.id, shape, &answer, server, cx.freshness());
        let outcome = Outcome::of_call(tool.name(), answer.err());
        Reply {
            status: StatusCode::OK,
            body: Body::Json(body),
            outcome,
        }
    }

    /// The same call as a stream of its progress and its response. It runs while the stream is read.
    fn stream(
        &self,
        shape: Shape,
        request: &Request<'_>,
        tool: &Tool,
        params: &CallParams<'_>,
        token: &RawValue,
        cx: &Context,
    ) -> Reply {
        let (reporter, reports) = mpsc::unbounded_channel();
        let cx = cx.clone().reporting(reporter);
        let (registry, name) = (self.registry.clone(), tool.name());
        let (id, server) = (request.id.to_owned(), self.payloads.server().to_owned());
        let arguments = params.arguments.map_or("{}", RawValue::get).to_owned();
        let pending = Pending::default();
        let ending = pending.clone();
        let call = async move {
            let tool = registry.get(name).expect("the name is that of a tool");
            let answer = registry.call(tool, cx.clone(), &arguments).await;
            let server = (shape == Shape::Modern).then_some(&*server);
            let body = response(&id, shape, &answer, server, cx.freshness());
            ending.end(Outcome::of_call(name, answer.err()));
            body
        };
        let events = Events::stream(token.to_owned(), reports, Box::pin(call));
        Reply {
            status: StatusCode::OK,
            body: Body::Events(events, pending),
            outcome: Outcome::cancelled(name),
        }
    }
}
