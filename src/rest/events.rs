//! A call as an event stream: progress, log entries, and the result as the last event.
//!
//! A browser's `EventSource` reconnects when a stream ends, and then sends the id of the last event. The response to
//! that id is 204, which stops it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::endpoint::running;
use super::problem::failure;
use super::routes::RestApi;
use super::table::Endpoint;
use crate::context::answered::Answered;
use crate::context::client::run::{QUIET, Run, Step};
use crate::context::client::{Client, Message, Progress};
use crate::context::{Context, Form, Level, Protocol};
use crate::error::{Capabilities, Error, Result};
use crate::registry::Answer;
use crate::telemetry::{Outcome, PendingOutcome};

/// The id of the last event of each stream.
const END: &str = "end";

/// A comment line, which clients ignore.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A running call.
struct Session {
    run: Run<Result<Answer>>,
    cx: Context,
    function: Arc<str>,
    pending: PendingOutcome,
    /// The last reported progress value.
    done: f64,
    /// The messages that are not sent yet.
    unsent: std::collections::VecDeque<Bytes>,
}

/// What comes next.
enum Next {
    Event(Bytes),
    End(Result<Answer>),
}

/// A progress event.
#[derive(Serialize)]
struct Report<'a> {
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

/// Whether an `EventSource` reconnects after the end of its stream.
pub(super) fn is_over(parts: &Parts) -> bool {
    let last = parts.headers.get("last-event-id");
    parts.method == Method::GET && last.is_some_and(|id| id == END)
}

/// The response that stops an `EventSource`.
pub(super) fn over() -> Answered {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answered::new(response, Outcome::of_method("reconnect"))
}

/// Calls the function. An error before the first event keeps its HTTP status.
pub(super) async fn answer(
    api: &RestApi,
    endpoint: &Endpoint,
    cx: Context,
    arguments: String,
) -> Answered {
    let client = Arc::new(Client::new(
        Capabilities::default(),
        true,
        Some(Level::Info),
    ));
    let called = cx.clone().on_protocol(Protocol::Rest, Form::Json);
    let called = called.with_client(client.clone());
    let function = endpoint.tool.label();
    let mut session = Session {
        run: Run::new(running(api, endpoint, called, arguments), client),
        cx,
        function: function.clone(),
        pending: PendingOutcome::default(),
        done: f64::NEG_INFINITY,
        unsent: std::collections::VecDeque::new(),
    };
    let first = match session.next().await {
        Next::End(Err(error)) => {
            let response = failure(&error, session.cx.request_id()).response;
            return Answered::new(response, Outcome::of_call(function, Some(error)));
        }
        next => next,
    };
    session.cx.start_stream();
    let pending = session.pending.clone();
    let events = stream::unfold(Some((session, Some(first))), async |state| {
        let (mut session, first) = state?;
        let next = match first {
            Some(next) => next,
            None => session.next().await,
        };
        match next {
            Next::Event(event) => Some((Ok::<_, Infallible>(event), Some((session, None)))),
            Next::End(result) => Some((Ok(session.end(result).await), None)),
        }
    });
    Answered {
        response: response(Body::from_stream(events)),
        outcome: Outcome::cancelled(function),
        pending: Some(pending),
    }
}

/// Proxies must neither store nor buffer the events.
fn response(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

impl Session {
    async fn next(&mut self) -> Next {
        loop {
            if let Some(event) = self.unsent.pop_front() {
                return Next::Event(event);
            }
            let step = tokio::select! {
                biased;
                step = self.run.step() => step,
                () = sleep(QUIET) => return Next::Event(KEEP_ALIVE),
            };
            match step {
                Step::Said(messages) => {
                    let events = messages.into_iter().filter_map(|it| self.event(it));
                    let events: Vec<Bytes> = events.collect();
                    self.unsent.extend(events);
                }
                Step::Ended(result) => return Next::End(result),
                Step::Waits => {}
            }
        }
    }

    /// The event for a message; `None` if progress does not increase, or the response has no room for it.
    fn event(&mut self, message: Message) -> Option<Bytes> {
        let (name, data) = match message {
            Message::Progress(report) => ("progress", self.report(&report)?),
            Message::Log(entry) => (
                "log",
                json!({ "level": entry.level, "data": entry.data }).to_string(),
            ),
            // REST clients have none of the capabilities that these messages need.
            Message::Ask(_) | Message::Detach(_) => return None,
        };
        let has_room = self.cx.has_room_for(data.as_bytes());
        has_room.then(|| event(name, "", &data))
    }

    fn report(&mut self, report: &Progress) -> Option<String> {
        if !report.done.is_finite() || report.done <= self.done {
            return None;
        }
        self.done = report.done;
        let report = Report {
            progress: report.done,
            total: report.total.filter(|total| total.is_finite()),
            message: &report.message,
        };
        serde_json::to_string(&report).ok()
    }

    /// The last event, which also ends the call for the access line.
    async fn end(self, result: Result<Answer>) -> Bytes {
        let id = format!("id: {END}\n");
        let last = match &result {
            Ok(answer) => event("result", &id, one_line(answer.json()).as_ref()),
            Err(error) => event("error", &id, &problem(error, &self.cx).await),
        };
        let outcome = Outcome::of_call(self.function.clone(), result.err());
        self.pending.end(outcome);
        last
    }
}

/// The problem document of an error.
async fn problem(error: &Error, cx: &Context) -> String {
    let body = failure(error, cx.request_id()).response.into_body();
    let body = body.collect().await.map(|it| it.to_bytes());
    String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
}

/// A line break, which in JSON occurs only between tokens, would end the line of the event.
fn one_line(json: &RawValue) -> std::borrow::Cow<'_, str> {
    match json.get().contains(['\n', '\r']) {
        true => json.get().replace(['\n', '\r'], " ").into(),
        false => json.get().into(),
    }
}

fn event(name: &str, id: &str, data: &str) -> Bytes {
    format!("event: {name}\n{id}data: {data}\n\n").into()
}
