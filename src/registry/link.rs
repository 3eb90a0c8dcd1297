//! A document that an answer points to instead of carrying it.

use std::borrow::Cow;

use serde::Serialize;

/// A link to a document that the client may read by its URI (MCP `resource_link`); it need not be one of the
/// server's listed resources.
///
/// ```
/// use bifold::{Content, Link};
/// let report = Link::new("report://2025-11", "november").mime_type("text/csv").size(48_211);
/// let answer = Content::text("The report of November is ready.").and_link(report);
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    uri: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl Link {
    /// A link to `uri`, under the name that programs use.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Link {
        Link {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
        }
    }

    /// The name that people read.
    pub fn title(mut self, title: impl Into<String>) -> Link {
        self.title = Some(title.into());
        self
    }

    /// What is found there.
    pub fn description(mut self, description: impl Into<String>) -> Link {
        self.description = Some(description.into());
        self
    }

    /// Its media type.
    pub fn mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Link {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Its size in bytes, as it is read and not as it is encoded.
    pub fn size(mut self, bytes: u64) -> Link {
        self.size = Some(bytes);
        self
    }
}
