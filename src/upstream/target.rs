//! The path and the query of a request: values are encoded, so that none of them changes what is asked for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// All but the unreserved characters of RFC 3986.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Checks that a path can be appended to a base URL without changing its host.
///
/// # Errors
/// `Internal` for a path that does not begin with `/` or `?`.
pub(crate) fn check(path: &str) -> Result<()> {
    match path.is_empty() || path.starts_with(['/', '?']) {
        true => Ok(()),
        false => Err(Error::internal(
            "the path of an upstream request must begin with `/`",
        )),
    }
}

/// The path with a value in place of each `{name}`.
///
/// # Errors
/// `Internal` for a variable without a value, a value without a variable, or an invalid template; `InvalidArgument` for a
/// value that would be another path segment.
pub(crate) fn expand(template: &str, values: &[(&'static str, String)]) -> Result<String> {
    check(template)?;
    if template.contains('#') {
        return Err(Error::internal(format!(
            "the path `{template}` has a `#`; encode it as `%23`"
        )));
    }
    if values.is_empty() && !template.contains(['{', '}']) {
        return Ok(template.to_owned());
    }
    if let Some((name, _)) = values
        .iter()
        .find(|it| !template.contains(&format!("{{{}}}", it.0)))
    {
        return Err(Error::internal(format!(
            "the path `{template}` has no variable `{name}`"
        )));
    }
    let mut target = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| {
            Error::internal(format!("the path `{template}` has a `{{` without a `}}`"))
        })?;
        let value = values
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.as_str());
        let value = value.ok_or_else(|| {
            Error::internal(format!(
                "the variable `{name}` of the path `{template}` has no value"
            ))
        })?;
        if value.is_empty() {
            return Err(Error::invalid_argument(name, "must not be empty"));
        }
        target.push_str(before);
        write_encoded(&mut target, value);
        rest = after;
    }
    target.push_str(rest);
    let path = target.split('?').next().unwrap_or_default();
    match path.split('/').any(is_dots) {
        true => Err(Error::invalid_argument(
            values.first().map_or("path", |it| it.0),
            "must not be `.` or `..`",
        )),
        false => Ok(target),
    }
}

/// Appends the parameter `name`: once for each item of a list, and not at all for null.
///
/// # Errors
/// `Internal` for a value that is neither a text, a number, a boolean nor a list of them.
pub(crate) fn append(target: &mut String, name: &str, value: &impl Serialize) -> Result<()> {
    for value in texts(name, value)? {
        target.push(if target.contains('?') { '&' } else { '?' });
        write_pair(target, name, &value);
    }
    Ok(())
}

/// The fields of `value` as the body of a form.
///
/// # Errors
/// `Internal` for a value that is not an object of such values.
pub(crate) fn form(value: &impl Serialize) -> Result<String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(value) else {
        return Err(Error::internal("a form is made of a struct or a map"));
    };
    let mut form = String::new();
    for (name, value) in &fields {
        for value in texts(name, value)? {
            if !form.is_empty() {
                form.push('&');
            }
            write_pair(&mut form, name, &value);
        }
    }
    Ok(form)
}

fn texts(name: &str, value: &impl Serialize) -> Result<Vec<String>> {
    let refused = || {
        Error::internal(format!(
            "the parameter `{name}` is neither a text, a number, a boolean nor a list of them"
        ))
    };
    let items = match serde_json::to_value(value).map_err(|error| refused().with_source(error))? {
        Value::Array(items) => items,
        item => vec![item],
    };
    let texts = items
        .into_iter()
        .filter(|it| !it.is_null())
        .map(|it| match it {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(is_so) => Ok(is_so.to_string()),
            _ => Err(refused()),
        });
    texts.collect()
}

fn write_pair(target: &mut String, name: &str, value: &str) {
    write_encoded(target, name);
    target.push('=');
    write_encoded(target, value);
}

fn write_encoded(target: &mut String, text: &str) {
    target.extend(utf8_percent_encode(text, ENCODED));
}

/// Whether a URL parser takes the segment for `.` or `..`.
fn is_dots(segment: &str) -> bool {
    let plain = match segment.contains('%') {
        true => segment.to_ascii_lowercase().replace("%2e", "."),
        false => return matches!(segment, "." | ".."),
    };
    matches!(&*plain, "." | "..")
}
