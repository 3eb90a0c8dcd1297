//! Path and query parameters become the JSON object of arguments, each typed by the tool's schema.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::error::excerpt::excerpt;
use crate::error::{Error, Result};
use crate::registry::Tool;

/// The arguments in a path and a query, as the text of a JSON object.
///
/// # Errors
/// `InvalidArgument` for a key that is unknown or stands twice, and for a value that is not of the parameter's type.
pub(super) fn of_url(
    tool: &Tool,
    path: &[(&str, Cow<'_, str>)],
    query: Option<&str>,
) -> Result<String> {
    let mut json = String::from("{");
    let mut seen: Vec<Cow<'_, str>> = Vec::new();
    for (name, text) in path {
        push(tool, &mut json, name, text)?;
        seen.push(Cow::Borrowed(name));
    }
    for (name, text) in pairs(query)? {
        if seen.contains(&name) {
            return Err(Error::invalid_argument(name, "stands more than once"));
        }
        push(tool, &mut json, &name, &text)?;
        seen.push(name);
    }
    json.push('}');
    Ok(json)
}

/// The decoded pairs of a query string (WHATWG URL, application/x-www-form-urlencoded).
fn pairs(query: Option<&str>) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let parts = query
        .unwrap_or("")
        .split('&')
        .filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, text)| Ok((decode(name)?, decode(text)?)))
        .collect()
}

/// The name of the first parameter; not its value, which may be a wallet.
pub(super) fn first_key(query: &str) -> String {
    let key = query.split(['=', '&']).next().unwrap_or("");
    decode(key).map_or_else(|_| "$".to_owned(), Cow::into_owned)
}

fn decode(text: &str) -> Result<Cow<'_, str>> {
    let spaced: Cow<'_, str> = if text.contains('+') {
        text.replace('+', " ").into()
    } else {
        text.into()
    };
    let decoded = percent_decode_str(&spaced).decode_utf8();
    let decoded = decoded.map_err(|_| {
        Error::invalid_argument("$", "the query is not UTF-8 after percent-decoding")
    })?;
    Ok(decoded.into_owned().into())
}

fn push(tool: &Tool, json: &mut String, name: &str, text: &str) -> Result<()> {
    let known = tool.parameters();
    let Some(schema) = known.and_then(|it| it.get(name)) else {
        return Err(Error::invalid_argument(name, unknown(known)));
    };
    if json.len() > 1 {
        json.push(',');
    }
    json.push_str(&Value::from(name).to_string());
    json.push(':');
    json.push_str(&typed(schema, text).map_err(|problem| Error::invalid_argument(name, problem))?);
    Ok(())
}

fn unknown(known: Option<&Map<String, Value>>) -> String {
    let names: Vec<String> = known
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    match names.is_empty() {
        true => "there is no such parameter: this function takes none".to_owned(),
        false => format!("there is no such parameter; known: {}", names.join(", ")),
    }
}

/// The JSON form of a text, by the type that the schema names.
fn typed(schema: &Value, text: &str) -> Result<String, String> {
    let shown = || excerpt(text);
    let wanted = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("string");
    let number = || matches!(serde_json::from_str(text), Ok(Value::Number(_)));
    match wanted {
        "boolean" if matches!(text, "true" | "false") => Ok(text.to_owned()),
        "boolean" => Err(format!("expected `true` or `false`, got `{}`", shown())),
        "integer" | "number"
            if !text.starts_with(char::is_whitespace)
                && !text.ends_with(char::is_whitespace)
                && number() =>
        {
            Ok(text.to_owned())
        }
        "integer" => Err(format!("expected a whole number, got `{}`", shown())),
        "number" => Err(format!("expected a number, got `{}`", shown())),
        _ => Ok(Value::from(text).to_string()),
    }
}
