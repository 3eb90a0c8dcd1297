//! The JSON-RPC envelope: what is a request, what a notification, what neither.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::excerpt::{excerpt, said, sentence};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::id::{Cancelled, is_id, is_too_long};
use crate::mcp::messages::meta::Meta;

/// The byte order mark, in UTF-8.
const MARK: &str = "\u{feff}";

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
        path => format!(".{}", excerpt(&path)),
    };
    let said = said(error.inner());
    RpcError::invalid_params(format!("`params{place}`: {}", sentence(&said)))
}

/// The message without a byte order mark, which some clients write before it.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Reads the body as JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Incoming<'_>, RpcError> {
    let body = body.strip_prefix(MARK.as_bytes()).unwrap_or(body);
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
    if wire.id.is_some_and(is_too_long) {
        return Err((None, RpcError::too_long("id")));
    }
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
    // Parameters may be left out, and null says the same.
    let params = wire.params.filter(|it| it.get() != "null");
    if params.is_some_and(|params| !params.get().starts_with('{')) {
        return invalid("`params` must be an object");
    }
    let Some(id) = id else {
        return notification(method, params);
    };
    let meta = Meta::of(params);
    if meta.token.is_some_and(is_too_long) {
        return Err((Some(id), RpcError::too_long("params._meta.progressToken")));
    }
    Ok(Message::Request(Request {
        id,
        method,
        params,
        meta,
        takes_events: false,
    }))
}

fn notification<'a>(
    method: Cow<'a, str>,
    params: Option<&'a RawValue>,
) -> Result<Message<'a>, (Option<&'a RawValue>, RpcError)> {
    if method == "notifications/cancelled"
        && Cancelled::read(params).is_some_and(|it| is_too_long(it.request_id))
    {
        return Err((None, RpcError::too_long("params.requestId")));
    }
    Ok(Message::Notification { method, params })
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
