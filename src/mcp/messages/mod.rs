//! The first layer, the wire format: envelope, parameters, `_meta`, revisions, headers, results, errors.

pub(crate) mod accept;
pub(crate) mod blocks;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod fields;
pub(crate) mod foreign;
pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod meta;
pub(crate) mod notification;
pub(crate) mod outgoing;
pub(crate) mod params;
pub(crate) mod result;
pub(crate) mod version;
