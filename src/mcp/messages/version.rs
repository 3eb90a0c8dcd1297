//! The protocol revisions, and which of them a message uses.

use http::HeaderMap;
use serde_json::value::RawValue;

use crate::error::excerpt::excerpt;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;

/// The revision whose requests carry everything in `_meta`.
pub(crate) const MODERN: &str = "2026-07-28";

/// The revision with batches.
pub(crate) const BATCH: Version = Version::V20250326;

/// The revisions that begin with `initialize`, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V20241105,
    V20250326,
    V20250618,
    V20251125,
}

/// The wire forms of lists and results, one for each revision; each includes the fields of the earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// 2024-11-05: text, images, embedded resources.
    Plain,
    /// 2025-03-26: audio, and tool annotations.
    Hinted,
    /// 2025-06-18: structured content, resource links, titles, `_meta` in lists.
    Structured,
    /// 2025-11-25: icons.
    Illustrated,
    /// 2026-07-28: a result type and cache hints.
    Modern,
}

/// The era of a request.
pub(crate) enum Era {
    Modern,
    Legacy(Version),
}

impl Version {
    /// The version offered to a legacy client that requests an unsupported one.
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
    /// `_meta` decides, then the header. `initialize` without `_meta` always means the legacy era, even if a client
    /// that has just fallen back still sends the modern header.
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
            // The specification says to assume 2025-03-26 without the header, but clients of later revisions omit it
            // too. The later additions are valid in the older revision, so every client gets them.
            None => Ok(Era::Legacy(Version::LATEST)),
            Some(version) => Version::parse(version)
                .map(Era::Legacy)
                .ok_or_else(|| RpcError::unsupported_version(version)),
        }
    }
}

/// Whether the text is a date not before the modern revision, as names of revisions are.
fn is_modern(version: &str) -> bool {
    let is_date = version.len() == MODERN.len()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_date && version >= MODERN
}

/// Whether the headers admit a batch.
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

/// The id in a response to a message whose id could not be read: `null` in revisions before 2025-11-25, which require
/// an id, and none in later ones, whose ids are never null.
pub(crate) fn absent_id(headers: &HeaderMap) -> Option<&'static RawValue> {
    let version = headers::text(headers, headers::VERSION).ok().flatten();
    let version = version.and_then(Version::parse)?;
    (version < Version::V20251125).then_some(RawValue::NULL)
}
