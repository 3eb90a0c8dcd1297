//! Content blocks for agents: text, image, audio, embedded resource, in any mixture.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// An answer made of content blocks, for a function whose result is not structured data.
///
/// ```
/// use bifold::Content;
/// let answer = Content::text("A cat, as asked.").and_image("image/png", b"\x89PNG");
/// ```
#[derive(Default)]
pub struct Content(Vec<Block>);

/// A block as it stands on the wire (MCP `ContentBlock`).
#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Block {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its bytes in base64.
        data: String,
        /// Its media type.
        mime_type: &'static str,
    },
    /// A sound.
    Audio {
        /// Its bytes in base64.
        data: String,
        /// Its media type.
        mime_type: &'static str,
    },
    /// A document that comes with the answer.
    Resource {
        /// The document.
        resource: Document,
    },
}

/// An embedded document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    uri: String,
    mime_type: &'static str,
    text: String,
}

impl Content {
    /// One block of text.
    pub fn text(text: impl Into<String>) -> Content {
        Content::default().and_text(text)
    }

    /// Adds a block of text.
    pub fn and_text(self, text: impl Into<String>) -> Content {
        self.and(Block::Text { text: text.into() })
    }

    /// Adds a picture: its media type and its bytes.
    pub fn and_image(self, mime_type: &'static str, bytes: impl AsRef<[u8]>) -> Content {
        self.and(Block::Image {
            data: STANDARD.encode(bytes),
            mime_type,
        })
    }

    /// Adds a sound: its media type and its bytes.
    pub fn and_audio(self, mime_type: &'static str, bytes: impl AsRef<[u8]>) -> Content {
        self.and(Block::Audio {
            data: STANDARD.encode(bytes),
            mime_type,
        })
    }

    /// Adds a text document: its URI, media type and text.
    pub fn and_document(
        self,
        uri: impl Into<String>,
        mime_type: &'static str,
        text: impl Into<String>,
    ) -> Content {
        self.and(Block::Resource {
            resource: Document {
                uri: uri.into(),
                mime_type,
                text: text.into(),
            },
        })
    }

    fn and(mut self, block: Block) -> Content {
        self.0.push(block);
        self
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.0
    }
}
