//! HTTP responses become the answer that the event's front door reads.

use std::collections::BTreeMap;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Response;
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use serde::Serialize;

use super::event::Door;

/// The proxy integration's answer, in both payload formats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    headers: BTreeMap<String, String>,
    multi_value_headers: BTreeMap<String, Vec<String>>,
    /// REST APIs refuse an answer with a field they do not know; the format that has this one wants it even if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

impl Reply {
    pub(super) async fn new(door: Door, response: Response<Body>) -> Reply {
        let (parts, body) = response.into_parts();
        // The platform wants the answer whole. Every body of this server is a buffer or a stream that ends with its call,
        // and neither can fail to be read.
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default();
        let (body, is_base64_encoded) = match String::from_utf8(body.into()) {
            Ok(text) => (text, false),
            Err(binary) => (STANDARD.encode(binary.as_bytes()), true),
        };
        let mut reply = Reply {
            status_code: parts.status.as_u16(),
            headers: BTreeMap::new(),
            multi_value_headers: BTreeMap::new(),
            cookies: (door == Door::V2).then(Vec::new),
            body,
            is_base64_encoded,
        };
        // The platform counts the length itself, and renames the header where it comes from a function.
        for (name, value) in parts
            .headers
            .iter()
            .filter(|(name, _)| *name != CONTENT_LENGTH)
        {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match door {
                Door::V1 => {
                    let lines = reply.multi_value_headers.entry(name.to_string());
                    lines.or_default().push(value);
                }
                Door::V2 if name == SET_COOKIE => reply.cookies.get_or_insert_default().push(value),
                Door::V2 => {
                    // A Function URL knows one line for each header; a list on that line means the same.
                    let line = reply.headers.entry(name.to_string());
                    line.and_modify(|line| *line = format!("{line}, {value}"))
                        .or_insert(value);
                }
            }
        }
        reply
    }
}
