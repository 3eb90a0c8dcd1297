//! The encoded result of a function.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::bytes::{Bytes, Download};
use super::foreign::Foreign;
use super::output::IntoAnswer;
use crate::context::{Context, Reservation};
use crate::error::{Error, Result};

/// An encoded result: the bytes that every protocol sends.
///
/// A function that cannot say the type of its result returns one itself: one that another function gave
/// ([`Registry::call_named`](crate::Registry::call_named)), or [`Answer::of`] a value. Such a function publishes no schema
/// of its result.
pub struct Answer {
    body: Body,
    /// Status and location on REST, if the result has its own.
    head: Option<Box<Head>>,
    /// Its share of the request's budget, if another function made the call.
    #[expect(dead_code, reason = "it is given back when this is dropped")]
    hold: Option<Reservation>,
}

enum Body {
    Json { json: Box<RawValue>, root: Root },
    Bytes(Box<Download>),
    Foreign(Foreign),
    Nothing,
}

/// The kind of the JSON of a result.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Root {
    /// An object, by its type.
    Struct,
    /// An object; another result of the function may not be one.
    Object,
    /// The result is not an object.
    Value,
    /// A list of content blocks.
    Blocks,
}

/// What belongs to a result beside its value.
#[derive(Default)]
struct Head {
    status: Option<u16>,
    location: Option<String>,
    /// Where the next page begins, if the function gives a page; `Some(None)` for the last one.
    page: Option<Option<Box<RawValue>>>,
    /// The cursor of the next page.
    next: Option<String>,
    /// Whether an earlier call gave it.
    is_repeated: bool,
}

impl Answer {
    /// Encodes a value, for a function whose result type is not known in advance.
    ///
    /// # Errors
    /// `Internal` if the value has no JSON form.
    ///
    /// ```
    /// use bifold::{Answer, Result, Tool};
    /// use serde_json::json;
    ///
    /// async fn anything() -> Result<Answer> {
    ///     Answer::of(&json!({ "as": ["it", "comes"] }))
    /// }
    ///
    /// let tool = Tool::new("anything", anything).describe("Answers with anything.");
    /// ```
    pub fn of(value: &impl Serialize) -> Result<Answer> {
        let json = to_raw_value(value);
        let json = json.map_err(|error| {
            Error::internal("the result could not be encoded").with_source(error)
        })?;
        Ok(Answer::of_value(json, false, None))
    }

    pub(super) fn of_value(
        json: Box<RawValue>,
        is_struct: bool,
        hold: Option<Reservation>,
    ) -> Answer {
        let root = match (is_struct, json.get().starts_with('{')) {
            (true, true) => Root::Struct,
            (false, true) => Root::Object,
            (_, false) => Root::Value,
        };
        Answer::new(Body::Json { json, root }, hold)
    }

    pub(super) fn of_blocks(json: Box<RawValue>, hold: Option<Reservation>) -> Answer {
        let root = Root::Blocks;
        Answer::new(Body::Json { json, root }, hold)
    }

    pub(super) fn of_bytes(download: Download, hold: Option<Reservation>) -> Answer {
        Answer::new(Body::Bytes(Box::new(download)), hold)
    }

    /// The result of another MCP server, which MCP clients get as it is. REST has its `structuredContent`, or else its
    /// content blocks.
    ///
    /// # Errors
    /// `Failed` with the same result if it says `isError`.
    pub(crate) fn of_foreign(server: &str, result: Box<RawValue>) -> Result<Answer> {
        let body = Body::Foreign(Foreign::new(server, result)?);
        Ok(Answer::new(body, None))
    }

    /// The result of another MCP server.
    pub(crate) fn foreign(&self) -> Option<&RawValue> {
        match &self.body {
            Body::Foreign(foreign) => Some(foreign.whole()),
            _ => None,
        }
    }

    pub(super) fn nothing() -> Answer {
        Answer::new(Body::Nothing, None)
    }

    fn new(body: Body, hold: Option<Reservation>) -> Answer {
        let head = None;
        Answer { body, head, hold }
    }

    pub(super) fn with_hold(self, hold: Option<Reservation>) -> Answer {
        Answer { hold, ..self }
    }

    pub(super) fn with_status(mut self, status: u16) -> Answer {
        self.head.get_or_insert_default().status = Some(status);
        self
    }

    pub(super) fn with_location(mut self, location: String) -> Answer {
        self.head.get_or_insert_default().location = Some(location);
        self
    }

