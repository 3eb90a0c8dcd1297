//! The methods of the protocol, each with its parameters and its result.

pub(crate) mod common;
pub(crate) mod completion;
pub(crate) mod cursor;
pub(crate) mod legacy;
pub(crate) mod lists;
pub(crate) mod modern;
pub(crate) mod prompts;
pub(crate) mod rendered;
pub(crate) mod resources;
pub(crate) mod subscriptions;
pub(crate) mod tools;
