//! One message of a WebSocket: the same protocol, without the headers of HTTP.

use http::HeaderMap;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::Error;
use crate::mcp::messages::envelope::{self, Incoming, Message};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::id::{Cancelled, is_id};
use crate::mcp::messages::version::{self, Shape};
use crate::mcp::methods::common;
use crate::mcp::{Endpoint, McpResponse};
use crate::telemetry::trace::Trace;

/// What a message is to whoever carries it.
pub enum Frame {
    /// It gets exactly one response, under that id.
    Request {
        /// As it stands in the message.
        id: Box<RawValue>,
        /// Its method, if a function is run for it, so that it may take long.
        method: Option<&'static str>,
        /// The trace that it says it belongs to.
        trace: Option<Trace>,
    },
    /// The client does not want the response to the request of that id any more.
    Cancellation(Box<RawValue>),
    /// All else: most of it gets no answer, and some an error.
    Other,
}

impl Frame {
    /// Tells what the message is.
    pub fn read(text: &str) -> Frame {
        let message = serde_json::from_str(text).map(envelope::read);
        match message {
            Ok(Ok(Message::Request(request))) => Frame::Request {
                id: request.id.to_owned(),
                method: common::of_function(&request.method),
                trace: request.meta.trace(),
            },
            Ok(Ok(Message::Notification { method, params }))
                if method == "notifications/cancelled" =>
            {
                let params = Cancelled::read(params);
                let id = params.map(|it| it.request_id).filter(|id| is_id(id));
                id.map_or(Frame::Other, |id| Frame::Cancellation(id.to_owned()))
            }
            _ => Frame::Other,
        }
    }
}

impl Endpoint {
    /// Answers one message of a WebSocket, whose client hears all that is said before the response.
    pub async fn answer_frame(&self, text: &str, cx: &Context) -> McpResponse {
        let message = match envelope::parse(text.as_bytes()) {
            Ok(Incoming::Single(message)) => message,
            Ok(Incoming::Batch(_)) => {
                let problem =
                    "a frame is one message, not a batch: send each in a frame of its own";
                return McpResponse::rpc_error(None, RpcError::invalid_request(problem));
            }
            Err(rpc_error) => return McpResponse::rpc_error(None, rpc_error),
        };
        match envelope::read(message) {
            Ok(Message::Request(mut request)) => {
                request.takes_events = true;
                self.request(None, &request, cx).await
            }
            Ok(Message::Notification { .. }) => McpResponse::accepted("notification"),
            Ok(Message::Response(id)) => self.response(&id, message, None, cx).await,
            Err((id, rpc_error)) => McpResponse::rpc_error(id, rpc_error),
        }
    }
}

/// The response to a request that cannot be carried out, or whose answer cannot be sent.
pub fn refusal(id: &RawValue, error: &Error) -> Vec<u8> {
    RpcError::of_error(Shape::Modern, "", error).encode(Some(id))
}

/// What is said to a message that belongs to no request, or to none that can be told.
pub fn unreadable(problem: impl Into<String>) -> Vec<u8> {
    RpcError::invalid_request(problem).encode(None)
}

/// The same in the form of the revision that the headers name.
pub fn unreadable_in(headers: &HeaderMap, problem: impl Into<String>) -> Vec<u8> {
    RpcError::invalid_request(problem).encode(version::absent_id(headers))
}
