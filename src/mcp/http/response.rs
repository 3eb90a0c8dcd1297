//! The response to a message.

use futures_util::stream::BoxStream;
use http::StatusCode;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::mcp::call::execution::Executed;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::version::Shape;
use crate::telemetry::{Outcome, PendingOutcome};

/// The response to one message or batch.
#[non_exhaustive]
pub struct McpResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Body,
    /// The outcome for the access line; for a stream, the outcome if the client disconnects before its end.
    pub outcome: Outcome,
}

/// The body of a [`McpResponse`].
#[non_exhaustive]
pub enum Body {
    /// No body: the message was a notification.
    Empty,
    /// One JSON-RPC message.
    Message(Outgoing),
    /// The responses to a batch, a JSON array on one line.
    Batch(Vec<u8>),
    /// The events up to and including the response, and the outcome for the access line once the stream has ended.
    Events(BoxStream<'static, Event>, PendingOutcome),
}

impl McpResponse {
    /// The response to a notification.
    pub(crate) fn accepted(what: &'static str) -> McpResponse {
        McpResponse {
            status: StatusCode::ACCEPTED,
            body: Body::Empty,
            outcome: Outcome::of_method(what),
        }
    }

    /// An error response.
    pub(crate) fn rpc_error(id: Option<&RawValue>, rpc_error: RpcError) -> McpResponse {
        let outcome = Outcome {
            error: Some(rpc_error.name()),
            ..Outcome::default()
        };
        McpResponse {
            status: rpc_error.status,
            body: Body::Message(rpc_error.encode(id)),
            outcome,
        }
    }

    /// A response with a result that is already charged to the request's budget.
    pub(crate) fn result(
        request: &Request<'_>,
        method: &'static str,
        result: &RawValue,
    ) -> McpResponse {
        McpResponse {
            status: StatusCode::OK,
            body: Body::Message(Outgoing::of_result(request.id, result)),
            outcome: Outcome::of_method(method),
        }
    }

    /// A response with a result that is charged here.
    ///
    /// # Errors
    /// The result exceeds what is left of the request's budget.
    pub(crate) fn charged(
        request: &Request<'_>,
        method: &'static str,
        result: &RawValue,
        cx: &Context,
    ) -> Result<McpResponse, RpcError> {
        let charged = cx.charge(result.get().as_bytes());
        charged.map_err(|error| RpcError::of_error(Shape::Modern, method, &error))?;
        Ok(McpResponse::result(request, method, result))
    }

    /// The response to a request that ran a function.
    pub(crate) fn executed(request: &Request<'_>, executed: Executed) -> McpResponse {
        match executed {
            Executed::Whole(ended) => {
                let (status, message) = ended.response(request.id);
                McpResponse {
                    status,
                    body: Body::Message(message),
                    outcome: ended.outcome,
                }
            }
            Executed::Streamed {
                events,
                pending,
                given_up,
            } => McpResponse {
                status: StatusCode::OK,
                body: Body::Events(events, pending),
                outcome: given_up,
            },
        }
    }

    /// A stream of change notifications. A client that closes it is not a failure.
    pub(crate) fn listening(events: BoxStream<'static, Event>) -> McpResponse {
        McpResponse {
            status: StatusCode::OK,
            body: Body::Events(events, PendingOutcome::default()),
            outcome: Outcome::of_method("subscriptions/listen"),
        }
    }

    /// The JSON-RPC message, if the response is a single one.
    pub(crate) fn into_json(self) -> Option<Vec<u8>> {
        match self.body {
            Body::Message(message) => Some(message.into_json()),
            Body::Empty | Body::Batch(_) | Body::Events(..) => None,
        }
    }
}
