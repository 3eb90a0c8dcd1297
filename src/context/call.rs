//! What belongs to one request, or to one part of it.

use std::any::Any;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::budget::Allowance;
use crate::clock::{Countdown, Deadline};
use crate::telemetry::trace::Trace;
use crate::upstream::Meter;

/// What belongs to one request, or to one part of it.
pub struct Call {
    /// The id in the log and in `x-request-id`.
    pub id: String,
    /// The platform's own id of the request.
    pub invocation: Option<String>,
    /// The trace that its headers name.
    pub trace: Trace,
    /// The trace that its message names, which says more of it than the headers of whoever carried it.
    pub named: OnceLock<Trace>,
    /// When the answer must be ready.
    pub countdown: Countdown,
    /// When the platform ends an answer that is a stream, which keeps more time to end in good order.
    pub stream_end: Option<Deadline>,
    /// What it cost upstream.
    pub meter: Arc<Meter>,
    /// The calls that it may make, and the bytes of its response.
    pub allowance: Allowance,
    /// Who calls, where a integration knows: this one, or that of the invocation which handed the call on.
    pub principal: OnceLock<String>,
    /// From where, where the integration knows.
    pub peer: Option<IpAddr>,
    /// The registry that it began with, which a room above knows the type of.
    pub registry: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// Whether it is a part of another call.
    pub is_part: bool,
    /// Whether its answer reaches the client only once it is whole.
    pub is_whole: bool,
}

impl Call {
    /// The trace that it belongs to.
    pub fn trace(&self) -> &Trace {
        self.named.get().unwrap_or(&self.trace)
    }
}
