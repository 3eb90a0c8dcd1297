//! Results that are bytes of some media type: a download on REST, an embedded document on MCP.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::{RawValue, to_raw_value};

use super::answer::Answer;
use super::content::Content;
use super::output::{IntoAnswer, Output};
use crate::context::Context;
use crate::error::{Error, Result};

/// Bytes of a media type.
///
/// REST sends them as they are, with their `Content-Type`. MCP sends a block for an image or a sound, and an embedded
/// resource for anything else: text for `text/*` in UTF-8, a blob otherwise.
///
/// ```
/// use bifold::{Bytes, Tool};
///
/// async fn report() -> Bytes {
///     Bytes::new("day,sales\n1,7\n", "text/csv").filename("report.csv")
/// }
///
/// let tool = Tool::new("report", report).describe("The sales of this month.").get("/report");
/// ```
#[derive(Clone, Debug)]
pub struct Bytes {
    content: bytes::Bytes,
    media_type: Cow<'static, str>,
    filename: Option<Cow<'static, str>>,
}

/// Bytes that were returned, and their content blocks, which are made when they are first asked for.
pub(super) struct Download {
    bytes: Bytes,
    blocks: OnceLock<Box<RawValue>>,
}

/// What a file name keeps as it is in a URI (RFC 3986, unreserved).
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Bytes {
    /// Bytes of this media type, such as `image/png`.
    pub fn new(
        content: impl Into<bytes::Bytes>,
        media_type: impl Into<Cow<'static, str>>,
    ) -> Bytes {
        Bytes {
            content: content.into(),
            media_type: media_type.into(),
            filename: None,
        }
    }

    /// The name of the file under which browsers save them. Without one, browsers may show them.
    pub fn filename(mut self, name: impl Into<Cow<'static, str>>) -> Bytes {
        self.filename = Some(name.into());
        self
    }

    /// The bytes, shared.
    pub fn content(&self) -> &bytes::Bytes {
        &self.content
    }

    /// Their media type.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The name of the file, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.filename.as_deref()
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.content.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The URI of the embedded document, which names it and leads nowhere.
    fn uri(&self) -> String {
        let name = self.name().unwrap_or("file");
        format!("attachment:///{}", utf8_percent_encode(name, IN_URI))
    }

    /// The answer, before it is charged to a request.
    pub(super) fn uncharged(self) -> Answer {
        let blocks = OnceLock::new();
        Answer::of_bytes(
            Download {
                bytes: self,
                blocks,
            },
            None,
        )
    }

    fn as_content(&self) -> Content {
        let (content, kind) = (&self.content, self.media_type.clone());
        let is = |family: &str| {
            kind.get(..family.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(family))
        };
        let text = std::str::from_utf8(content).ok().filter(|_| is("text/"));
        match text {
            _ if is("image/") => Content::default().and_image(kind, content),
            _ if is("audio/") => Content::default().and_audio(kind, content),
            Some(text) => Content::default().and_document(self.uri(), kind, text),
            None => Content::default().and_blob(self.uri(), kind, content),
        }
    }
}

impl Download {
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn blocks(&self) -> &RawValue {
        self.blocks.get_or_init(|| {
            let content = self.bytes.as_content();
            to_raw_value(content.blocks()).expect("blocks of strings are JSON")
        })
    }
}

impl IntoAnswer for Bytes {
    fn output() -> Output {
        Output {
            media_type: Some("*/*"),
            ..Output::json(None)
        }
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        if HeaderValue::from_str(&self.media_type).is_err() || !self.media_type.contains('/') {
            let problem = format!("`{}` is not a media type", self.media_type);
            let error = Error::internal("the result has no media type");
            return Err(error.with_source(problem));
        }
        let hold = cx.admit_bytes(self.content.len())?;
        let blocks = OnceLock::new();
        let bytes = self;
        Ok(Answer::of_bytes(Download { bytes, blocks }, hold))
    }
}
