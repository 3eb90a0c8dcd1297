//! The JSON-RPC envelope: a request, a notification, a response, or an error.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::fields::text;
use crate::mcp::messages::id::{Cancelled, is_id, is_too_long};
use crate::mcp::messages::params::Params;

/// The byte order mark, in UTF-8.
const MARK: &str = "\u{feff}";

/// The white space that may surround a JSON text.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The body of one POST.
pub(crate) enum Incoming<'a> {
    Single(Result<Message<'a>, Malformed<'a>>),
    /// The messages of a batch, unparsed.
    Batch(Vec<&'a RawValue>),
}

/// One message.
pub(crate) enum Message<'a> {
    /// A message with an id and a method; it becomes a [`Request`] when its parameters are parsed.
    Request {
        id: &'a RawValue,
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// A message without an id.
    Notification {
        /// The id of the request to cancel.
        cancelled: Option<&'a RawValue>,
    },
    /// A client's response to a request of the server.
    Response {
        id: Cow<'a, str>,
        /// The whole message.
        text: &'a str,
    },
}

/// Why a message is invalid, and its id if it is usable.
pub(crate) struct Malformed<'a> {
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) error: RpcError,
}

/// A request: it has an id and gets exactly one response.
pub(crate) struct Request<'a> {
    /// The id, verbatim.
    pub(crate) id: &'a RawValue,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Params<'a>,
    /// Whether the client can receive notifications before the response; never in a batch, whose response is one array.
    pub(crate) takes_events: bool,
}

/// The fields, of any type: a message with an invalid field is still answered with its id.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// A field that is present, even with the value `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Malformed<'a> {
    fn new(id: Option<&'a RawValue>, error: RpcError) -> Malformed<'a> {
        Malformed { id, error }
    }

    fn no_object() -> Malformed<'a> {
        let problem = "a message must be a JSON object in which no field stands twice";
        Malformed::new(None, RpcError::invalid_request(problem))
    }
}

impl<'a> Request<'a> {
    /// Parses the parameters of a request.
    ///
    /// # Errors
    /// The progress token is too long.
    pub(crate) fn read(
        id: &'a RawValue,
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
        takes_events: bool,
    ) -> Result<Request<'a>, RpcError> {
        let params = Params::read(params);
        if params.meta.token.is_some_and(is_too_long) {
            return Err(RpcError::too_long("params._meta.progressToken"));
        }
        Ok(Request {
            id,
            method,
            params,
            takes_events,
        })
    }
}

/// The message without a byte order mark, which some clients send.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Parses the body.
///
/// # Errors
/// The body is not JSON, or is neither a message nor a batch.
pub(crate) fn parse(body: &[u8]) -> Result<Incoming<'_>, RpcError> {
    let body = body.strip_prefix(MARK.as_bytes()).unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| not_json(body))?;
    let text = text.trim_matches(SPACE);
    match text.as_bytes().first() {
        Some(b'{') => match serde_json::from_str(text) {
            Ok(wire) => Ok(Incoming::Single(message(text, wire))),
            Err(_) => check(body).map(|()| Incoming::Single(Err(Malformed::no_object()))),
        },
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(batch) if batch.is_empty() => Err(RpcError::invalid_request("the batch is empty")),
            Ok(batch) => Ok(Incoming::Batch(batch)),
            Err(_) => Err(not_json(body)),
        },
        _ => check(body).and(Err(RpcError::invalid_request(
            "the body must be one JSON-RPC message, an object",
        ))),
    }
}

/// Parses one message of a batch.
pub(crate) fn read(message: &RawValue) -> Result<Message<'_>, Malformed<'_>> {
    let text = message.get();
    // A struct would also decode from an array of its fields, which the protocol does not allow.
    let wire = text.starts_with('{').then(|| serde_json::from_str(text));
    match wire {
        Some(Ok(wire)) => self::message(text, wire),
        _ => Err(Malformed::no_object()),
    }
}

/// Whether the body, which is not a valid message, is JSON at all.
#[cold]
fn check(body: &[u8]) -> Result<(), RpcError> {
    let read = serde_json::from_slice::<&RawValue>(body);
    let read = read.map_err(|error| format!("the body is not JSON: {error}"));
    read.map(drop).map_err(RpcError::parse_error)
}

#[cold]
fn not_json(body: &[u8]) -> RpcError {
    let checked = check(body).err();
    checked.unwrap_or_else(|| RpcError::parse_error("the body is not JSON"))
}

/// The kind of message with these fields. An error carries the id, if it is usable.
fn message<'a>(whole: &'a str, wire: Wire<'a>) -> Result<Message<'a>, Malformed<'a>> {
    if wire.id.is_some_and(is_too_long) {
        return Err(Malformed::new(None, RpcError::too_long("id")));
    }
    let id = wire.id.filter(|id| is_id(id));
    let invalid = |problem: &str| Err(Malformed::new(id, RpcError::invalid_request(problem)));
    if wire.id.is_some() && id.is_none() {
        return invalid("`id` must be a string or an integer");
    }
    if wire.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    if wire.method.is_none() && (wire.result.is_some() || wire.error.is_some()) {
        return response(whole, &wire);
    }
    let Some(method) = wire.method.and_then(text) else {
        return invalid("`method` must be a string");
    };
    // Parameters are optional, and `null` means absent.
    let params = wire.params.filter(|it| it.get() != "null");
    if params.is_some_and(|params| !params.get().starts_with('{')) {
        return invalid("`params` must be an object");
    }
    match id {
        Some(id) => Ok(Message::Request { id, method, params }),
        None => notification(&method, params),
    }
}

fn response<'a>(whole: &'a str, wire: &Wire<'a>) -> Result<Message<'a>, Malformed<'a>> {
    let is_one = wire.result.is_some() != wire.error.is_some();
    match wire.id.and_then(text).filter(|_| is_one) {
        Some(id) => Ok(Message::Response { id, text: whole }),
        None => {
            // Refused without an id: it could be the id of a request of the client's own.
            let problem = "this response answers no question of this server: its `id` must be that of one, and it must have either `result` or `error`";
            Err(Malformed::new(None, RpcError::invalid_request(problem)))
        }
    }
}

fn notification<'a>(
    method: &str,
    params: Option<&'a RawValue>,
) -> Result<Message<'a>, Malformed<'a>> {
    let is_cancellation = method == "notifications/cancelled";
    let cancelled = Cancelled::read(params.filter(|_| is_cancellation));
    let cancelled = cancelled.map(|it| it.request_id);
    if cancelled.is_some_and(is_too_long) {
        let error = RpcError::too_long("params.requestId");
        return Err(Malformed::new(None, error));
    }
    let cancelled = cancelled.filter(|id| is_id(id));
    Ok(Message::Notification { cancelled })
}
