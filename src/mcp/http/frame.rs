//! MCP messages over WebSocket: the same protocol without HTTP headers.

use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::Error;
use crate::mcp::http::dispatch;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::response::McpResponse;
use crate::mcp::messages::envelope::{self, Incoming, Malformed, Message, Request};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::version::Shape;
use crate::telemetry::trace::Trace;

/// One message, parsed once and kept until it is answered.
pub(crate) enum Frame {
    /// A request, which gets exactly one response with its id.
    Request(FrameRequest),
    /// A cancellation: the client no longer needs the response to the request with this id.
    Cancellation(Box<RawValue>),
    /// Any other message: most are not answered, some with an error.
    Other(OtherFrame),
}

/// A request. Its parameters are parsed when it is answered.
pub(crate) struct FrameRequest {
    /// The id, as in the message.
    id: Box<RawValue>,
    method: String,
    params: Option<Box<RawValue>>,
}

/// A message that is neither a request nor a cancellation.
pub(crate) struct OtherFrame(Other);

enum Other {
    Notification,
    Response { id: String, text: String },
    Malformed(Option<Box<RawValue>>, RpcError),
}

impl Frame {
    /// Parses a message.
    pub(crate) fn read(text: &str) -> Frame {
        let message = match envelope::parse(text.as_bytes()) {
            Ok(Incoming::Single(message)) => message,
            Ok(Incoming::Batch(_)) => {
                let problem =
                    "a frame is one message, not a batch: send each in a frame of its own";
                return Frame::malformed(None, RpcError::invalid_request(problem));
            }
            Err(rpc_error) => return Frame::malformed(None, rpc_error),
        };
        match message {
            Ok(Message::Request { id, method, params }) => Frame::Request(FrameRequest {
                id: id.to_owned(),
                method: method.into_owned(),
                params: params.map(ToOwned::to_owned),
            }),
            Ok(Message::Notification { cancelled }) => match cancelled {
                Some(id) => Frame::Cancellation(id.to_owned()),
                None => Frame::Other(OtherFrame(Other::Notification)),
            },
            Ok(Message::Response { id, text }) => Frame::Other(OtherFrame(Other::Response {
                id: id.into_owned(),
                text: text.to_owned(),
            })),
            Err(Malformed { id, error }) => Frame::malformed(id, error),
        }
    }

    fn malformed(id: Option<&RawValue>, rpc_error: RpcError) -> Frame {
        let id = id.map(ToOwned::to_owned);
        Frame::Other(OtherFrame(Other::Malformed(id, rpc_error)))
    }

    /// The id of a request.
    pub(crate) fn id(&self) -> Option<&RawValue> {
        match self {
            Frame::Request(request) => Some(&request.id),
            Frame::Cancellation(_) | Frame::Other(_) => None,
        }
    }

    /// The method of a request that runs a function, which may take long.
    pub(crate) fn function_method(&self) -> Option<&'static str> {
        match self {
            Frame::Request(request) => dispatch::of_function(&request.method),
            Frame::Cancellation(_) | Frame::Other(_) => None,
        }
    }
}

impl FrameRequest {
    /// The id of the request.
    pub(crate) fn id(&self) -> &RawValue {
        &self.id
    }

    /// The trace context in `_meta`.
    ///
    /// # Errors
    /// The parameters are malformed.
    pub(crate) fn trace(&self) -> Result<Option<Trace>, RpcError> {
        Ok(self.read()?.params.meta.trace())
    }

    fn read(&self) -> Result<Request<'_>, RpcError> {
        // A WebSocket client always receives the notifications before the response.
        let takes_events = true;
        let params = self.params.as_deref();
        Request::read(&self.id, (&*self.method).into(), params, takes_events)
    }
}

impl Endpoint {
    /// Answers one WebSocket message, whose client also receives notifications before the response.
    pub async fn answer_frame(&self, text: &str, cx: &Context) -> McpResponse {
        self.answer_read_frame(Frame::read(text), cx).await
    }

    /// Like [`Endpoint::answer_frame`], for a message that is already parsed.
    pub(crate) async fn answer_read_frame(&self, frame: Frame, cx: &Context) -> McpResponse {
        match frame {
            Frame::Request(request) => match request.read() {
                Ok(request) => self.request(None, &request, cx).await,
                Err(rpc_error) => McpResponse::rpc_error(Some(&request.id), rpc_error),
            },
            Frame::Cancellation(_) | Frame::Other(OtherFrame(Other::Notification)) => {
                McpResponse::accepted("notification")
            }
            Frame::Other(OtherFrame(Other::Response { id, text })) => {
                self.response(&id, &text, None, cx).await
            }
            Frame::Other(OtherFrame(Other::Malformed(id, rpc_error))) => {
                McpResponse::rpc_error(id.as_deref(), rpc_error)
            }
        }
    }
}

/// The error response to a request that cannot be run, or whose response cannot be sent.
pub(crate) fn refusal(id: &RawValue, error: &Error) -> Outgoing {
    RpcError::of_error(Shape::Modern, "", error).encode(Some(id))
}

/// The error for a message without a usable request id.
pub(crate) fn unreadable(problem: impl Into<String>) -> Outgoing {
    RpcError::invalid_request(problem).encode(None)
}
