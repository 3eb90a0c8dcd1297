//! The Runtime API and the extension: invocations in, responses out, and an orderly shutdown.

pub(crate) mod api;
pub(crate) mod connection;
pub(crate) mod extension;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod invocation;
pub(crate) mod poller;
pub(crate) mod shutdown;
pub(crate) mod timeout;
