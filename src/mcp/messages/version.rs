//! The revisions of the protocol and which of them a message speaks.

use http::HeaderMap;
use serde_json::value::RawValue;

use crate::error::excerpt::excerpt;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;

/// The revision whose requests carry everything in `_meta`.
pub(crate) const MODERN: &str = "2026-07-28";

/// The revision that has batches.
pub(crate) const BATCH: Version = Version::V20250326;

/// The revisions that begin with `initialize`, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V20241105,
    V20250326,
    V20250618,
    V20251125,
}

/// The forms that lists and results have had on the wire, one for each revision; each knows all that those before it
/// know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// 2024-11-05: text, pictures, embedded documents.
    Plain,
    /// 2025-03-26: sounds, and hints on what a tool does.
    Hinted,
    /// 2025-06-18: structured content, links to documents, titles, `_meta` in lists.
    Structured,
    /// 2025-11-25: icons.
    Illustrated,
    /// 2026-07-28: a result type and cache hints.
    Modern,
}

/// How a request is to be read.
pub(crate) enum Era {
    Modern,
    Legacy(Version),
}

impl Version {
    /// What a client of the legacy era is offered when it asks for a revision that is not served.
    pub(crate) const LATEST: Version = Version::V20251125;

    pub(crate) fn parse(text: &str) -> Option<Version> {
        [
            Version::V20241105,
            Version::V20250326,
            Version::V20250618,
            Version::V20251125,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Version::V20241105 => "2024-11-05",
            Version::V20250326 => "2025-03-26",
            Version::V20250618 => "2025-06-18",
            Version::V20251125 => "2025-11-25",
        }
    }
}

impl Shape {
    pub(crate) fn of(version: Version) -> Shape {
        match version {
            Version::V20241105 => Shape::Plain,
            Version::V20250326 => Shape::Hinted,
            Version::V20250618 => Shape::Structured,
            Version::V20251125 => Shape::Illustrated,
        }
    }
}

impl Era {
    /// `_meta` decides, then the header; `initialize` without `_meta` always opens the legacy era, whatever a client
    /// that has just fallen back still says in its header.
    pub(crate) fn of(headers: Option<&HeaderMap>, request: &Request<'_>) -> Result<Era, RpcError> {
        let header = match headers {
            Some(headers) => headers::text(headers, headers::VERSION)?,
            None => None,
        };
        let has_meta = request.params.meta.is_modern();
        if request.method == "initialize" && !has_meta {
            return Ok(Era::Legacy(Version::LATEST));
        }
        let is_modern_method =
            matches!(&*request.method, "server/discover" | "subscriptions/listen");
        if has_meta || is_modern_method || header.is_some_and(is_modern) {
            return Ok(Era::Modern);
        }
        match header {
            // The specification has a request without the header taken for 2025-03-26, but clients of later revisions
            // leave it out too. What those added is legal in the older one, so every client gets all of it.
            None => Ok(Era::Legacy(Version::LATEST)),
            Some(version) => Version::parse(version)
                .map(Era::Legacy)
                .ok_or_else(|| RpcError::unsupported_version(version)),
        }
    }
}

/// Whether the text is a date from the modern revision on, which is what revisions are called.
fn is_modern(version: &str) -> bool {
    let is_date = version.len() == MODERN.len()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_date && version >= MODERN
}

/// Whether the headers leave room for a batch.
pub(crate) fn allows_batch(headers: &HeaderMap) -> Result<(), RpcError> {
    match headers::text(headers, headers::VERSION)? {
        None => Ok(()),
        Some(version) if version == BATCH.as_str() => Ok(()),
        Some(version) => Err(RpcError::invalid_request(format!(
            "revision {} has no batches: post one message",
            excerpt(version)
        ))),
    }
}

/// What stands for the id of a message that has none which could be read: `null` in the revisions before 2025-11-25,
/// which want an id in every response, and nothing in the others, whose ids are never null.
pub(crate) fn absent_id(headers: &HeaderMap) -> Option<&'static RawValue> {
    let version = headers::text(headers, headers::VERSION).ok().flatten();
    let version = version.and_then(Version::parse)?;
    (version < Version::V20251125).then_some(RawValue::NULL)
}
