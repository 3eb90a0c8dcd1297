//! The third layer: a running call, its client, the input requests between them, and tasks.

pub(crate) mod client;
pub(crate) mod execution;
pub(crate) mod mrtr;
pub(crate) mod pending;
pub(crate) mod question;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod shutdown;
pub(crate) mod task;