    pub(super) fn of_root(json: Box<RawValue>, root: Root) -> Answer {
        Answer::new(Body::Json { json, root }, None)
    }

    /// The kind of the JSON of the result.
    pub(super) fn root(&self) -> Option<Root> {
        match self.body {
            Body::Json { root, .. } => Some(root),
            Body::Bytes(_) | Body::Foreign(_) | Body::Nothing => None,
        }
    }

    /// The answer of an earlier call, charged to this one.
    ///
    /// # Errors
    /// `AnswerTooLarge`.
    pub(super) fn again(self, cx: &Context) -> Result<Answer> {
        let next = self.next_cursor().map(str::to_owned);
        let mut answer = self.into_answer(cx)?.with_next(next);
        answer.head.get_or_insert_default().is_repeated = true;
        Ok(answer)
    }

    /// Whether an earlier call with the same idempotency key gave this answer.
    pub fn is_repeated(&self) -> bool {
        self.head.as_ref().is_some_and(|it| it.is_repeated)
    }

    /// A page of a list, and where the next one begins.
    pub(super) fn with_page(mut self, next: Option<Box<RawValue>>) -> Answer {
        self.head.get_or_insert_default().page = Some(next);
        self
    }

    /// Where the next page begins, if the function has given a page.
    pub(super) fn take_page(&mut self) -> Option<Option<Box<RawValue>>> {
        self.head.as_mut()?.page.take()
    }

    pub(super) fn with_next(mut self, next: Option<String>) -> Answer {
        if next.is_some() || self.head.is_some() {
            self.head.get_or_insert_default().next = next;
        }
        self
    }

    /// The same result with another text.
    pub(super) fn with_json(mut self, text: Box<RawValue>) -> Answer {
        if let Body::Json { json, .. } = &mut self.body {
            *json = text;
        }
        self
    }

    /// The cursor of the next page, of a tool that pages.
    pub fn next_cursor(&self) -> Option<&str> {
        self.head.as_ref()?.next.as_deref()
    }

    /// The result as JSON: the value of the function, the content blocks of content or bytes, `null` for no content.
    pub fn json(&self) -> &RawValue {
        match &self.body {
            Body::Json { json, .. } => json,
            Body::Bytes(download) => download.blocks(),
            Body::Foreign(foreign) => foreign.value(),
            Body::Nothing => RawValue::NULL,
        }
    }

    /// The result as JSON, without a copy.
    pub fn into_json(self) -> Box<RawValue> {
        match self.body {
            Body::Json { json, .. } => json,
            Body::Bytes(_) | Body::Foreign(_) | Body::Nothing => self.json().to_owned(),
        }
    }

    /// The result as text for people: a string itself, and anything else as JSON.
    pub fn text(&self) -> Cow<'_, str> {
        let json = self.json().get();
        match json.starts_with('"') {
            true => serde_json::from_str(json).map_or(json.into(), |Text(text)| text),
            false => json.into(),
        }
    }

    /// Whether the JSON is a list of MCP content blocks instead of a structured result.
    pub fn is_content(&self) -> bool {
        match self.body {
            Body::Json { root, .. } => root == Root::Blocks,
            Body::Bytes(_) => true,
            Body::Foreign(ref foreign) => foreign.is_content(),
            Body::Nothing => false,
        }
    }

    /// The bytes of a function that returns [`Bytes`].
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Bytes(download) => Some(download.bytes()),
            _ => None,
        }
    }

    /// Whether the function returned [`NoContent`](crate::NoContent).
    pub fn is_nothing(&self) -> bool {
        matches!(self.body, Body::Nothing)
    }

    /// The HTTP status of the result.
    pub fn status(&self) -> u16 {
        let own = self.head.as_ref().and_then(|it| it.status);
        own.unwrap_or(if self.is_nothing() { 204 } else { 200 })
    }

    /// The URL of the created value ([`Created`](crate::Created)).
    pub fn location(&self) -> Option<&str> {
        self.head.as_ref()?.location.as_deref()
    }

    /// Whether the JSON must be wrapped where an object is needed. `None` if this result is an object, and the schema
    /// of the function must decide for all its results.
    pub(super) fn is_value(&self) -> Option<bool> {
        match &self.body {
            Body::Json { root, .. } => match root {
                Root::Value => Some(true),
                Root::Object => None,
                Root::Struct | Root::Blocks => Some(false),
            },
            Body::Bytes(_) | Body::Foreign(_) | Body::Nothing => Some(false),
        }
    }
}

/// A JSON string, borrowed where possible.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
