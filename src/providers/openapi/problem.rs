//! What an API says when it refuses a request, as an error whose message is bounded.

use serde_json::Value;

use crate::config::Secret;
use crate::error::{Error, Kind};

/// The most characters of the message of an API.
const MAX_MESSAGE: usize = 400;
/// The most characters of a body that are searched for secrets.
const MAX_BODY: usize = 64 << 10;

/// Its kind: a status of HTTP that says that something stands in the way.
const CONFLICT: Kind = Kind::custom(409, "conflict");

/// The error of a call with the message of the API, if it refused the request (4xx). Every other failure is as the
/// upstream layer has it.
pub(super) fn told(error: Error, secrets: &[Secret]) -> Error {
    let origin = error.upstream_status().cloned();
    let (Some(origin), Some(body)) = (origin, error.upstream_body()) else {
        return error;
    };
    let status = origin.status.unwrap_or_default();
    if !(400..500).contains(&status) || status == 429 {
        return error;
    }
    let kind = match status {
        400 | 422 => Kind::InvalidArgument,
        404 | 410 => Kind::NotFound,
        409 | 412 | 423 => CONFLICT,
        // The credentials are those of the server, and the request is what the document says.
        _ => Kind::UpstreamError,
    };
    let text = String::from_utf8_lossy(body);
    let message = hidden(&message(&text), secrets);
    let problem = match message.is_empty() {
        true => format!("answered with HTTP {status}"),
        false => format!("answered with HTTP {status}: {message}"),
    };
    let tries = error.attempts();
    Error::upstream(kind, origin, problem).tries(tries)
}

/// The message in a body: of JSON the field that says it, of plain text its beginning, of HTML nothing.
fn message(body: &str) -> String {
    let body: String = body.chars().take(MAX_BODY).collect();
    let text = match serde_json::from_str::<Value>(&body) {
        Ok(value) => in_json(&value, 0).unwrap_or_else(|| value.to_string()),
        Err(_) if body.trim_start().starts_with('<') => String::new(),
        Err(_) => body,
    };
    let words: Vec<&str> = text
        .split(|it: char| it.is_whitespace() || it.is_control())
        .filter(|it| !it.is_empty())
        .collect();
    let text = words.join(" ");
    match text.chars().count() > MAX_MESSAGE {
        true => text.chars().take(MAX_MESSAGE).chain(['…']).collect(),
        false => text,
    }
}

/// Where APIs say what is wrong.
fn in_json(value: &Value, depth: usize) -> Option<String> {
    if depth > 3 {
        return None;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) => {
            let messages: Vec<String> = items
                .iter()
                .take(5)
                .filter_map(|it| in_json(it, depth + 1))
                .collect();
            (!messages.is_empty()).then(|| messages.join("; "))
        }
        Value::Object(fields) => {
            let first = [
                "message",
                "error_description",
                "detail",
                "error",
                "title",
                "msg",
                "reason",
                "description",
            ];
            let said = first
                .iter()
                .find_map(|it| in_json(fields.get(*it)?, depth + 1));
            let details = fields.get("errors").and_then(|it| match it {
                Value::Array(_) | Value::String(_) => in_json(it, depth + 1),
                Value::Object(fields) => {
                    let of_field =
                        |(name, it)| Some(format!("{name}: {}", in_json(it, depth + 1)?));
                    let all: Vec<String> = fields.iter().take(5).filter_map(of_field).collect();
                    (!all.is_empty()).then(|| all.join("; "))
                }
                _ => None,
            });
            match (said, details) {
                (Some(said), Some(details)) => Some(format!("{said} ({details})")),
                (said, details) => said.or(details),
            }
        }
        _ => None,
    }
}

/// The text without the credentials of the server, which an API may repeat.
fn hidden(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.reveal();
        // A very short secret would take words apart, and is guessed anyway.
        if secret.len() >= 4 {
            text = text.replace(secret, "…");
        }
    }
    text
}
