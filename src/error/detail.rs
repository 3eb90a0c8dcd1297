//! What an error says to programs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Error, Kind};

/// The upstream that failed, and the HTTP status of its response, if there was one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UpstreamStatus {
    /// The upstream's configured name.
    pub name: Cow<'static, str>,
    /// The HTTP status; absent where there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// The machine-readable part of an error, equal on every protocol.
#[derive(Serialize, JsonSchema)]
pub struct Detail<'a> {
    /// The kind of the failure.
    kind: &'static str,
    /// The JSON path of the argument at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The upstream at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a UpstreamStatus>,
    /// Whether the same call may succeed later.
    retryable: bool,
    /// The time until it may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// The HTTP status of a kind of the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What the function says of the failure to programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any")]
    data: Option<&'a RawValue>,
}

/// The schema of data that each function chooses.
fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({})
}

impl Detail<'_> {
    /// The same for a document that names the status itself.
    pub(crate) fn without_status(self) -> Self {
        Detail {
            status: None,
            ..self
        }
    }
}

impl Error {
    /// The machine-readable part.
    pub fn detail(&self) -> Detail<'_> {
        Detail {
            kind: self.0.kind.as_str(),
            field: self.field(),
            upstream: self.0.upstream.as_ref(),
            retryable: self.retryable(),
            retry_after_ms: self.0.retry_after.map(|wait| wait.as_millis() as u64),
            status: match self.0.kind {
                Kind::Custom(kind) => Some(kind.status()),
                _ => None,
            },
            data: self.data(),
        }
    }
}
