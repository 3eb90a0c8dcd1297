//! Decides which requests may be posted, by the `Origin` and `Content-Type` headers.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, ORIGIN};

use crate::http::origin::AllowedOrigins;
use crate::mcp::messages::error::RpcError;

/// A request without `Origin` does not come from a web page, and passes (MCP 2026-07-28, transports).
pub(crate) fn check(headers: &HeaderMap, origins: &AllowedOrigins) -> Result<(), RpcError> {
    let mut named = headers.get_all(ORIGIN).iter();
    if let Some(origin) = named.next()
        && (named.next().is_some() || !origins.admit(origin, headers))
    {
        return Err(RpcError::forbidden_origin());
    }
    match headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or(""))
    {
        Some(value) if !is_json(value) => Err(RpcError::unsupported_media_type()),
        _ => Ok(()),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}
