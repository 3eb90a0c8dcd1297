//! Functions that come from elsewhere, each a dynamic tool of the catalog: one module for each kind of provider.

#[cfg(feature = "openapi")]
pub(crate) mod openapi;
pub(crate) mod search;
