//! What a function may return, and what is published of it before it returns anything.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::answer::Answer;
use super::content::Content;
use super::root;
use crate::context::{Context, Form};
use crate::error::Result;
use crate::schema;

/// What is published of a result: its schema, its media type and its status on REST.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Output {
    /// The JSON schema of the result as REST sends it; `None` for content blocks, bytes and nothing.
    pub schema: Option<Value>,
    /// The media type on REST: `*/*` for bytes whose type each call decides, `None` where there is no body.
    pub media_type: Option<&'static str>,
    /// The HTTP status of success.
    pub status: u16,
    /// Whether a `Result` would be sent as a value.
    pub(super) is_result: bool,
}

/// What a function may return: any value with a schema, [`Content`], [`Bytes`](crate::Bytes),
/// [`Created`](crate::Created), [`Accepted`](crate::Accepted), [`NoContent`](crate::NoContent), or an [`Answer`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    label = "no result of a tool",
    note = "derive `serde::Serialize` and `JsonSchema` for it, or return `Content`, `Bytes` or `Answer`"
)]
pub trait IntoAnswer {
    /// What is published of the result.
    fn output() -> Output;

    /// Encodes the result, as far as the budget of the request goes.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit, `Internal` where the value has no JSON form.
    fn into_answer(self, cx: &Context) -> Result<Answer>;
}

impl Output {
    pub(super) fn json(schema: Option<Value>) -> Output {
        Output {
            schema,
            media_type: Some("application/json"),
            status: 200,
            is_result: false,
        }
    }

    /// Whether every result is a JSON object. MCP's `structuredContent` is one, so others are put into one.
    pub(super) fn is_object(&self) -> bool {
        self.schema.as_ref().is_none_or(is_object)
    }
}

/// Whether a schema admits nothing but objects.
fn is_object(schema: &Value) -> bool {
    let all = |key: &str| {
        let schemas = schema.get(key).and_then(Value::as_array);
        schemas.is_some_and(|it| !it.is_empty() && it.iter().all(is_object))
    };
    schema.get("type").is_some_and(|it| it == "object") || all("anyOf") || all("oneOf")
}

impl<T: Serialize + JsonSchema> IntoAnswer for T {
    fn output() -> Output {
        Output::json(Some(schema::output::<T>()))
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let (json, hold) = cx.encode_answer(&self, cx.form())?;
        let is_struct = root::is_struct(&self);
        Ok(Answer::of_value(json, is_struct, hold))
    }
}

impl IntoAnswer for Content {
    fn output() -> Output {
        Output::json(None)
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        // Blocks are a part of the response as they are.
        let (json, hold) = cx.encode_answer(&self.blocks(), Form::Json)?;
        Ok(Answer::of_blocks(json, hold))
    }
}

impl IntoAnswer for Answer {
    fn output() -> Output {
        Output::json(None)
    }

    /// What was charged to another call is charged to this one.
    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let form = if self.is_content() {
            Form::Json
        } else {
            cx.form()
        };
        let hold = match self.bytes() {
            Some(bytes) => cx.admit_bytes(bytes.len())?,
            None => cx.admit_json(self.json(), form)?,
        };
        Ok(self.with_hold(hold))
    }
}
