//! A call that is deferred to another invocation.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::connection::Connection;
use crate::auth::Principal;
use crate::config::key;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::telemetry::trace::Trace;

/// A deferred call.
#[derive(Serialize, Deserialize)]
pub(super) struct DeferredCall<'a> {
    /// The id by which a duplicate delivery is recognised.
    pub(super) job: String,
    pub(super) connection: Connection,
    /// The trace context of the deferring invocation, in the form of the W3C Trace Context headers.
    #[serde(default)]
    traceparent: String,
    #[serde(default)]
    tracestate: Option<String>,
    /// The principal of the caller.
    #[serde(default)]
    principal: Option<Principal>,
    /// The request, verbatim.
    #[serde(borrow)]
    pub(super) message: &'a RawValue,
}

impl<'a> DeferredCall<'a> {
    pub(super) fn new(
        connection: Connection,
        cx: &Context,
        message: &'a str,
    ) -> Result<DeferredCall<'a>> {
        let trace = cx.trace();
        let state = trace.state.as_ref().and_then(|it| it.to_str().ok());
        let message = serde_json::from_str(message);
        Ok(DeferredCall {
            job: key::random_name(),
            connection,
            traceparent: trace.traceparent(),
            tracestate: state.map(str::to_owned),
            principal: cx.principal().cloned(),
            message: message.map_err(broken)?,
        })
    }

    pub(super) fn read(text: &'a RawValue) -> Result<DeferredCall<'a>> {
        serde_json::from_str(text.get()).map_err(broken)
    }

    /// Gives the context the trace and the principal of the deferring invocation.
    pub(super) fn introduce(&self, cx: &Context) {
        if let Some(trace) = Trace::child_of(&self.traceparent, self.tracestate.as_deref()) {
            cx.set_trace(trace);
        }
        cx.set_principal(self.principal.clone());
    }

    pub(super) fn write(&self) -> Box<RawValue> {
        to_raw_value(self).expect("texts and JSON are JSON")
    }
}

fn broken(error: serde_json::Error) -> Error {
    Error::internal("a call cannot be handed on").with_source(error)
}
