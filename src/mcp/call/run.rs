//! A running function, and its messages until it ends.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::value::RawValue;
use tokio::task::coop::consume_budget;

use crate::context::Context;
use crate::context::client::{Client, Message};
use crate::error::{Error, Kind};
use crate::mcp::messages::error::{RpcError, refusal};
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::version::Shape;
use crate::registry::Answer;
use crate::telemetry::Outcome;

/// A running function. It makes progress only while it is polled, and is cancelled when dropped.
pub(crate) struct Run {
    function: BoxFuture<'static, Ended>,
    client: Arc<Client>,
    ended: Option<Ended>,
}

/// The outcome of a function.
pub(crate) struct Ended {
    /// The result, or the protocol error.
    pub(crate) result: Result<Box<RawValue>, RpcError>,
    /// For a result that reports a defect of the server: the same failure as a protocol error.
    pub(crate) defect: Option<RpcError>,
    /// The outcome for the access line.
    pub(crate) outcome: Outcome,
}

impl Ended {
    /// The outcome of a function that returned `answer`, which `encode` turns into a result.
    pub(crate) fn of(
        shape: Shape,
        function: Arc<str>,
        answer: Result<Answer, Error>,
        encode: impl FnOnce(&Result<Answer, Error>) -> Result<Box<RawValue>, RpcError>,
    ) -> Ended {
        let failure = answer.as_ref().err();
        let defect = failure.filter(|it| it.kind() == Kind::Internal);
        let defect = defect.map(|it| RpcError::of_error(shape, &function, it));
        let result = match failure.and_then(Error::capability) {
            Some(capability) => {
                let rpc_error = RpcError::missing_capabilities(&function, &[capability]);
                Err(match shape {
                    Shape::Modern => rpc_error,
                    _ => rpc_error.legacy(),
                })
            }
            None => match failure.filter(|it| refusal(it).is_some()) {
                Some(refused) => Err(RpcError::of_error(shape, &function, refused)),
                None => encode(&answer),
            },
        };
        Ended {
            result,
            defect,
            outcome: Outcome::of_call(function, answer.err()),
        }
    }

    /// The outcome of a call that had to be abandoned.
    pub(crate) fn failed(function: Arc<str>, error: Error) -> Ended {
        Ended {
            result: Err(RpcError::of_error(Shape::Modern, &function, &error)),
            defect: None,
            outcome: Outcome::of_call(function, Some(error)),
        }
    }

    /// The same outcome, or an error if it exceeds the limit of a response: input requests are not charged while they
    /// are written.
    pub(crate) fn fitting(self, cx: &Context) -> Ended {
        let bytes = self.result.as_ref().map_or(0, |result| result.get().len());
        let Err(error) = cx.check_size(bytes) else {
            return self;
        };
        let result = Err(RpcError::of_error(Shape::Modern, "response", &error));
        let outcome = Outcome {
            error: Some(error.kind().as_str()),
            ..self.outcome
        };
        Ended {
            result,
            outcome,
            ..self
        }
    }

    /// The JSON-RPC response and its HTTP status.
    pub(crate) fn response(&self, id: &RawValue) -> (StatusCode, Outgoing) {
        match &self.result {
            Ok(result) => (StatusCode::OK, Outgoing::of_result(id, result)),
            Err(rpc_error) => (rpc_error.status, rpc_error.encode(Some(id))),
        }
    }
}

/// What happens next.
pub(crate) enum Step {
    /// The function sent a message.
    Said(VecDeque<Message>),
    /// The function has ended, and all its messages were taken.
    Ended(Ended),
    /// The function waits.
    Waits,
}

impl Run {
    pub(crate) fn new(function: BoxFuture<'static, Ended>, client: Arc<Client>) -> Run {
        Run {
            function,
            client,
            ended: None,
        }
    }

    /// Whether the function has ended and only its remaining messages are taken.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Runs the function until something happens.
    pub(crate) async fn step(&mut self) -> Step {
        breathe().await;
        poll_fn(|cx| match self.poll(cx) {
            Step::Waits => Poll::Pending,
            step => Poll::Ready(step),
        })
        .await
    }

    /// Runs the function as far as it gets without waiting.
    pub(crate) async fn advance(&mut self) -> Step {
        breathe().await;
        poll_fn(|cx| Poll::Ready(self.poll(cx))).await
    }

    fn poll(&mut self, cx: &mut task::Context<'_>) -> Step {
        // Messages of a spawned task after the function's end do not belong to the call.
        if let Some(ended) = self.ended.take() {
            return Step::Ended(ended);
        }
        let function = self.function.poll_unpin(cx);
        match (self.client.poll_messages(cx), function) {
            (Poll::Ready(said), Poll::Ready(ended)) => {
                self.ended = Some(ended);
                Step::Said(said)
            }
            (Poll::Ready(said), Poll::Pending) => Step::Said(said),
            (Poll::Pending, Poll::Ready(ended)) => Step::Ended(ended),
            (Poll::Pending, Poll::Pending) => Step::Waits,
        }
    }
}

/// Yields the thread to the runtime from time to time: a function that sends a message at every poll would otherwise
/// block it.
async fn breathe() {
    consume_budget().await;
}

impl Drop for Run {
    fn drop(&mut self) {
        self.client.close();
    }
}
