//! Headers for caches in front of this server: `Cache-Control`, `Age`, `Cache-Status`, `ETag`.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    AGE, AUTHORIZATION, CACHE_CONTROL, COOKIE, ETAG, HeaderName, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use xxhash_rust::xxh3::xxh3_128;

use crate::context::Context;
use crate::upstream::Freshness;

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Headers by which a request names who makes it.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, HeaderName::from_static("x-api-key")];

/// Adds the headers of a successful response to a GET, and leaves the body out if the caller has it already.
pub(super) fn describe(
    response: &mut Response<Body>,
    cx: &Context,
    body: &[u8],
    request: &HeaderMap,
) {
    let is_private =
        cx.principal().is_some() || CREDENTIALS.iter().any(|it| request.contains_key(it));
    let headers = response.headers_mut();
    let scope = if is_private { "private" } else { "public" };
    match cx.freshness() {
        Some(freshness) => say(headers, freshness, scope),
        // The next response may differ, so a cache must revalidate it.
        None if is_private => insert(headers, CACHE_CONTROL, "private, no-cache".to_owned()),
        None => drop(headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"))),
    }
    if is_private {
        // For those with other credentials, a browser asks again.
        for name in CREDENTIALS {
            headers.append(VARY, HeaderValue::from(name));
        }
    }
    tag(response, xxh3_128(body), request);
}

/// Adds the tag of the content to a successful response, and leaves the body out if the caller has it already.
pub(super) fn tag(response: &mut Response<Body>, content: u128, request: &HeaderMap) {
    let tag = entity_tag(content);
    let is_known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|known| names(known, &tag));
    response.headers_mut().insert(
        ETAG,
        HeaderValue::try_from(tag).expect("base64 in quotes is visible ASCII"),
    );
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(http::header::CONTENT_TYPE);
    }
}

/// Adds the origin of the data to a response to a POST, which caches do not keep.
pub(super) fn mark(response: &mut Response<Body>, freshness: Option<Freshness>) {
    if let Some(freshness) = freshness {
        say_where(response.headers_mut(), freshness);
    }
}

fn say(headers: &mut HeaderMap, freshness: Freshness, scope: &str) {
    let left = freshness.ttl_ms.div_euclid(1000);
    let age = freshness.age.as_secs();
    let time = match freshness.is_stale() {
        // A stale response is sent only because there is no better one, so caches must not keep it.
        true => 0,
        // A cache subtracts `Age` from it (RFC 9111 §4.2).
        false if freshness.hit => age.saturating_add(left.unsigned_abs()),
        false => left.unsigned_abs(),
    };
    let time = time.to_string();
    insert(
        headers,
        CACHE_CONTROL,
        [scope, ", max-age=", &time].concat(),
    );
    say_where(headers, freshness);
}

fn say_where(headers: &mut HeaderMap, freshness: Freshness) {
    let seconds = freshness.ttl_ms.div_euclid(1000);
    if freshness.hit || freshness.is_stale() {
        insert(headers, AGE, freshness.age.as_secs().to_string());
        insert(headers, CACHE_STATUS, format!("bifold; hit; ttl={seconds}"));
    } else {
        headers.insert(CACHE_STATUS, HeaderValue::from_static("bifold; fwd=miss"));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    headers.insert(
        name,
        HeaderValue::try_from(value).expect("words and numbers are visible ASCII"),
    );
}

/// A strong tag from the hash of the content: equal bytes have the same one in every process. It guards nothing, so the
/// hash need not resist those who look for two bodies with the same one.
fn entity_tag(content: u128) -> String {
    let mut tag = String::with_capacity(24);
    tag.push('"');
    URL_SAFE_NO_PAD.encode_string(content.to_be_bytes(), &mut tag);
    tag.push('"');
    tag
}

/// Whether an `If-None-Match` line names the tag; the comparison is weak (RFC 9110 §13.1.2).
fn names(line: &HeaderValue, tag: &str) -> bool {
    let line = line.to_str().unwrap_or("");
    line.split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
