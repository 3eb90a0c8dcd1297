//! An HTTP response, and what the log says of its request.

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderMap, Response};

use crate::telemetry::{Outcome, PendingOutcome};

/// What a protocol answers an HTTP request with.
pub struct Answered {
    /// The response.
    pub response: Response<Body>,
    /// What the log says of it; of a stream, if it is given up before its end.
    pub outcome: Outcome,
    /// What the log says of a stream once it has ended.
    pub pending: Option<PendingOutcome>,
}

/// What goes along with a response through the router.
#[derive(Clone)]
struct Routed(Outcome, Option<PendingOutcome>);

impl Answered {
    /// A response that is whole.
    pub fn new(response: Response<Body>, outcome: Outcome) -> Answered {
        Answered {
            response,
            outcome,
            pending: None,
        }
    }

    /// The headers of the response.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }

    /// The answer that a route has given to the router.
    pub fn of_route(mut response: Response<Body>) -> Answered {
        let routed = response.extensions_mut().remove();
        let Routed(outcome, pending) = routed.unwrap_or(Routed(Outcome::default(), None));
        Answered {
            response,
            outcome,
            pending,
        }
    }
}

/// The one place where something goes along in the extensions of a response: a route of axum's router can return nothing
/// but a response. [`Answered::of_route`] takes it out behind the router.
impl IntoResponse for Answered {
    fn into_response(self) -> Response<Body> {
        let mut response = self.response;
        let routed = Routed(self.outcome, self.pending);
        response.extensions_mut().insert(routed);
        response
    }
}
