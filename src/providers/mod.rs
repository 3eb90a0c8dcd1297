//! Functions that come from elsewhere, each a dynamic tool of the catalog: one module for each kind of provider.
