//! Builds an HTTP request from the parts of an event.
//!
//! This is not left to `lambda_http`: a request that a socket refuses as bad must be refused here too, without a panic.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::excerpt::excerpt;
use crate::lambda::events::field::{Field, Fields, merged, text};

/// The characters that a path must encode (RFC 3986 §3.3). `%` is not among them, because the path may be encoded already.
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

/// More headers than any integration accepts, and fewer than the header map can hold.
const MOST_HEADERS: usize = 10_000;
/// The headers for which space is reserved before they are read.
const USUAL_HEADERS: usize = 32;

const TOO_MANY: &str = "the request has too many headers";

/// The headers of `first`, and those of `second` that have no value in `first`.
///
/// # Errors
/// As [`append`].
pub(crate) fn headers(
    first: Option<&Fields<'_>>,
    second: Option<&Fields<'_>>,
) -> Result<HeaderMap, String> {
    let number = [first, second].into_iter().flatten().map(Fields::len).sum();
    let mut headers = HeaderMap::with_capacity(usize::min(number, USUAL_HEADERS));
    for (name, value) in merged(first, second, str::eq_ignore_ascii_case) {
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
/// A message for the caller, where HTTP does not allow the name or the value, or where there are too many headers.
pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "a header name has characters that HTTP does not allow")?;
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
/// A message for the caller, where a body declared as base64 is not base64.
pub(crate) fn body(body: Option<Cow<'_, str>>, is_base64: bool) -> Result<Body, String> {
    match body {
        None => Ok(Body::empty()),
        Some(text) if is_base64 => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Ok(Body::from(bytes)),
            Err(_) => Err("the body is declared as base64 but cannot be decoded".to_owned()),
        },
        Some(text) => Ok(Body::from(text.into_owned())),
    }
}

/// The path that an API declares as `resource`, with the values of its variables, `{name}` or `{name+}`; none where one of
/// them has no value.
pub(crate) fn declared_path<'f>(
    resource: Field<'f>,
    parameters: Option<&Fields<'_>>,
) -> Option<Cow<'f, str>> {
    let mut path = text(resource).filter(|it| it.starts_with('/'))?;
    for (name, value) in merged(parameters, None, |one, other| one == other) {
        for variable in [format!("{{{name}}}"), format!("{{{name}+}}")] {
            if path.contains(&variable) {
                path = path.replace(&variable, &value).into();
            }
        }
    }
    (!path.contains('{')).then_some(path)
}

/// The path without `prefix`; the whole path where it does not begin with `prefix`.
pub(crate) fn strip_base<'p>(path: &'p str, prefix: &str) -> &'p str {
    match path.strip_prefix(prefix) {
        Some("") if !prefix.is_empty() => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The path without the stage. The path of an HTTP API begins with the stage where the stage is named and the API is
/// called by its own domain; behind a custom domain it does not.
pub(crate) fn without_stage<'p>(
    path: &'p str,
    stage: Option<&str>,
    domain: Option<&str>,
) -> &'p str {
    let is_own = domain.is_none_or(|domain| domain.contains(".execute-api."));
    match stage.filter(|stage| is_own && *stage != "$default") {
        Some(stage) => strip_base(path, &format!("/{stage}")),
        None => path,
    }
}

/// Builds the request.
///
/// # Errors
/// A message for the caller, where HTTP does not allow a part of it.
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
    *request.method_mut() = Method::from_bytes(method.as_bytes())
        .map_err(|_| "the method has characters that HTTP does not allow")?;
    *request.uri_mut() = target
        .parse::<Uri>()
        .ok()
        .ok_or("the path or the query has characters that a URL does not allow, or is too long")?;
    *request.headers_mut() = headers;
    Ok(request)
}
