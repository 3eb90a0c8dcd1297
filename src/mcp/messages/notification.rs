//! Notifications and input requests, as JSON-RPC messages.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::context::client::{Ask, Level, Log, Progress};
use crate::error::Capability;
use crate::mcp::messages::outgoing::Outgoing;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressParams<'a> {
    progress_token: &'a RawValue,
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

#[derive(Serialize)]
struct LogParams<'a> {
    level: Level,
    data: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams<'a> {
    request_id: &'a str,
    reason: &'static str,
}

/// Reports the progress of a call.
pub(crate) struct Reporter {
    /// The progress token, verbatim from the request.
    token: Box<RawValue>,
    last: f64,
}

impl Reporter {
    pub(crate) fn new(token: Box<RawValue>) -> Reporter {
        let last = f64::NEG_INFINITY;
        Reporter { token, last }
    }

    /// The progress notification; `None` if the value does not increase, which the protocol forbids.
    pub(crate) fn report(&mut self, report: &Progress) -> Option<Outgoing> {
        if !report.done.is_finite() || report.done <= self.last {
            return None;
        }
        self.last = report.done;
        let params = ProgressParams {
            progress_token: &self.token,
            progress: report.done,
            total: report.total.filter(|total| total.is_finite()),
            message: &report.message,
        };
        Some(notification("notifications/progress", params))
    }
}

/// A log notification.
pub(crate) fn log(entry: &Log) -> Outgoing {
    let params = LogParams {
        level: entry.level,
        data: &entry.data,
    };
    notification("notifications/message", params)
}

/// A request to a client of a revision before 2026-07-28, which answers with this id.
pub(crate) fn question(id: &str, ask: &Ask) -> Outgoing {
    let mut params = ask.params.clone();
    if ask.capability == Capability::UrlElicitation {
        // Only these revisions want an id for the page. It is not in `ask`, because a multi-round request identifies a
        // question by its parameters.
        params["elicitationId"] = id.into();
    }
    Outgoing::of_method(ask.method, Some(id), &params)
}

/// Tells the client that the request with this id needs no answer any more.
pub(crate) fn cancelled(id: &str) -> Outgoing {
    let params = CancelledParams {
        request_id: id,
        reason: "nobody waits for the answer any more",
    };
    notification("notifications/cancelled", params)
}

/// Any notification.
pub(crate) fn notification(method: &'static str, params: impl Serialize) -> Outgoing {
    Outgoing::of_method(method, None, &params)
}
