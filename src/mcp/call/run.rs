//! A running function of this protocol, and its outcome.

use std::sync::Arc;

use http::StatusCode;
use serde_json::value::RawValue;

use crate::context::{Context, client};
use crate::error::{Error, Kind};
use crate::mcp::messages::error::{RpcError, refusal};
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::version::Shape;
use crate::registry::Answer;
use crate::telemetry::Outcome;

/// A running function of this protocol.
pub(crate) type Run = client::run::Run<Ended>;

/// What happens next in one.
pub(crate) type Step = client::run::Step<Ended>;

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
