//! `completion/complete`: suggestions for an argument of a prompt or a variable of a resource template.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::result::SERVER_INFO;
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::prompts;
use crate::registry::Registry;

/// The maximum number of values in one response.
const MAX_VALUES: usize = 100;

#[derive(Deserialize)]
struct CompleteParams<'a> {
    #[serde(borrow)]
    r#ref: Ref<'a>,
    #[serde(borrow)]
    argument: Argument<'a>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Ref<'a> {
    #[serde(rename = "ref/prompt")]
    Prompt {
        #[serde(borrow)]
        name: Cow<'a, str>,
    },
    #[serde(rename = "ref/resource")]
    Resource {
        #[serde(borrow)]
        uri: Cow<'a, str>,
    },
}

#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// The suggestions for the text so far; empty for an argument without a completer.
pub(crate) async fn complete(
    registry: &Arc<Registry>,
    server: &RawValue,
    shape: Shape,
    params: &Params<'_>,
    cx: &Context,
) -> Result<Box<RawValue>, RpcError> {
    let params: CompleteParams<'_> = params.decode(|it| {
        Some(CompleteParams {
            r#ref: it.parsed(Key::Ref)?,
            argument: it.parsed(Key::Argument)?,
        })
    })?;
    let completers = match &params.r#ref {
        Ref::Prompt { name } => prompts::find(registry, name)?.completers(),
        Ref::Resource { uri } => {
            let found = registry.resources().iter().find(|it| it.uri() == uri);
            found
                .ok_or_else(|| RpcError::resource_not_found(shape, uri))?
                .completers()
        }
    };
    let Argument { name, value } = &params.argument;
    let proposed = registry.propose(completers, cx.clone(), name, value).await;
    let mut values = proposed.map_err(|error| RpcError::of_error(shape, name, &error))?;
    let total = values.len();
    values.truncate(MAX_VALUES);
    let completion = json!({ "values": values, "total": total, "hasMore": total > MAX_VALUES });
    let mut result = json!({ "completion": completion });
    if shape == Shape::Modern {
        result["resultType"] = "complete".into();
        result["_meta"] = json!({ SERVER_INFO: server });
    }
    let result = cx.encode(&result);
    result.map_err(|error| RpcError::of_error(shape, name, &error))
}
