//! Replies of the MCP face as HTTP responses.

use std::convert::Infallible;

use axum::body::Body;
use futures_util::stream::{BoxStream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::mcp;
use crate::telemetry::Pending;

/// The HTTP response that carries a reply of the MCP face.
pub(super) fn answer_of(reply: mcp::Reply) -> Response<Body> {
    let mut response = match reply.body {
        mcp::Body::Empty => Response::default(),
        mcp::Body::Json(json) => json_response(json),
        mcp::Body::Events(events, pending) => event_response(events, pending),
    };
    *response.status_mut() = reply.status;
    response.extensions_mut().insert(reply.outcome);
    response
}

fn json_response(json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing between here and the client may keep the events, or hold them back.
fn event_response(events: BoxStream<'static, mcp::Event>, pending: Pending) -> Response<Body> {
    let mut response = Response::new(Body::from_stream(
        events.map(|event| Ok::<_, Infallible>(event.sse())),
    ));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.extensions_mut().insert(pending);
    response
}
