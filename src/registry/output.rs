//! The results that a function may return, and what is published of them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::brief;
use super::content::Content;
use super::root;
use super::tool::Tool;
use crate::context::{Context, Form};
use crate::error::Result;
use crate::schema;

/// The published description of a result: its schema, and its media type and status on REST.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Output {
    /// The JSON schema of the result on REST; `None` for content blocks, bytes and no content.
    pub schema: Option<Value>,
    /// The media type on REST: `*/*` if each call decides it, `None` if there is no body.
    pub media_type: Option<&'static str>,
    /// The HTTP status of success.
    pub status: u16,
    /// Whether a `Result` would be sent as a value.
    pub(super) is_result: bool,
    /// Whether it is a page of a list.
    pub(super) is_page: bool,
}

/// What a function may return: any value with a schema, [`Content`], [`Bytes`](crate::Bytes),
/// [`Created`](crate::Created), [`Accepted`](crate::Accepted), [`NoContent`](crate::NoContent), or an [`Answer`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    label = "no result of a tool",
    note = "derive `serde::Serialize` and `JsonSchema` for it, or return `Content`, `Bytes` or `Answer`"
)]
pub trait IntoAnswer {
    /// The published description of the result.
    fn output() -> Output;

    /// Encodes the result, within the budget of the request.
    ///
    /// # Errors
    /// `AnswerTooLarge` if it does not fit, `Internal` if the value has no JSON form.
    fn into_answer(self, cx: &Context) -> Result<Answer>;
}

impl Output {
    pub(super) fn json(schema: Option<Value>) -> Output {
        Output {
            schema,
            media_type: Some("application/json"),
            status: 200,
            is_result: false,
            is_page: false,
        }
    }

    /// Whether every result is a JSON object. MCP's `structuredContent` must be one, so other values are wrapped.
    pub(super) fn is_object(&self) -> bool {
        self.schema.as_ref().is_none_or(is_object)
    }
}

impl Tool {
    /// The JSON schema of MCP's `structuredContent`, which is always an object: a result that is none is its field `result`.
    pub fn structured(&self) -> Option<Value> {
        let whole = self.result()?;
        let mut schema = match self.brief {
            Some(levels) => brief::shortened(whole, levels),
            None => whole.clone(),
        };
        if !self.output().is_object() {
            let properties = json!({ "result": schema });
            return Some(
                json!({ "type": "object", "properties": properties, "required": ["result"] }),
            );
        }
        if let Some(fields) = schema.as_object_mut() {
            fields.entry("type").or_insert_with(|| "object".into());
        }
        Some(schema)
    }

    /// Whether MCP has the answer in a field `result`.
    pub(crate) fn wraps(&self, answer: &Answer) -> bool {
        answer
            .is_value()
            .unwrap_or_else(|| !self.output().is_object())
    }
}

/// Whether a schema admits only objects.
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
        // Content blocks are embedded in the response unchanged.
        let (json, hold) = cx.encode_answer(&self.blocks(), Form::Json)?;
        Ok(Answer::of_blocks(json, hold))
    }
}

impl IntoAnswer for Answer {
    fn output() -> Output {
        Output::json(None)
    }

    /// Moves the charge of another call to this one.
    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let form = if self.is_content() {
            Form::Json
        } else {
            cx.form()
        };
        let hold = match (self.bytes(), self.foreign()) {
            (Some(bytes), _) => cx.admit_bytes(bytes.len())?,
            // It is not written a second time as text.
            (None, Some(foreign)) => cx.admit_json(foreign, Form::Json)?,
            (None, None) => cx.admit_json(self.json(), form)?,
        };
        Ok(self.with_hold(hold).with_next(None))
    }
}
