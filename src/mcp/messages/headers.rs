//! The headers that repeat parts of the body, and the errors where they do not match. Only HTTP has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;

use crate::mcp::messages::error::RpcError;
use crate::registry::Tool;

pub(crate) const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";

/// The trimmed value of a header that may occur once.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(RpcError::header_mismatch(format!(
            "header `{name}` stands more than once"
        )));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(RpcError::header_mismatch(format!(
            "header `{name}` has characters that are not visible ASCII"
        ))),
    }
}

/// `MCP-Protocol-Version` must repeat the version in `_meta`.
pub(crate) fn check_version(headers: Option<&HeaderMap>, version: &str) -> Result<(), RpcError> {
    headers.map_or(Ok(()), |it| check(it, VERSION, version, "_meta"))
}

/// `Mcp-Method` must repeat the method.
pub(crate) fn check_method(headers: Option<&HeaderMap>, method: &str) -> Result<(), RpcError> {
    headers.map_or(Ok(()), |it| check(it, METHOD, method, "method"))
}

/// `Mcp-Name` must repeat the name of the tool, prompt or resource.
pub(crate) fn check_name(
    headers: Option<&HeaderMap>,
    name: &str,
    place: &str,
) -> Result<(), RpcError> {
    headers.map_or(Ok(()), |it| check(it, NAME, name, place))
}

/// Each `Mcp-Param-*` header of the tool's schema must repeat its argument.
pub(crate) fn check_params(
    headers: Option<&HeaderMap>,
    tool: &Tool,
    arguments: Option<&RawValue>,
) -> Result<(), RpcError> {
    let Some(headers) = headers else {
        return Ok(());
    };
    let asked = tool
        .parameters()
        .into_iter()
        .flatten()
        .filter_map(|(parameter, schema)| Some((parameter, schema.get("x-mcp-header")?.as_str()?)));
    // Only for a tool with such headers the arguments are parsed a second time.
    let mut asked = asked.peekable();
    if asked.peek().is_none() {
        return Ok(());
    }
    let given = arguments.and_then(fields).unwrap_or_default();
    for (parameter, suffix) in asked {
        let header = format!("mcp-param-{}", suffix.to_ascii_lowercase());
        check_param(
            headers,
            &header,
            parameter,
            given.get(parameter).unwrap_or(&Value::Null),
        )?;
    }
    Ok(())
}

/// The arguments, which may be a JSON text inside a string.
fn fields(arguments: &RawValue) -> Option<Map<String, Value>> {
    match serde_json::from_str(arguments.get()).ok()? {
        Value::Object(fields) => Some(fields),
        Value::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

fn check_param(
    headers: &HeaderMap,
    header: &str,
    parameter: &str,
    value: &Value,
) -> Result<(), RpcError> {
    let expected = match value {
        // A header without its argument is ignored.
        Value::Null | Value::Array(_) | Value::Object(_) => return Ok(()),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => {
            let same = |text: &str| text.parse::<f64>().ok() == number.as_f64();
            return match decoded(headers, header)? {
                Some(text) if same(&text) => Ok(()),
                found => Err(mismatch(header, found.as_deref(), parameter)),
            };
        }
    };
    check(headers, header, &expected, parameter)
}

fn check(headers: &HeaderMap, header: &str, expected: &str, place: &str) -> Result<(), RpcError> {
    match decoded(headers, header)? {
        Some(text) if text == expected => Ok(()),
        found => Err(mismatch(header, found.as_deref(), place)),
    }
}

fn mismatch(header: &str, found: Option<&str>, place: &str) -> RpcError {
    RpcError::header_mismatch(match found {
        None => format!("header `{header}` is missing; it must repeat `{place}` of the body"),
        Some(_) => format!("header `{header}` does not repeat `{place}` of the body"),
    })
}

/// Decodes the value of a header from `=?base64?…?=` if it is encoded.
fn decoded<'a>(headers: &'a HeaderMap, header: &str) -> Result<Option<Cow<'a, str>>, RpcError> {
    let Some(text) = text(headers, header)? else {
        return Ok(None);
    };
    let Some(wrapped) = text
        .strip_prefix("=?base64?")
        .and_then(|it| it.strip_suffix("?="))
    else {
        return Ok(Some(text.into()));
    };
    let bytes = STANDARD.decode(wrapped).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Ok(Some(text.into())),
        None => Err(RpcError::header_mismatch(format!(
            "header `{header}` is not padded base64 of UTF-8 text"
        ))),
    }
}
