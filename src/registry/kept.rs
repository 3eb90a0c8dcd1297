//! Answers as the store keeps them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::answer::{Answer, Root};
use super::bytes::Bytes;
use crate::error::{Error, Result};

/// An answer as it is kept: JSON, bytes, or nothing.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<Root>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    /// The result of another MCP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign: Option<Box<RawValue>>,
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    media_type: String,
    name: Option<String>,
    /// In base64.
    content: String,
}

/// The answer in the form in which it is kept.
pub(super) fn encode(answer: &Answer) -> Option<Box<RawValue>> {
    let root = answer.root();
    let file = |bytes: &Bytes| File {
        media_type: bytes.media_type().to_owned(),
        name: bytes.name().map(str::to_owned),
        content: STANDARD.encode(bytes.content()),
    };
    let kept = Kept {
        json: root.map(|_| answer.json().to_owned()),
        root,
        file: answer.bytes().map(file),
        foreign: answer.foreign().map(ToOwned::to_owned),
        status: answer.status(),
        location: answer.location().map(str::to_owned),
        next: answer.next_cursor().map(str::to_owned),
    };
    to_raw_value(&kept).ok()
}

/// The answer that was kept. It is not charged to a request yet.
///
/// # Errors
/// `Internal` where another version of the server has kept it.
pub(super) fn decode(kept: &RawValue) -> Result<Answer> {
    let unreadable = || Error::internal("an answer that was kept cannot be read");
    let kept: Kept = serde_json::from_str(kept.get()).map_err(|it| unreadable().with_source(it))?;
    let answer = match (kept.json, kept.root, kept.file) {
        (Some(json), Some(root), _) => Answer::of_root(json, root),
        (_, _, Some(file)) => {
            let content = STANDARD.decode(file.content);
            let content = content.map_err(|it| unreadable().with_source(it))?;
            let bytes = Bytes::new(content, file.media_type);
            let name = file.name;
            let bytes = match name {
                Some(name) => bytes.filename(name),
                None => bytes,
            };
            bytes.uncharged()
        }
        _ => match kept.foreign {
            Some(result) => Answer::of_foreign("mcp", result)?,
            None => Answer::nothing(),
        },
    };
    let answer = answer.with_status(kept.status).with_next(kept.next);
    Ok(match kept.location {
        Some(location) => answer.with_location(location),
        None => answer,
    })
}
