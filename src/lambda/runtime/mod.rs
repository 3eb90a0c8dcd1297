//! The Runtime API and the extension: invocations in, answers out, and an ordered end.

pub(crate) mod api;
pub(crate) mod connection;
pub(crate) mod extension;
pub(crate) mod failure;
pub(crate) mod invocation;
pub(crate) mod poller;
pub(crate) mod stop;
pub(crate) mod timeout;
pub(crate) mod workers;
