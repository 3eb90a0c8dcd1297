//! The answer to one call as a stream of events: its progress while it runs, then its response, then nothing.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

use crate::progress::Progress;

/// How long a stream may be quiet before it shows that it is alive: proxies drop what is silent for half a minute.
const QUIET: Duration = Duration::from_secs(15);

/// A comment, which no client takes for an event.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// A call that runs as its events are read: whoever stops reading ends it.
pub(super) struct Events {
    /// As it stood in the request, so that it goes back as it came.
    token: Box<RawValue>,
    reports: UnboundedReceiver<Progress>,
    call: BoxFuture<'static, Vec<u8>>,
    response: Option<Vec<u8>>,
    last: f64,
}

#[derive(Serialize)]
struct Notification<'a> {
    jsonrpc: &'static str,
    method: &'static str,
    params: Params<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    progress_token: &'a RawValue,
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

impl Events {
    /// The events of `call`, which gives the response and reports to `reports`.
    pub(super) fn stream(
        token: Box<RawValue>,
        reports: UnboundedReceiver<Progress>,
        call: BoxFuture<'static, Vec<u8>>,
    ) -> BoxStream<'static, Bytes> {
        let events = Events {
            token,
            reports,
            call,
            response: None,
            last: f64::NEG_INFINITY,
        };
        stream::unfold(Some(events), async |events| Some(events?.next().await)).boxed()
    }

    /// The next event and what comes after it.
    async fn next(mut self) -> (Bytes, Option<Events>) {
        let quiet = sleep(QUIET);
        tokio::pin!(quiet);
        loop {
            if let Some(response) = self.response.take() {
                // What the function reported in its last step still comes before its response.
                while let Ok(report) = self.reports.try_recv() {
                    if let Some(event) = self.notification(report) {
                        self.response = Some(response);
                        return (event, Some(self));
                    }
                }
                return (event(response), None);
            }
            tokio::select! {
                biased;
                Some(report) = self.reports.recv() => {
                    if let Some(event) = self.notification(report) {
                        return (event, Some(self));
                    }
                }
                response = &mut self.call => self.response = Some(response),
                () = &mut quiet => return (Bytes::from_static(KEEP_ALIVE), Some(self)),
            }
        }
    }

    /// The event of that report; none where it does not rise, which clients must not see.
    fn notification(&mut self, report: Progress) -> Option<Bytes> {
        if !report.done.is_finite() || report.done <= self.last {
            return None;
        }
        self.last = report.done;
        let notification = Notification {
            jsonrpc: "2.0",
            method: "notifications/progress",
            params: Params {
                progress_token: &self.token,
                progress: report.done,
                total: report.total.filter(|total| total.is_finite()),
                message: &report.message,
            },
        };
        let json = serde_json::to_vec(&notification);
        Some(event(
            json.expect("a report of strings and numbers is JSON"),
        ))
    }
}

/// The event that carries a message. A line break, which in JSON can only stand between its tokens, would end the line.
fn event(mut json: Vec<u8>) -> Bytes {
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    [b"event: message\ndata: ".as_slice(), &json, b"\n\n"]
        .concat()
        .into()
}
