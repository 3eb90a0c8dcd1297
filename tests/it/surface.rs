//! The public contract: committed snapshots, portable schemas, and registrations that are refused at start.

mod keywords;
mod portable;
#[cfg(feature = "provenance")]
mod prepared;
#[cfg(all(
    feature = "cli",
    feature = "mounts",
    feature = "openapi",
    feature = "provenance"
))]
mod public;
mod registration;
#[cfg(feature = "provenance")]
mod schemas;
mod settings;
#[cfg(feature = "provenance")]
pub mod snapshot;
mod upstreams;

use serde_json::Value;

/// Calls `see` with the value and every value inside it.
pub fn walk<'v>(value: &'v Value, see: &mut impl FnMut(&'v Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|it| walk(it, see)),
        Value::Object(fields) => fields.values().for_each(|it| walk(it, see)),
        _ => {}
    }
}
