//! The second layer: the parameters and the result of each method, and what the server publishes.

pub(crate) mod completion;
pub(crate) mod cursor;
pub(crate) mod entry;
pub(crate) mod foreign;
pub(crate) mod lists;
pub(crate) mod prompts;
pub(crate) mod rendered;
pub(crate) mod resources;
pub(crate) mod subscriptions;
pub(crate) mod tools;
