//! The events of each integration: how an event becomes a request, and how its response is written.

pub(crate) mod event;
pub(crate) mod field;
mod generated;
pub(crate) mod http_event;
pub(crate) mod integration;
mod oracle;
pub(crate) mod ping;
pub(crate) mod request_parts;
pub(crate) mod response;
pub(crate) mod response_head;
pub(crate) mod source;
pub(crate) mod stream;
pub(crate) mod websocket;
