//! The parts of an event become an HTTP request.
//!
//! The mapping is our own: what is a bad request on a socket must be one here too, and not a panic.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::excerpt::excerpt;
use crate::lambda::events::field::{Fields, lines};

/// What stands for itself in a path (RFC 3986 §3.3); `%` too, for a path that comes encoded.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#')
    .add(b'?')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// More than fit into what any integration takes of them; the map of headers would end somewhere above it.
const MOST_HEADERS: usize = 10_000;
/// Room that is made for headers before they are read.
const USUAL_HEADERS: usize = 32;
const TOO_MANY: &str = "there are more headers than a request can have";

/// The headers of `first`, and of `second` those that `first` has no value for.
///
/// # Errors
/// As [`append`].
pub(crate) fn headers(
    first: Option<&Fields<'_>>,
    second: Option<&Fields<'_>>,
) -> Result<HeaderMap, String> {
    let number = [first, second].into_iter().flatten().map(Fields::len).sum();
    let mut headers = HeaderMap::with_capacity(usize::min(number, USUAL_HEADERS));
    for (name, value) in lines(first, second, str::eq_ignore_ascii_case) {
        if headers.len() == MOST_HEADERS {
            return Err(TOO_MANY.to_owned());
        }
        append(&mut headers, name, &value)?;
    }
    Ok(headers)
}

/// Adds a header.
///
/// # Errors
/// A sentence for the caller, where HTTP does not allow its name or its value, or where there are too many.
pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "a header has a name that HTTP does not allow")?;
    let value = HeaderValue::from_str(value).map_err(|_| {
        let name = excerpt(name.as_str());
        format!("header `{name}` has characters that HTTP does not allow")
    })?;
    let added = headers.try_append(name, value);
    added.map_err(|_| TOO_MANY)?;
    Ok(())
}

/// The body, which events carry as text or as base64.
///
/// # Errors
/// A sentence for the caller, where it is not the base64 that it is said to be.
pub(crate) fn body(body: Option<Cow<'_, str>>, is_base64: bool) -> Result<Body, String> {
    match body {
        None => Ok(Body::empty()),
        Some(text) if is_base64 => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Ok(Body::from(bytes)),
            Err(_) => Err("the body is announced as base64 and is not".to_owned()),
        },
        Some(text) => Ok(Body::from(text.into_owned())),
    }
}

/// The path below `prefix`, which is empty or a path itself; the whole path where it does not begin with it.
pub(crate) fn below<'p>(path: &'p str, prefix: &str) -> &'p str {
    match path.strip_prefix(prefix) {
        Some("") if !prefix.is_empty() => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The path below the stage, which stands in the path of an HTTP API if it has a name and the API is called by its own
/// domain: behind a custom one it does not.
pub(crate) fn without_stage<'p>(
    path: &'p str,
    stage: Option<&str>,
    domain: Option<&str>,
) -> &'p str {
    let is_own = domain.is_none_or(|domain| domain.contains(".execute-api."));
    match stage.filter(|stage| is_own && *stage != "$default") {
        Some(stage) => below(path, &format!("/{stage}")),
        None => path,
    }
}

/// The request.
///
/// # Errors
/// A sentence for the caller, where a part is none of HTTP.
pub(crate) fn build(
    method: &str,
    path: &str,
    query: &str,
    headers: HeaderMap,
    body: Body,
) -> Result<Request, String> {
    if !path.starts_with('/') {
        return Err("the path does not begin with `/`".to_owned());
    }
    if path.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("the path has control characters; encode them".to_owned());
    }
    let path = utf8_percent_encode(path, PATH).to_string();
    let target = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    let mut request = Request::new(body);
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| "the method is none of HTTP")?;
    *request.uri_mut() = target
        .parse::<Uri>()
        .ok()
        .ok_or("the path or the query has characters that a URL does not allow, or is too long")?;
    *request.headers_mut() = headers;
    Ok(request)
}
