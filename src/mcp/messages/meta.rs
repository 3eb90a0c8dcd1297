//! `_meta` of a request: the version and capabilities of the client, the notifications that it wants, and the trace
//! context (SEP-414).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::excerpt::{said, sentence};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::fields::{Fields, text};
use crate::telemetry::trace::Trace;

/// The fields that any request may have there.
pub(crate) struct RequestMeta<'a> {
    /// The progress token.
    pub(crate) token: Option<&'a RawValue>,
    /// The minimum level of log notifications.
    pub(crate) level: Option<&'a RawValue>,
    /// The key under which the call is made once.
    pub(crate) once: Option<&'a RawValue>,
    version: Option<&'a RawValue>,
    capabilities: Option<&'a RawValue>,
    traceparent: Option<&'a RawValue>,
    /// `None` inside if it is ambiguous.
    tracestate: Option<Option<&'a RawValue>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "progressToken")]
    Token,
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    Level,
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    Version,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    Capabilities,
    #[serde(rename = "bifold/idempotencyKey")]
    Once,
    #[serde(rename = "traceparent")]
    Traceparent,
    #[serde(rename = "tracestate")]
    Tracestate,
    #[serde(other)]
    Other,
}

/// The required keys of a modern request, for the error if one is missing.
#[derive(Deserialize)]
struct Required<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
}

impl From<Key> for usize {
    fn from(key: Key) -> usize {
        key as usize
    }
}

impl<'a> RequestMeta<'a> {
    /// Parses `_meta`; empty if it is absent or malformed.
    pub(crate) fn read(meta: Option<Option<&'a RawValue>>) -> RequestMeta<'a> {
        let fields: Fields<'a, Key, { Key::Other as usize }> = match meta.flatten() {
            Some(meta) => Fields::read(meta.get()),
            None => Fields::none(),
        };
        let given = |key| fields.optional(key).flatten();
        RequestMeta {
            token: given(Key::Token),
            level: given(Key::Level),
            once: given(Key::Once),
            version: given(Key::Version),
            capabilities: given(Key::Capabilities),
            traceparent: given(Key::Traceparent),
            tracestate: fields.optional(Key::Tracestate),
        }
    }

    /// Whether it has a version, valid or not.
    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_some()
    }

    /// The version and the client's capabilities, which is an object.
    pub(crate) fn required(&self) -> Option<(Cow<'a, str>, &'a RawValue)> {
        let capabilities = self.capabilities.filter(|it| it.get().starts_with('{'));
        Some((text(self.version?)?, capabilities?))
    }

    /// The error for `params` in which [`RequestMeta::required`] finds nothing.
    #[cold]
    pub(crate) fn misfit(params: &str) -> RpcError {
        let read = serde_json::from_str::<Required<'_>>(params);
        let meta = match read {
            Ok(params) => params.meta,
            Err(error) => {
                let problem = format!("`params._meta`: {}", sentence(&said(&error)));
                return RpcError::invalid_meta(problem);
            }
        };
        let has_version = meta.as_ref().is_some_and(|it| it.version.is_some());
        let capabilities = meta.and_then(|it| it.capabilities);
        RpcError::invalid_meta(match capabilities {
            _ if !has_version => "`params._meta` lacks `io.modelcontextprotocol/protocolVersion`",
            None => "`params._meta` lacks `io.modelcontextprotocol/clientCapabilities`",
            Some(_) => {
                "`params._meta`: `io.modelcontextprotocol/clientCapabilities` must be an object"
            }
        })
    }

    /// A child of the trace context; `None` if it is absent or malformed.
    pub(crate) fn trace(&self) -> Option<Trace> {
        let parent = text(self.traceparent?)?;
        let state = match self.tracestate? {
            Some(state) => Some(text(state)?),
            None => None,
        };
        Trace::child_of(&parent, state.as_deref())
    }
}
