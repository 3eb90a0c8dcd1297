//! The fourth layer: the endpoint, and MCP as HTTP, whose responses are one document or a stream of events.

mod answer;
pub(crate) mod dispatch;
pub(crate) mod endpoint;
pub(crate) mod frame;
mod gate;
mod legacy;
mod listen;
mod modern;
pub(crate) mod response;

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use futures_util::stream::{BoxStream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::context::Context;
use crate::http::body::read_body;
use crate::http::refusal::Refusal;
use crate::mcp::messages::events::Event;
use crate::telemetry::{Outcome, Pending};

use endpoint::Endpoint;
use response::{Body as McpBody, McpResponse};

/// Answers a POST.
pub(crate) async fn post(endpoint: &Endpoint, request: Request) -> Response<Body> {
    let cx = Context::of(&request);
    let (parts, body) = request.into_parts();
    let body = match read_body(&parts.headers, body, cx.body_limits()).await {
        Ok(body) => body,
        Err(refusal) => return refused(&parts.headers, refusal),
    };
    answer_of(endpoint.answer(&parts.headers, &body, &cx).await)
}

/// Answers what is neither a POST nor listens.
pub(crate) fn method_not_allowed(headers: &HeaderMap) -> Response<Body> {
    let refusal = Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "messages are sent with POST; the `Allow` header lists what is taken",
    );
    refused(headers, refusal)
}

/// An error of the protocol, because that is what clients of this path can read.
pub(crate) fn refused(headers: &HeaderMap, refusal: Refusal) -> Response<Body> {
    let message = frame::unreadable_in(headers, refusal.detail);
    let mut response = json_response(message.into_json());
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(refusal.header);
    response.extensions_mut().insert(Outcome {
        error: Some(refusal.class),
        ..Outcome::default()
    });
    response
}

/// The response as an HTTP response.
pub(crate) fn answer_of(answer: McpResponse) -> Response<Body> {
    let mut response = match answer.body {
        McpBody::Empty => Response::default(),
        McpBody::Message(message) => json_response(message.into_json()),
        McpBody::Batch(json) => json_response(json),
        McpBody::Events(events, pending) => event_response(events, pending),
    };
    *response.status_mut() = answer.status;
    response.extensions_mut().insert(answer.outcome);
    response
}

fn json_response(json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing between here and the client may keep the events, or hold them back.
fn event_response(events: BoxStream<'static, Event>, pending: Pending) -> Response<Body> {
    let events = events.map(|event| Ok::<_, Infallible>(event.sse()));
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.extensions_mut().insert(pending);
    response
}
