//! Functions that come from elsewhere, each a dynamic tool of the catalog: one module for each kind of provider.

pub(crate) mod mcp;
#[cfg(feature = "openapi")]
pub(crate) mod openapi;
pub(crate) mod search;
