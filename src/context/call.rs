//! The data of one request, or of one part of it.

use std::any::Any;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::budget::BudgetRef;
use crate::auth::{Denial, Principal, Quota};
use crate::clock::{Countdown, Deadline};
use crate::telemetry::trace::Trace;
use crate::upstream::Meter;

/// The data of one request, or of one part of it.
pub struct Call {
    /// The id in the log and in `x-request-id`.
    pub id: String,
    /// The platform's own id of the invocation.
    pub invocation: Option<String>,
    /// The trace that the headers name.
    pub trace: Trace,
    /// The trace that the message names; it takes precedence, because a proxy may have set the headers.
    pub named: OnceLock<Trace>,
    /// When the response must be ready.
    pub countdown: Countdown,
    /// The deadline of a streamed response, which needs more time to end in good order.
    pub stream_end: Option<Deadline>,
    /// The upstream requests of the call, and their cost.
    pub meter: Arc<Meter>,
    /// The number of nested calls and the bytes of the response.
    pub budget: BudgetRef,
    /// The principal that the server has checked itself: that of this request, or of the invocation that began the call.
    pub principal: OnceLock<Arc<Principal>>,
    /// The principal that the integration has checked.
    pub checked: Option<Arc<Principal>>,
    /// Whether a program calls that embeds the application, which is held to no rule for callers.
    pub is_trusted: bool,
    /// Why the request is refused, for its challenge.
    pub denial: OnceLock<Denial>,
    /// What is left of the rate limits.
    pub quota: OnceLock<Quota>,
    /// The client's address, where it is known.
    pub peer: Option<IpAddr>,
    /// The registry that it began with, which a room above knows the type of.
    pub registry: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// Whether it is a part of another call.
    pub is_part: bool,
    /// Whether the client gets the response only when it is complete.
    pub is_whole: bool,
}

impl Call {
    /// The trace that the call belongs to.
    pub fn trace(&self) -> &Trace {
        self.named.get().unwrap_or(&self.trace)
    }
}
