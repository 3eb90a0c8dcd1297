//! What a function says to its client, as messages of the protocol.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::context::client::{Ask, Level, Log, Progress};
use crate::error::Capability;

#[derive(Serialize)]
struct Notification<T> {
    jsonrpc: &'static str,
    method: &'static str,
    params: T,
}

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
struct Question<'a> {
    jsonrpc: &'static str,
    id: &'a str,
    method: &'static str,
    params: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams<'a> {
    request_id: &'a str,
    reason: &'static str,
}

/// How far a call is, as far as it was told.
pub(crate) struct Reporter {
    /// As it stood in the request, so that it goes back as it came.
    token: Box<RawValue>,
    last: f64,
}

impl Reporter {
    pub(crate) fn new(token: Box<RawValue>) -> Reporter {
        let last = f64::NEG_INFINITY;
        Reporter { token, last }
    }

    /// The notification of that report; none where it does not rise, which clients must not see.
    pub(crate) fn report(&mut self, report: &Progress) -> Option<Vec<u8>> {
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

/// An entry for the client's log.
pub(crate) fn log(entry: &Log) -> Vec<u8> {
    let params = LogParams {
        level: entry.level,
        data: &entry.data,
    };
    notification("notifications/message", params)
}

/// A question to a client of 2025, which answers it under that id.
pub(crate) fn question(id: &str, ask: &Ask) -> Vec<u8> {
    let mut params = ask.params.clone();
    if ask.capability == Capability::UrlElicitation {
        // Only these clients want an id of the page, and multi_round know a question by what it says.
        params["elicitationId"] = id.into();
    }
    let question = Question {
        jsonrpc: "2.0",
        id,
        method: ask.method,
        params,
    };
    serde_json::to_vec(&question).expect("a question of texts is JSON")
}

/// The client need not answer the question of that id any more.
pub(crate) fn cancelled(id: &str) -> Vec<u8> {
    let params = CancelledParams {
        request_id: id,
        reason: "nobody waits for the answer any more",
    };
    notification("notifications/cancelled", params)
}

/// Any notification.
pub(crate) fn notification(method: &'static str, params: impl Serialize) -> Vec<u8> {
    let notification = Notification {
        jsonrpc: "2.0",
        method,
        params,
    };
    serde_json::to_vec(&notification).expect("a notification of texts and numbers is JSON")
}
