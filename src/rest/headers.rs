//! Arguments in headers and cookies.

use std::borrow::Cow;

use http::header::COOKIE;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use super::arguments::Arguments;
use super::binding::{Binding, Place};
use crate::context::once::OnceKey;
use crate::error::{Error, Result};
use crate::registry::Tool;

/// The header with the key under which a call is made once (draft-ietf-httpapi-idempotency-key-header).
pub(super) const ONCE: &str = "Idempotency-Key";

/// Adds the arguments from headers and cookies.
///
/// # Errors
/// `InvalidArgument` if one is missing, repeated, or of another type.
pub(super) fn read(
    arguments: &mut Arguments<'_>,
    tool: &Tool,
    binding: &Binding,
    headers: &HeaderMap,
) -> Result<()> {
    for (parameter, place) in binding.places() {
        let text = match place {
            Place::Header(name) => header(headers, name, parameter)?,
            Place::Cookie(name) => cookie(headers, name, parameter)?,
            Place::Path | Place::Query | Place::Body => continue,
        };
        match text {
            Some(text) => arguments.text(parameter, &text)?,
            None if tool.is_required(parameter) => {
                let problem = format!("is missing: send it in {}", place.shown());
                return Err(Error::invalid_argument(parameter, problem));
            }
            None => {}
        }
    }
    Ok(())
}

/// The key under which the call is made once.
///
/// # Errors
/// `InvalidArgument` for one that is repeated or malformed.
pub(super) fn once_key(headers: &HeaderMap) -> Result<Option<OnceKey>> {
    let mut values = headers.get_all(ONCE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let refused = |problem: String| Error::invalid_argument(ONCE, problem);
    if values.next().is_some() {
        return Err(refused("stands more than once".to_owned()));
    }
    let key = OnceKey::parse(value.to_str().unwrap_or(""));
    key.map(Some).map_err(refused)
}

fn header<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    parameter: &str,
) -> Result<Option<Cow<'h, str>>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::invalid_argument(parameter, "stands more than once"));
    }
    let text = first.map(|it| std::str::from_utf8(it.as_bytes()));
    let text = text.transpose().map_err(|_| {
        Error::invalid_argument(parameter, format!("the header `{name}` is not UTF-8"))
    })?;
    Ok(text.map(Cow::Borrowed))
}

/// The value of a cookie (RFC 6265, section 4.2.1), which OpenAPI wants percent-encoded.
fn cookie<'h>(headers: &'h HeaderMap, name: &str, parameter: &str) -> Result<Option<Cow<'h, str>>> {
    let lines = headers.get_all(COOKIE).iter();
    let lines = lines.filter_map(|line| std::str::from_utf8(line.as_bytes()).ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|it| it.0 == name).map(|it| it.1);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::invalid_argument(parameter, "stands more than once"));
    }
    let bare = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let decoded = percent_decode_str(bare.unwrap_or(value)).decode_utf8();
    decoded.map(Some).map_err(|_| {
        let problem = format!("the cookie `{name}` is not UTF-8 after percent-decoding");
        Error::invalid_argument(parameter, problem)
    })
}
