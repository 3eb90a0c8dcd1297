//! The fourth layer: the endpoint, and MCP over HTTP, where a response is one JSON document or an event stream.

mod access;
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
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::context::Context;
use crate::context::answered::Answered;
use crate::http::body::read_body;
use crate::http::refusal::Refusal;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::version;
use crate::telemetry::Outcome;

use endpoint::Endpoint;
use response::{Body as McpBody, McpResponse};

/// Answers a request to `/mcp`.
pub(crate) async fn route(endpoint: &Endpoint, request: Request) -> Answered {
    let tells = endpoint.tells();
    match *request.method() {
        Method::POST => post(endpoint, request).await,
        Method::GET if tells => {
            let cx = Context::of(&request);
            answered(endpoint.listen_to_all(request.headers(), &cx))
        }
        _ => method_not_allowed(request.headers(), if tells { "GET,POST" } else { "POST" }),
    }
}

async fn post(endpoint: &Endpoint, request: Request) -> Answered {
    let cx = Context::of(&request);
    let (parts, body) = request.into_parts();
    match read_body(&parts.headers, body, cx.body_limits()).await {
        Ok(body) => answered(endpoint.answer(&parts.headers, &body, &cx).await),
        Err(refusal) => refused(&parts.headers, refusal),
    }
}

/// Answers methods other than POST and GET.
fn method_not_allowed(headers: &HeaderMap, allowed: &'static str) -> Answered {
    let refusal = Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "messages are sent with POST; the `Allow` header lists what is taken",
    );
    let mut answered = refused(headers, refusal);
    let headers = answered.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    answered
}

/// A JSON-RPC error, because MCP clients cannot read problem documents.
pub(crate) fn refused(headers: &HeaderMap, refusal: Refusal) -> Answered {
    let message = RpcError::of_refusal(&refusal);
    let message = message.encode(version::absent_id(headers));
    let mut response = json_response(message.into_json());
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(refusal.header);
    let outcome = Outcome {
        error: Some(refusal.class),
        ..Outcome::default()
    };
    Answered::new(response, outcome)
}

/// Converts a [`McpResponse`] into an HTTP response.
fn answered(answer: McpResponse) -> Answered {
    let (mut response, pending) = match answer.body {
        McpBody::Empty => (Response::default(), None),
        McpBody::Message(message) => (json_response(message.into_json()), None),
        McpBody::Batch(json) => (json_response(json), None),
        McpBody::Events(events, pending) => (event_response(events), Some(pending)),
    };
    *response.status_mut() = answer.status;
    Answered {
        response,
        outcome: answer.outcome,
        pending,
    }
}

fn json_response(json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Proxies must neither store nor buffer the events.
fn event_response(events: BoxStream<'static, Event>) -> Response<Body> {
    let events = events.map(|event| Ok::<_, Infallible>(event.sse()));
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
