//! What goes over the wire: the envelope of JSON-RPC, `_meta`, revisions, headers, errors, notifications.

pub(crate) mod accept;
pub(crate) mod blocks;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod meta;
pub(crate) mod notification;
pub(crate) mod result;
pub(crate) mod version;
