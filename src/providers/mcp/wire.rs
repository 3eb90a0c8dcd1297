//! JSON-RPC messages to a mounted server; values that are only passed on stay unparsed.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::excerpt::excerpt;

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

/// A name of the server for a message, at most a part of it.
pub(super) fn shown(name: &str) -> String {
    excerpt(name).to_string()
}

fn encode(message: &impl Serialize) -> Bytes {
    serde_json::to_vec(message)
        .expect("a message of texts and JSON is JSON")
        .into()
}
