//! The errors that a function declares for its documentation.

use std::borrow::Cow;

use super::tool::Tool;
use crate::error::Kind;

/// An error that a function may return, and when it does.
#[derive(Clone, Debug)]
pub struct DeclaredError {
    kind: Kind,
    when: Cow<'static, str>,
}

impl DeclaredError {
    /// The kind, which has a name and an HTTP status.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// When the function returns it.
    pub fn when(&self) -> &str {
        &self.when
    }
}

impl Tool {
    /// Declares errors that the function may return, and when it does; the OpenAPI document lists them.
    ///
    /// ```
    /// use bifold::{Kind, NoContent, Tool};
    ///
    /// const NOTE_EXISTS: Kind = Kind::custom(409, "note_exists");
    ///
    /// async fn add_note() -> NoContent {
    ///     NoContent
    /// }
    ///
    /// let tool = Tool::new("add_note", add_note)
    ///     .describe("Adds a note.")
    ///     .errors([(NOTE_EXISTS, "A note with this title exists"), (Kind::Failed, "The disk is full")]);
    /// ```
    pub fn errors(
        mut self,
        errors: impl IntoIterator<Item = (Kind, impl Into<Cow<'static, str>>)>,
    ) -> Tool {
        let errors = errors.into_iter().map(|(kind, when)| DeclaredError {
            kind,
            when: when.into(),
        });
        self.errors.extend(errors);
        self
    }

    /// The declared errors, in order.
    pub fn declared_errors(&self) -> &[DeclaredError] {
        &self.errors
    }
}
