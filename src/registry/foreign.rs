//! The result of another MCP server: its text, and the part of it that REST sends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The most characters of a failure's text that its error repeats.
const MAX_MESSAGE: usize = 2_000;

/// A result of `tools/call`, `prompts/get` or `resources/read`.
pub(super) struct Foreign {
    whole: Box<RawValue>,
    is_content: bool,
}

/// The fields that are looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
    #[serde(default)]
    is_error: bool,
}

/// A content block, as far as it has text.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

impl Foreign {
    /// Takes the result of a server.
    ///
    /// # Errors
    /// `Failed` with the same result if it says `isError`, `UpstreamInvalidResponse` if it is not a result.
    pub(super) fn new(result: Box<RawValue>) -> Result<Foreign> {
        let fields: Fields<'_> = serde_json::from_str(result.get()).map_err(|error| {
            Error::invalid_response("mcp", "answered with something that is not a result")
                .with_source(error)
        })?;
        if fields.is_error {
            let message = message(fields.content);
            return Err(Error::failed(message).with_foreign(result));
        }
        let is_content = fields.structured_content.is_none() && fields.content.is_some();
        Ok(Foreign {
            whole: result,
            is_content,
        })
    }

    pub(super) fn whole(&self) -> &RawValue {
        &self.whole
    }

    /// The structured content, or else the content blocks, or else all of it.
    pub(super) fn value(&self) -> &RawValue {
        let fields: Option<Fields<'_>> = serde_json::from_str(self.whole.get()).ok();
        let value = fields.and_then(|it| it.structured_content.or(it.content));
        value.unwrap_or(&self.whole)
    }

    /// Whether [`Foreign::value`] is a list of content blocks.
    pub(super) fn is_content(&self) -> bool {
        self.is_content
    }
}

/// The text of the first block.
fn message(content: Option<&RawValue>) -> String {
    let blocks = content.and_then(|it| serde_json::from_str::<Vec<Block<'_>>>(it.get()).ok());
    let texts = blocks.into_iter().flatten();
    let text = texts.filter_map(|it| it.text).next();
    match text {
        Some(text) if !text.is_empty() => text.chars().take(MAX_MESSAGE).collect(),
        _ => "the tool reports a failure without a message".to_owned(),
    }
}
