//! JSON-RPC messages to and from a mounted server; values that are only passed on stay unparsed.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::excerpt::excerpt;

/// The most characters of a server's error message that are repeated.
const MAX_MESSAGE: usize = 1_000;

/// A message of a server.
pub(super) enum Incoming {
    /// The response to the request with this id.
    Response {
        id: Box<RawValue>,
        outcome: Result<Box<RawValue>, RpcFailure>,
    },
    /// A request of the server.
    Request {
        id: Box<RawValue>,
        method: String,
        params: Option<Box<RawValue>>,
    },
    /// A notification.
    Notification {
        method: String,
        params: Option<Box<RawValue>>,
    },
}

/// The JSON-RPC error of a server.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RpcFailure {
    #[serde(default)]
    pub(super) code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    pub(super) data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcFailure>,
}

#[derive(Serialize)]
struct Outgoing<'a, P: Serialize> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<&'a P>,
}

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ReplyError<'a>>,
}

#[derive(Serialize)]
struct ReplyError<'a> {
    code: i64,
    message: Cow<'a, str>,
}

impl RpcFailure {
    /// What the server says, at most so much of it as a log line takes.
    pub(super) fn message(&self) -> String {
        self.message.chars().take(MAX_MESSAGE).collect()
    }
}

/// A request.
pub(super) fn request(id: u64, method: &str, params: &impl Serialize) -> Bytes {
    encode(&Outgoing {
        jsonrpc: "2.0",
        id: Some(id),
        method,
        params: Some(params),
    })
}

/// A notification.
pub(super) fn notification(method: &str, params: Option<&impl Serialize>) -> Bytes {
    encode(&Outgoing {
        jsonrpc: "2.0",
        id: None,
        method,
        params,
    })
}

/// The answer to a request of the server.
pub(super) fn reply(id: &RawValue, outcome: Result<&RawValue, (i64, &str)>) -> Bytes {
    let error = outcome.err().map(|(code, message)| ReplyError {
        code,
        message: message.into(),
    });
    encode(&Reply {
        jsonrpc: "2.0",
        id,
        result: outcome.ok(),
        error,
    })
}

/// A message of the server.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<Incoming, String> {
    let wire: Wire = serde_json::from_slice(text)
        .map_err(|_| "sent something that is not a JSON-RPC message".to_owned())?;
    let id = wire.id.filter(|it| it.get() != "null");
    Ok(match (wire.method, id) {
        (Some(method), Some(id)) => Incoming::Request {
            id,
            method,
            params: wire.params,
        },
        (Some(method), None) => Incoming::Notification {
            method,
            params: wire.params,
        },
        (None, id) => {
            let outcome = match (wire.result, wire.error) {
                (Some(result), None) => Ok(result),
                (None, Some(error)) => Err(error),
                _ => return Err("sent a response with neither result nor error".to_owned()),
            };
            // An error that is about no request in particular has no id.
            let id = id.unwrap_or_else(|| RawValue::NULL.to_owned());
            Incoming::Response { id, outcome }
        }
    })
}

/// A name of the server for a message, at most a part of it.
pub(super) fn shown(name: &str) -> String {
    excerpt(name).to_string()
}

fn encode(message: &impl Serialize) -> Bytes {
    serde_json::to_vec(message)
        .expect("a message of texts and JSON is JSON")
        .into()
}
