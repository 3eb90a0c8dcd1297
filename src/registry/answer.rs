//! What a function returned, encoded once.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::content::Content;
use crate::error::{Error, Result};
use crate::schema;

/// An encoded result: the bytes that every protocol sends.
pub struct Answer {
    json: Box<RawValue>,
    is_content: bool,
}

/// What a function may return: any value with a schema, or [`Content`].
pub trait IntoAnswer {
    /// The JSON schema of the result, if it is structured.
    fn schema() -> Option<Value>;

    /// Encodes the result.
    ///
    /// # Errors
    /// `Internal` where the value has no JSON form.
    fn into_answer(self) -> Result<Answer>;
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

    fn into_answer(self) -> Result<Answer> {
        let json = serde_json::value::to_raw_value(&self);
        let json = json.map_err(|error| {
            Error::internal("the result could not be encoded").with_source(error)
        })?;
        Ok(Answer {
            json,
            is_content: false,
        })
    }
}

impl IntoAnswer for Content {
    fn schema() -> Option<Value> {
        None
    }

    fn into_answer(self) -> Result<Answer> {
        let json = serde_json::value::to_raw_value(&self.blocks());
        let json = json.map_err(|error| {
            Error::internal("the content could not be encoded").with_source(error)
        })?;
        Ok(Answer {
            json,
            is_content: true,
        })
    }
}
