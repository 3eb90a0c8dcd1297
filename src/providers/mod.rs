//! Functions that come from elsewhere, each a dynamic tool of the catalog: one module for each kind of provider.

// Without the feature nothing starts it, and the linker leaves it out. It is compiled all the same, so that what it needs of
// other rooms is the same in every build.
#[cfg_attr(not(feature = "mounts"), allow(dead_code, unused_imports))]
pub(crate) mod mcp;
#[cfg(feature = "openapi")]
pub(crate) mod openapi;
pub(crate) mod search;
