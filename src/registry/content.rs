//! Content blocks for agents: text, image, audio, embedded document, link, in any mixture.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::annotations::Annotations;
use super::link::Link;

/// An answer made of content blocks, for a function whose result is not structured data.
///
/// A client of an older revision gets text instead of what its revision does not know: a link as its URI (before
/// 2025-06-18), a sound as a note of its type (before 2025-03-26).
///
/// ```
/// use bifold::{Annotations, Content};
/// let answer = Content::text("A cat, as asked.")
///     .and_image("image/png", b"\x89PNG")
///     .annotate(Annotations::default().for_user().priority(0.8));
/// ```
#[derive(Default)]
pub struct Content(Vec<Block>);

/// A block as it stands on the wire (MCP `ContentBlock`).
#[derive(Serialize)]
pub(super) struct Block {
    #[serde(flatten)]
    part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
enum Part {
    Text { text: String },
    Image { data: String, mime_type: MediaType },
    Audio { data: String, mime_type: MediaType },
    Resource { resource: Document },
    ResourceLink(Link),
}

/// An embedded document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    uri: String,
    mime_type: MediaType,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Blob(String),
}

type MediaType = Cow<'static, str>;

impl Content {
    /// One block of text.
    pub fn text(text: impl Into<String>) -> Content {
        Content::default().and_text(text)
    }

    /// Adds a block of text.
    pub fn and_text(self, text: impl Into<String>) -> Content {
        self.and(Part::Text { text: text.into() })
    }

    /// Adds a picture: its media type and its bytes.
    pub fn and_image(self, mime_type: impl Into<MediaType>, bytes: impl AsRef<[u8]>) -> Content {
        self.and(Part::Image {
            data: STANDARD.encode(bytes),
            mime_type: mime_type.into(),
        })
    }

    /// Adds a sound: its media type and its bytes.
    pub fn and_audio(self, mime_type: impl Into<MediaType>, bytes: impl AsRef<[u8]>) -> Content {
        self.and(Part::Audio {
            data: STANDARD.encode(bytes),
            mime_type: mime_type.into(),
        })
    }

    /// Adds a text document: its URI, media type and text.
    pub fn and_document(
        self,
        uri: impl Into<String>,
        mime_type: impl Into<MediaType>,
        text: impl Into<String>,
    ) -> Content {
        self.and_embedded(uri.into(), mime_type.into(), Body::Text(text.into()))
    }

    /// Adds a binary document: its URI, media type and bytes.
    pub fn and_blob(
        self,
        uri: impl Into<String>,
        mime_type: impl Into<MediaType>,
        bytes: impl AsRef<[u8]>,
    ) -> Content {
        let body = Body::Blob(STANDARD.encode(bytes));
        self.and_embedded(uri.into(), mime_type.into(), body)
    }

    /// Adds a link to a document.
    pub fn and_link(self, link: Link) -> Content {
        self.and(Part::ResourceLink(link))
    }

    /// Says of the block that was added last whom it is for and how important it is. Before the first block there is
    /// nothing to say it of.
    pub fn annotate(mut self, annotations: Annotations) -> Content {
        if let Some(last) = self.0.last_mut() {
            last.annotations = Some(annotations);
        }
        self
    }

    fn and_embedded(self, uri: String, mime_type: MediaType, body: Body) -> Content {
        let resource = Document {
            uri,
            mime_type,
            body,
        };
        self.and(Part::Resource { resource })
    }

    fn and(mut self, part: Part) -> Content {
        self.0.push(Block {
            part,
            annotations: None,
        });
        self
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.0
    }
}
