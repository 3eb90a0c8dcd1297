//! `prompts/get`: a prompt with its arguments filled in.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;
use crate::error::excerpt::excerpt;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;
use crate::mcp::messages::{blocks, foreign};
use crate::registry::{Answer, Prompt, Registry, Tool};

#[derive(Deserialize)]
pub(crate) struct GetParams<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl<'a> GetParams<'a> {
    pub(crate) fn of(params: &Params<'a>) -> Result<GetParams<'a>, RpcError> {
        params.decode(|it| {
            Some(GetParams {
                name: it.text(Key::Name)?,
                arguments: it.optional(Key::Arguments)?,
            })
        })
    }

    /// The arguments, which are optional.
    pub(crate) fn arguments(&self) -> &str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetResult<'a> {
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ServerMeta<'a>>,
    description: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a RawValue,
}

/// Finds a prompt by its name.
pub(crate) fn find<'r>(registry: &'r Registry, name: &str) -> Result<&'r Arc<Prompt>, RpcError> {
    let found = registry.prompts().iter().find(|it| it.name() == name);
    let missing = || format!("there is no prompt `{}`", excerpt(name));
    found.ok_or_else(|| RpcError::invalid_params(missing()))
}

/// The result for the `answer` of a prompt's function.
pub(crate) fn result(
    function: &Tool,
    shape: Shape,
    server: &RawValue,
    answer: &Result<Answer, Error>,
) -> Result<Box<RawValue>, RpcError> {
    let answer = answer.as_ref();
    let answer = answer.map_err(|error| RpcError::of_error(shape, function.name(), error))?;
    if let Some(result) = answer.foreign() {
        return Ok(foreign::adapted(result, shape, server));
    }
    let blocks = match answer.is_content() {
        true => blocks::known(answer.json(), shape),
        false => Cow::Owned(blocks::text(&answer.text())),
    };
    let blocks: Vec<&RawValue> = serde_json::from_str(blocks.get()).unwrap_or_default();
    let is_modern = shape == Shape::Modern;
    let message = |content| Message {
        role: "user",
        content,
    };
    let result = GetResult {
        description: function.description(),
        messages: blocks.into_iter().map(message).collect(),
        result_type: is_modern.then_some("complete"),
        meta: is_modern.then(|| ServerMeta::new(server)),
    };
    Ok(to_raw_value(&result).expect("a result of strings and JSON is JSON"))
}
