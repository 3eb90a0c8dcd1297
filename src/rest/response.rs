//! The response to a successful call: JSON, bytes, or no content.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use http::header::{
    CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::freshness;
use crate::context::Context;
use crate::registry::{self, Answer};

/// The characters that a file name keeps in `filename*` (RFC 8187, attr-char).
const IN_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The headers of a response, for which space is reserved: a map that grows is made anew.
const USUAL_HEADERS: usize = 12;

/// The response to a call. Its status is that of the answer, or else that of the function. For a GET, `get` holds the
/// headers of the request, by which the response may be 304.
pub(super) fn of_answer(
    answer: Answer,
    status: Option<u16>,
    cx: &Context,
    get: Option<&HeaderMap>,
) -> Response<Body> {
    let status = status.filter(|_| answer.status() == 200);
    let status = StatusCode::from_u16(status.unwrap_or(answer.status())).unwrap_or(StatusCode::OK);
    let location = answer.location().map(HeaderValue::from_str);
    let (body, mut response) = match answer.bytes() {
        _ if status == StatusCode::NO_CONTENT => (Bytes::new(), Response::new(Body::empty())),
        Some(bytes) => (bytes.content().clone(), download(bytes)),
        None => json(answer),
    };
    *response.status_mut() = status;
    if let Some(Ok(location)) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    match get {
        Some(request) if status == StatusCode::OK => {
            freshness::describe(&mut response, cx, &body, request);
        }
        _ => freshness::mark(&mut response, cx.freshness()),
    }
    response
}

fn json(answer: Answer) -> (Bytes, Response<Body>) {
    let text: Box<str> = answer.into_json().into();
    let body = Bytes::from(text.into_string());
    let mut response = Response::new(Body::from(body.clone()));
    *response.headers_mut() = HeaderMap::with_capacity(USUAL_HEADERS);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    (body, response)
}

/// Raw bytes with their length and media type, which browsers must not guess.
fn download(bytes: &registry::Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes.content().clone()));
    let mut insert = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    insert(CONTENT_TYPE, bytes.media_type());
    insert(X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(name) = bytes.name() {
        insert(CONTENT_DISPOSITION, &disposition(name));
    }
    response
}

/// The file name in ASCII for old clients, and in full if it has other characters (RFC 6266).
fn disposition(name: &str) -> String {
    let is_plain =
        |it: char| (it.is_ascii_graphic() || it == ' ') && !matches!(it, '"' | '\\' | '%');
    let plain: String = name
        .chars()
        .map(|it| if is_plain(it) { it } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        let encoded = utf8_percent_encode(name, IN_NAME);
        // Writing into a string cannot fail.
        let _ = write!(value, "; filename*=UTF-8''{encoded}");
    }
    value
}
