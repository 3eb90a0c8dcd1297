//! The JSON-RPC envelope: what is a request, what a notification, what neither.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::meta::Meta;

/// The body of one POST.
pub(crate) enum Incoming<'a> {
    Single(&'a RawValue),
    Batch(Vec<&'a RawValue>),
}

/// One message.
pub(crate) enum Message<'a> {
    /// It wants an answer.
    Request(Request<'a>),
    /// It asks for nothing.
    Notification {
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// The answer to a question of this server, under its id.
    Response(Cow<'a, str>),
}

/// A request: it has an id and gets exactly one answer.
pub(crate) struct Request<'a> {
    /// The id as it stood in the message, so that it goes back as it came.
    pub(crate) id: &'a RawValue,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
    pub(crate) meta: Meta<'a>,
    /// Whether the client hears what is said before the response; never in a batch, whose answer is one array.
    pub(crate) takes_events: bool,
}

/// The fields as they stand, of whatever type: a message with a wrong field is still answered under its id.
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

/// A field that is there, whatever it holds: `null` is not the same as nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Request<'a> {
    /// The parameters, as the method wants them.
    pub(crate) fn read_params<T: Deserialize<'a>>(&self) -> Result<T, RpcError> {
        let text = self.params.map_or("{}", RawValue::get);
        serde_json::from_str(text).map_err(|_| misfit::<T>(text))
    }
}

/// Decodes once more to learn the place: too dear for good parameters, cheap for bad ones.
#[cold]
fn misfit<'a, T: Deserialize<'a>>(text: &'a str) -> RpcError {
    let mut json = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json) else {
        return RpcError::invalid_params("`params` cannot be read");
    };
    let place = match error.path().to_string() {
        path if path == "." => String::new(),
        path => format!(".{path}"),
    };
    let said = error.inner().to_string();
    // The line and the column would count in a text that the client never saw.
    let said = said.rfind(" at line ").map_or(&*said, |end| &said[..end]);
    RpcError::invalid_params(format!("`params{place}`: {said}"))
}

/// Reads the body as JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Incoming<'_>, RpcError> {
    let whole: &RawValue = serde_json::from_slice(body)
        .map_err(|error| RpcError::parse_error(format!("the body is not JSON: {error}")))?;
    match whole.get().as_bytes().first() {
        Some(b'{') => Ok(Incoming::Single(whole)),
        Some(b'[') => {
            let batch: Vec<&RawValue> = serde_json::from_str(whole.get()).unwrap_or_default();
            match batch.is_empty() {
                true => Err(RpcError::invalid_request("the batch is empty")),
                false => Ok(Incoming::Batch(batch)),
            }
        }
        _ => Err(RpcError::invalid_request(
            "the body must be one JSON-RPC message, an object",
        )),
    }
}

/// Reads one message. The error comes with the id, where there is a usable one.
pub(crate) fn read(message: &RawValue) -> Result<Message<'_>, (Option<&RawValue>, RpcError)> {
    // A struct would also decode from an array of its fields, which no schema of the protocol knows.
    let is_object = message.get().starts_with('{');
    let wire: Option<Wire<'_>> = serde_json::from_str(message.get()).ok();
    let Some(wire) = wire.filter(|_| is_object) else {
        let problem = "a message must be a JSON object in which no field stands twice";
        return Err((None, RpcError::invalid_request(problem)));
    };
    let id = wire.id.filter(|id| is_id(id));
    let invalid = |problem: &str| Err((id, RpcError::invalid_request(problem)));
    if wire.id.is_some() && id.is_none() {
        return invalid("`id` must be a string or an integer");
    }
    if wire.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    if wire.method.is_none() && (wire.result.is_some() || wire.error.is_some()) {
        let is_one = wire.result.is_some() != wire.error.is_some();
        // Refused without the id, which could be that of a request of the client's own.
        let problem = "this response answers no question of this server: its `id` must be that of one, and it must have either `result` or `error`";
        let id = wire.id.and_then(text).filter(|_| is_one);
        let id = id.ok_or_else(|| (None, RpcError::invalid_request(problem)))?;
        return Ok(Message::Response(id));
    }
    let Some(method) = wire.method.and_then(text) else {
        return invalid("`method` must be a string");
    };
    if wire
        .params
        .is_some_and(|params| !params.get().starts_with('{'))
    {
        return invalid("`params` must be an object");
    }
    Ok(match id {
        None => Message::Notification {
            method,
            params: wire.params,
        },
        Some(id) => Message::Request(Request {
            id,
            method,
            params: wire.params,
            meta: Meta::of(wire.params),
            takes_events: false,
        }),
    })
}

/// Ids and progress tokens are strings or integers.
pub(crate) fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    text.starts_with('"')
        || text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The text of a JSON string, borrowed where it has no escapes.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    match quoted.contains('\\') {
        false => Some(quoted.into()),
        true => serde_json::from_str::<String>(raw.get())
            .ok()
            .map(Cow::Owned),
    }
}
