//! `prompts/get`: a ready-made question with its arguments filled in.

use std::borrow::Cow;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::blocks;
use super::fault::Fault;
use super::message::Request;
use super::result::{ServerMeta, encode};
use super::version::Shape;
use super::{Body, Endpoint, Reply};
use crate::context::Context;
use crate::registry::Prompt;
use crate::telemetry::Outcome;

#[derive(Deserialize)]
pub(super) struct GetParams<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetResult<'a> {
    description: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ServerMeta<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a RawValue,
}

impl Endpoint {
    /// The prompt of that name.
    pub(super) fn prompt(&self, name: &str) -> Result<&Prompt, Fault> {
        let found = self.registry.prompts().iter().find(|it| it.name() == name);
        found.ok_or_else(|| Fault::invalid_params(format!("there is no prompt `{name}`")))
    }

    /// The messages of a prompt.
    pub(super) async fn get(
        &self,
        shape: Shape,
        request: &Request<'_>,
        params: &GetParams<'_>,
        cx: &Context,
    ) -> Result<Reply, Fault> {
        let prompt = self.prompt(&params.name)?;
        let function = prompt.function();
        let arguments = params.arguments.map_or("{}", RawValue::get);
        let answer = self.registry.call(function, cx.clone(), arguments).await;
        let answer = answer.map_err(|error| Fault::of_error(shape, prompt.name(), &error))?;
        let blocks = blocks::known(answer.json(), shape);
        let blocks: Vec<&RawValue> = serde_json::from_str(blocks.get()).unwrap_or_default();
        let is_modern = shape == Shape::Modern;
        let result = GetResult {
            description: function.description(),
            messages: blocks
                .into_iter()
                .map(|content| Message {
                    role: "user",
                    content,
                })
                .collect(),
            result_type: is_modern.then_some("complete"),
            meta: is_modern.then(|| ServerMeta::new(self.payloads.server())),
        };
        Ok(Reply {
            status: StatusCode::OK,
            body: Body::Json(encode(request.id, &result)),
            outcome: Outcome::of_call(function.name(), None),
        })
    }
}
