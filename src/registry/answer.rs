//! What a function returned, encoded once.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::content::Content;
use crate::context::{Context, Form, Reservation};
use crate::error::Result;
use crate::schema;

/// An encoded result: the bytes that every protocol sends.
pub struct Answer {
    json: Box<RawValue>,
    is_content: bool,
    /// Its share of the request's budget, where another function has called for it.
    #[expect(dead_code, reason = "it is given back when this is dropped")]
    hold: Option<Reservation>,
}

/// What a function may return: any value with a schema, or [`Content`].
pub trait IntoAnswer {
    /// The JSON schema of the result, if it is structured.
    fn schema() -> Option<Value>;

    /// Encodes the result, as far as the budget of the request goes.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit, `Internal` where the value has no JSON form.
    fn into_answer(self, cx: &Context) -> Result<Answer>;
}

impl Answer {
    /// The result as JSON: REST's body, MCP's `structuredContent`.
    pub fn json(&self) -> &RawValue {
        &self.json
    }

    /// Whether the JSON is a list of MCP content blocks instead of a structured result.
    pub fn is_content(&self) -> bool {
        self.is_content
    }
}

impl<T: Serialize + JsonSchema> IntoAnswer for T {
    fn schema() -> Option<Value> {
        Some(schema::output::<T>())
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let (json, hold) = cx.encode_answer(&self, cx.form())?;
        Ok(Answer {
            json,
            is_content: false,
            hold,
        })
    }
}

impl IntoAnswer for Content {
    fn schema() -> Option<Value> {
        None
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        // Blocks are a part of the response as they are.
        let (json, hold) = cx.encode_answer(&self.blocks(), Form::Json)?;
        Ok(Answer {
            json,
            is_content: true,
            hold,
        })
    }
}
