//! One message of a WebSocket: the same protocol, without the headers of HTTP.

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

/// One message, read once and kept until it is answered.
pub(crate) enum Frame {
    /// It gets exactly one response, under its id.
    Request(FrameRequest),
    /// The client does not want the response to the request of that id any more.
    Cancellation(Box<RawValue>),
    /// All else: most of it gets no answer, and some an error.
    Other(OtherFrame),
}

/// A request, whose parameters are read when it is answered.
pub(crate) struct FrameRequest {
    /// As it stands in the message.
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
    /// Reads a message.
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

    /// The id under which it is answered, of a request.
    pub(crate) fn id(&self) -> Option<&RawValue> {
        match self {
            Frame::Request(request) => Some(&request.id),
            Frame::Cancellation(_) | Frame::Other(_) => None,
        }
    }

    /// The method of a request for which a function is run, so that it may take long.
    pub(crate) fn function_method(&self) -> Option<&'static str> {
        match self {
            Frame::Request(request) => dispatch::of_function(&request.method),
            Frame::Cancellation(_) | Frame::Other(_) => None,
        }
    }
}

impl FrameRequest {
    /// The id under which it is answered.
    pub(crate) fn id(&self) -> &RawValue {
        &self.id
    }

    /// The trace that it says it belongs to.
    ///
    /// # Errors
    /// It is malformed.
    pub(crate) fn trace(&self) -> Result<Option<Trace>, RpcError> {
        Ok(self.read()?.params.meta.trace())
    }

    fn read(&self) -> Result<Request<'_>, RpcError> {
        // A client of a WebSocket hears all that is said before the response.
        let takes_events = true;
        let params = self.params.as_deref();
        Request::read(&self.id, (&*self.method).into(), params, takes_events)
    }
}

impl Endpoint {
    /// Answers one message of a WebSocket, whose client hears all that is said before the response.
    pub async fn answer_frame(&self, text: &str, cx: &Context) -> McpResponse {
        self.answer_read_frame(Frame::read(text), cx).await
    }

    /// The same of one that has been read.
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

/// The response to a request that cannot be carried out, or whose answer cannot be sent.
pub(crate) fn refusal(id: &RawValue, error: &Error) -> Outgoing {
    RpcError::of_error(Shape::Modern, "", error).encode(Some(id))
}

/// What is said to a message that belongs to no request, or to none that can be told.
pub(crate) fn unreadable(problem: impl Into<String>) -> Outgoing {
    RpcError::invalid_request(problem).encode(None)
}
