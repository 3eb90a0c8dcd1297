//! The page that draws candles and order books, for clients that know MCP Apps.

use crate::registry::Content;

/// Where clients read it.
pub(in crate::provenance) const URI: &str = "ui://bifold/market";

/// The page: one document that asks no host for anything.
pub(in crate::provenance) fn page() -> Content {
    Content::text(include_str!("market.html"))
}
