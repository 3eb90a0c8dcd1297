//! JSON-RPC messages to a mounted server; values that are only passed on stay unparsed.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::client::{self, Message};
use crate::error::excerpt::excerpt;

/// The most levels of a message: parsers of clients refuse more.
const MAX_DEPTH: usize = 127;

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

/// The messages of a text, or what is wrong with it.
pub(super) fn messages(text: &[u8]) -> Result<Vec<Message>, String> {
    match is_deeper(text, MAX_DEPTH) {
        true => Err(format!("a message of more than {MAX_DEPTH} levels")),
        false => client::parse(text),
    }
}

/// Whether JSON has more levels than that. Nothing is parsed, so that no text can exhaust the stack.
fn is_deeper(json: &[u8], levels: usize) -> bool {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                depth += 1;
                if depth > levels {
                    return true;
                }
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The id of the request that a text answers which cannot be parsed: writers of JSON-RPC put the id first or last.
#[cfg(unix)]
pub(super) fn answered(text: &[u8]) -> Option<u64> {
    const EDGE: usize = 256;
    let text = match text.len() > 2 * EDGE {
        true => [&text[..EDGE], &text[text.len() - EDGE..]].concat().into(),
        false => Cow::Borrowed(text),
    };
    let text = String::from_utf8_lossy(&text).replace(|it: char| it.is_ascii_whitespace(), "");
    let version = "\"jsonrpc\":\"2.0\"";
    let inner = text.strip_prefix('{')?;
    let first = inner.strip_prefix(&format!("{version},")).unwrap_or(inner);
    if let Some(rest) = first.strip_prefix("\"id\":") {
        return rest.split([',', '}']).next()?.parse().ok();
    }
    let inner = inner.strip_suffix('}')?;
    let last = inner.strip_suffix(&format!(",{version}")).unwrap_or(inner);
    last.rsplit_once(",\"id\":")?.1.parse().ok()
}

fn encode(message: &impl Serialize) -> Bytes {
    serde_json::to_vec(message)
        .expect("a message of texts and JSON is JSON")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_outside_of_texts() {
        for (json, depth) in [
            ("1", 0),
            ("{}", 1),
            (r#"[[1],[{"a":[]}]]"#, 4),
            (r#"["[[[[", "\"[[[", "\\"]"#, 1),
            ("]]]][", 1),
        ] {
            assert!(!is_deeper(json.as_bytes(), depth), "{json}");
            assert!(
                depth == 0 || is_deeper(json.as_bytes(), depth - 1),
                "{json}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_id_of_a_response_is_found_at_either_end() {
        let long = "x".repeat(10_000);
        for (text, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"result":{"a":"LONG"}}"#, Some(7)),
            (
                r#"{"jsonrpc": "2.0", "id": 7, "result": {"a":"LONG"#,
                Some(7),
            ),
            (r#"{"id":7,"jsonrpc":"2.0","result":{"a":"LONG"}}"#, Some(7)),
            (r#"{"result":{"a":"LONG"},"jsonrpc":"2.0","id":7}"#, Some(7)),
            (r#"{"result":{"a":"x"},"id": 7, "jsonrpc":"2.0"}"#, Some(7)),
            (r#"{"jsonrpc":"2.0","id":7}"#, Some(7)),
            (r#"{"result":{"a":{"b":1,"id":7}},"jsonrpc":"2.0"}"#, None),
            (r#"{"jsonrpc":"2.0","method":"x","params":{"id":7}}"#, None),
            (r#"{"jsonrpc":"2.0","id":"7","result":"LONG"}"#, None),
            ("LONG", None),
            ("{", None),
            ("", None),
        ] {
            let text = text.replace("LONG", &long);
            assert_eq!(answered(text.as_bytes()), id, "{text}");
        }
    }
}
