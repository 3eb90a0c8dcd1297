//! Errors of the application's own kinds, and what every error can carry for programs.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::excerpt::beginning;
use super::{Error, Inner, Kind};

impl Error {
    /// An error of any kind: one of the library's, or one of the application's own ([`Kind::custom`]).
    ///
    /// ```
    /// use bifold::{Error, Kind};
    /// const NOTE_LOCKED: Kind = Kind::custom(423, "note_locked");
    /// let error = Error::new(NOTE_LOCKED, "someone else edits this note");
    /// assert_eq!(error.kind().status(), 423);
    /// ```
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        match kind.problem() {
            None => Error::plain(kind, message.into()),
            Some(problem) => {
                let message = "the function failed with an error of a kind that cannot be reported";
                Error::plain(Kind::Internal, message.to_owned()).with_source(problem)
            }
        }
    }

    pub(super) fn plain(kind: Kind, message: String) -> Error {
        Error(Box::new(Inner {
            kind,
            message,
            field: None,
            capability: None,
            upstream: None,
            retry_after: None,
            data: None,
            tries: 1,
            response: None,
            result: None,
            source: None,
        }))
    }

    /// An error of the application's own kind: its HTTP status from 400 to 599, its name of `a-z`, `0-9` and `_`, and the
    /// message for the caller. A status or a name outside of that is reported as [`Kind::Internal`].
    ///
    /// ```
    /// use bifold::Error;
    /// let error = Error::custom(451, "blocked_here", "this note is not available in your country");
    /// assert_eq!(error.kind().as_str(), "blocked_here");
    /// ```
    pub fn custom(status: u16, kind: &'static str, message: impl Into<String>) -> Error {
        Error::new(Kind::custom(status, kind), message)
    }

    /// HTTP 401: the caller must say who it is.
    pub fn unauthorized(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(401, kind, message)
    }

    /// HTTP 402: the caller must pay first.
    pub fn payment_required(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(402, kind, message)
    }

    /// HTTP 403: the caller may not do this.
    pub fn forbidden(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(403, kind, message)
    }

    /// HTTP 409: it does not fit what there is already.
    ///
    /// ```
    /// use bifold::Error;
    /// use serde_json::json;
    /// let error = Error::conflict("note_exists", "there is a note with this title")
    ///     .with_field("title")
    ///     .with_data(json!({ "id": 7 }));
    /// assert_eq!(error.kind().status(), 409);
    /// ```
    pub fn conflict(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(409, kind, message)
    }

    /// HTTP 410: it existed, and will not come back.
    pub fn gone(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(410, kind, message)
    }

    /// HTTP 412: what the caller took for granted does not hold.
    pub fn precondition_failed(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(412, kind, message)
    }

    /// HTTP 422: the arguments are well-formed, and still cannot be used.
    pub fn unprocessable(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(422, kind, message)
    }

    /// HTTP 429: the caller asks too often; [`Error::retry_after`] says when it may ask again.
    pub fn too_many_requests(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(429, kind, message)
    }

    /// HTTP 503: it cannot be done now; [`Error::retry_after`] says when it may be tried again.
    pub fn unavailable(kind: &'static str, message: impl Into<String>) -> Error {
        Error::custom(503, kind, message)
    }

    /// Names the argument at fault by its JSON path, of which an excerpt is kept.
    pub fn with_field(mut self, field: impl AsRef<str>) -> Error {
        self.0.field = Some(beginning(field.as_ref()).into_owned());
        self
    }

    /// Adds data for programs, which every protocol carries: the member `data` of a problem document, and of
    /// `_meta["bifold/error"]` on MCP, where the agent reads it as a block of text. A value without a JSON form is left out.
    pub fn with_data(mut self, data: impl Serialize) -> Error {
        self.0.data = to_raw_value(&data).ok();
        self
    }

    /// The data for programs.
    pub fn data(&self) -> Option<&RawValue> {
        self.0.data.as_deref()
    }
}
