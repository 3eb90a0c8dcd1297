//! Messages of a server, decoded as far as a client must understand them; parameters and results stay as written.

use serde::Deserialize;
use serde_json::value::RawValue;

/// One message of a server.
#[derive(Debug)]
pub(crate) enum Message {
    Response(Response),
    /// The server asks its client (revisions before 2026-07-28).
    Request(Call),
    Notification {
        method: String,
        params: Option<Box<RawValue>>,
    },
}

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Response {
    /// Absent where the server could not read the request.
    pub(crate) id: Option<Box<RawValue>>,
    pub(crate) outcome: Result<Box<RawValue>, RpcError>,
}

/// A request of a server.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: Box<RawValue>,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
}

/// A JSON-RPC error, as the server wrote it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RpcError {
    #[serde(default)]
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcError>,
}

/// The messages of a text: one, or several where it is a batch (revision 2025-03-26).
///
/// # Errors
/// What is wrong with the text, without repeating any of it.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Message>, String> {
    let fields = match text.trim_ascii_start().starts_with(b"[") {
        true => serde_json::from_slice(text),
        false => serde_json::from_slice(text).map(|it| vec![it]),
    };
    let fields: Vec<Fields> = fields.map_err(|_| "a message that is not JSON-RPC".to_owned())?;
    fields.into_iter().map(message).collect()
}

fn message(fields: Fields) -> Result<Message, String> {
    let Fields {
        id,
        method,
        params,
        result,
        error,
    } = fields;
    match (method, id, result, error) {
        (Some(method), Some(id), ..) => Ok(Message::Request(Call { id, method, params })),
        (Some(method), None, ..) => Ok(Message::Notification { method, params }),
        (None, id, _, Some(error)) => {
            let outcome = Err(error);
            Ok(Message::Response(Response { id, outcome }))
        }
        (None, id, Some(result), None) => {
            let outcome = Ok(result);
            Ok(Message::Response(Response { id, outcome }))
        }
        (None, ..) => Err("a message without `method`, `result` and `error`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_fields() {
        let kind = |text: &str| match parse(text.as_bytes()).map(|mut all| all.pop()) {
            Ok(Some(Message::Response(response))) => match response.outcome {
                Ok(_) => "result",
                Err(_) => "error",
            },
            Ok(Some(Message::Request(_))) => "request",
            Ok(Some(Message::Notification { .. })) => "notification",
            Ok(None) => "nothing",
            Err(_) => "wrong",
        };
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "result"),
            (
                r#"{"id":1,"error":{"code":-32600,"message":"no"}}"#,
                "error",
            ),
            (r#"{"id":null,"error":{"code":-32700}}"#, "error"),
            (r#"{"id":"a","method":"roots/list"}"#, "request"),
            (
                r#"{"method":"notifications/progress","params":{}}"#,
                "notification",
            ),
            (r#"[{"id":1,"result":{}}]"#, "result"),
            ("[]", "nothing"),
            ("{}", "wrong"),
            ("<html>", "wrong"),
            ("3", "wrong"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
