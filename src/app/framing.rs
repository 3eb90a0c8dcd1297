//! Which responses have a body, and what they say of its length (RFC 9110, section 8.6).

use axum::body::{Body, HttpBody};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response, StatusCode};

/// Takes the body of an answer to `HEAD`, which says the length that it has for `GET`; and the length of an answer that
/// never has a body, which a cache would take for that of the one it has.
pub(super) fn settle(response: &mut Response<Body>, is_head: bool) {
    let is_bare = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
    if is_bare {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if !is_head {
        return;
    }
    let body = std::mem::take(response.body_mut());
    let length = body.size_hint().exact().filter(|length| *length > 0);
    if let Some(length) = length.filter(|_| !is_bare) {
        let length = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
}
