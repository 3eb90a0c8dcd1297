//! Results with their own status on REST: created, accepted, and no content.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::answer::Answer;
use super::output::{IntoAnswer, Output};
use crate::context::Context;
use crate::error::Result;

/// A created value and its URL: 201 with `Location` on REST, the value on MCP.
///
/// ```
/// use bifold::{Created, JsonSchema, Result};
/// use serde::Serialize;
///
/// #[derive(Serialize, JsonSchema)]
/// struct Note {
///     id: u64,
/// }
///
/// async fn add_note() -> Result<Created<Note>> {
///     let note = Note { id: 7 };
///     let place = format!("/api/notes/{}", note.id);
///     Ok(Created(note, place))
/// }
/// # let _ = add_note();
/// ```
#[derive(Clone, Debug)]
pub struct Created<T>(pub T, pub String);

/// A value that reports that work has begun: 202 on REST, the value on MCP.
#[derive(Clone, Debug)]
pub struct Accepted<T>(pub T);

/// No content: 204 on REST, a result without content on MCP, `null` in a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoContent;

/// The characters that are not allowed in a header; bytes beyond ASCII are encoded as well.
const IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

impl<T: IntoAnswer> IntoAnswer for Created<T> {
    fn output() -> Output {
        Output {
            status: 201,
            ..T::output()
        }
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let Created(value, location) = self;
        let location = utf8_percent_encode(&location, IN_LOCATION).to_string();
        let answer = value.into_answer(cx)?;
        Ok(answer.with_status(201).with_location(location))
    }
}

impl<T: IntoAnswer> IntoAnswer for Accepted<T> {
    fn output() -> Output {
        Output {
            status: 202,
            ..T::output()
        }
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        Ok(self.0.into_answer(cx)?.with_status(202))
    }
}

impl IntoAnswer for NoContent {
    fn output() -> Output {
        Output {
            media_type: None,
            status: 204,
            ..Output::json(None)
        }
    }

    fn into_answer(self, _: &Context) -> Result<Answer> {
        Ok(Answer::nothing())
    }
}
