//! Clients behind API Gateway, where each frame is an event.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use super::cancellation::Start;
use super::connection::Connection;
use super::deferred_call::DeferredCall;
use super::delivery::Delivery;
use super::exchange::{Exchange, Frame, Limits};
use super::gateway::MOST_BYTES;
use super::times::Times;
use super::{Sockets, entry};
use crate::aws::invoke::{Continuation, Invoker};
use crate::clock::Deadline;
use crate::context::Context;
use crate::context::request_log::{RequestGuard, RequestLog};
use crate::error::{Error, Result};
use crate::mcp;
use crate::telemetry::{self, Outcome};

/// The time limit for deferring a call: the client of the frame waits meanwhile.
const HANDING_ON: Duration = Duration::from_secs(10);

impl Sockets {
    /// Answers `$connect` with a status: it accepts the connection by its headers, or refuses it with a class of error.
    /// Nothing can be posted to the client yet.
    pub fn connect(&self, headers: Result<&HeaderMap, &'static str>, cx: &Context) -> StatusCode {
        let error = match headers {
            Ok(headers) if self.admits(headers) => None,
            Ok(_) => Some("forbidden_origin"),
            Err(class) => Some(class),
        };
        let status = match error {
            None => StatusCode::OK,
            Some("bad_request") => StatusCode::BAD_REQUEST,
            Some(_) => StatusCode::FORBIDDEN,
        };
        log(entry(cx, Some("$connect")), status, error);
        status
    }

    /// Writes the line of a connection whose caller is refused with that status.
    pub fn refuse_caller(&self, status: StatusCode, cx: &Context) {
        let class = cx.denial().map_or("store_unavailable", |it| it.class());
        log(entry(cx, Some("$connect")), status, Some(class));
    }

    /// Writes the line of a connection that a layer of the application has refused with that status.
    pub fn refuse_connection(&self, status: StatusCode, cx: &Context) {
        log(entry(cx, Some("$connect")), status, Some("refused"));
    }

    /// Answers `$disconnect`, which API Gateway sends in most cases but not always: the calls of the connection are
    /// cancelled.
    ///
    /// # Errors
    /// The store fails.
    pub async fn disconnect(&self, connection: &Connection, cx: &Context) -> Result<()> {
        log(entry(cx, Some("$disconnect")), StatusCode::OK, None);
        self.cancellations.forget(connection).await
    }

    /// Answers one frame, or defers its call to another invocation.
    ///
    /// # Errors
    /// The client cannot be reached, or the store fails.
    pub async fn message(
        &self,
        connection: Connection,
        text: &str,
        cx: Context,
        times: Times,
    ) -> Result<()> {
        // Frames need time to be sent, so the call has the deadline of a streamed response.
        cx.start_stream();
        // Without time left nothing is deferred, and the response says why.
        let may_run = !cx.deadline().remaining().is_zero();
        let invoker = self.invoker.as_ref().filter(|_| may_run);
        let text = mcp::without_mark(text);
        match mcp::Frame::read(text) {
            mcp::Frame::Cancellation(id) => {
                log(entry(&cx, Some("notification")), StatusCode::OK, None);
                self.cancellations.cancel(&connection, &id).await
            }
            frame => {
                let method = frame.function_method();
                let invoker = invoker.filter(|_| method.is_some());
                if let (Some(invoker), mcp::Frame::Request(request)) = (invoker, &frame)
                    // A malformed request is refused at once.
                    && let Ok(trace) = request.trace()
                {
                    if let Some(trace) = trace {
                        cx.set_trace(trace);
                    }
                    let id = request.id();
                    return self.hand_on(invoker, connection, id, text, cx, times).await;
                }
                let entry = guard(&cx, method);
                self.answer(&connection, frame, entry, times).await
            }
        }
    }

    /// Answers a binary frame.
    ///
    /// # Errors
    /// The client cannot be reached.
    pub async fn refuse_binary(
        &self,
        connection: &Connection,
        cx: &Context,
        times: Times,
    ) -> Result<()> {
        let entry = entry(cx, Some("binary"));
        log(entry, StatusCode::BAD_REQUEST, Some("invalid_request"));
        let refusal = Frame::refusal(&mcp::unreadable("a frame is text; this one was binary"), 1);
        Delivery::new(&self.gateway, connection, times)?
            .tell(refusal)
            .await
    }

    /// Runs a deferred call. A duplicate delivery or a cancelled call does nothing.
    ///
    /// # Errors
    /// The client cannot be reached, or the store fails.
    pub async fn resume(&self, call: &RawValue, cx: Context, times: Times) -> Result<()> {
        let call = DeferredCall::read(call)?;
        call.introduce(&cx);
        cx.start_stream();
        let (connection, text) = (call.connection, call.message.get());
        let frame = mcp::Frame::read(text);
        let Some(id) = frame.id().map(ToOwned::to_owned) else {
            return Err(Error::internal("the deferred message is not a request"));
        };
        let entry = guard(&cx, frame.function_method());
        let starting = self.cancellations.start(&call.job, &connection, &id);
        let seen = match self.unless_stopping(starting).await {
            Ok(Start::Watched(seen)) => seen,
            Ok(Start::Unwatched) => {
                return self.answer(&connection, frame, entry, times).await;
            }
            Ok(Start::Unwanted) => {
                log(entry.into_log(), StatusCode::OK, Some("cancelled"));
                return Ok(());
            }
            Ok(Start::Repeated) => {
                log(entry.into_log(), StatusCode::OK, Some("repeated"));
                return Ok(());
            }
            Err(error) => return self.refuse(&connection, &id, &error, entry, times).await,
        };
        tokio::select! {
            biased;
            () = self.cancellations.given_up(&connection, &id, seen, times.answer) => Ok(()),
            done = self.answer(&connection, frame, entry, times) => done,
        }
    }

    async fn hand_on(
        &self,
        invoker: &Invoker,
        connection: Connection,
        id: &RawValue,
        text: &str,
        cx: Context,
        times: Times,
    ) -> Result<()> {
        let entry = guard(&cx, Some("continuation"));
        let call = DeferredCall::new(connection.clone(), &cx, text)?;
        let continuation = Continuation::Frame(call.write());
        let deadline = Deadline::after(HANDING_ON).min(times.answer);
        let handing_on = invoker.again(continuation, deadline);
        let Err(error) = self.unless_stopping(handing_on).await else {
            log(entry.into_log(), StatusCode::ACCEPTED, None);
            return Ok(());
        };
        // The response to the claim may be lost while the call runs; the invocation with the claim answers the client.
        match self.cancellations.claim(&call.job).await {
            Ok(true) => {
                telemetry::cause("continuation", &error);
                self.refuse(&connection, id, &error, entry, times).await
            }
            Ok(false) => {
                log(entry.into_log(), StatusCode::ACCEPTED, None);
                Ok(())
            }
            // The call may run elsewhere and send its own final frame.
            Err(unknown) => {
                telemetry::cause("continuation", &error);
                let error =
                    unknown.with_context(", so it is unknown whether the call was handed on");
                fail(entry, &error);
                Err(error)
            }
        }
    }

    /// Answers within this invocation. The call is cancelled if the client disconnects or the process shuts down.
    async fn answer(
        &self,
        connection: &Connection,
        frame: mcp::Frame,
        entry: RequestGuard,
        times: Times,
    ) -> Result<()> {
        let limits = Limits {
            bytes: MOST_BYTES,
            end: Some(times.answer),
            is_numbered: true,
        };
        let (endpoint, entry) = ((self.endpoint)(), entry.into_log());
        let mut exchange = Exchange::new(endpoint, frame, entry, limits);
        match Delivery::new(&self.gateway, connection, times) {
            Ok(delivery) => delivery.carry(&mut exchange, self.stopping()).await,
            Err(error) => {
                exchange.undelivered();
                Err(error)
            }
        }
    }

    /// Reports to the client and in the log that the call was not started.
    async fn refuse(
        &self,
        connection: &Connection,
        id: &RawValue,
        error: &Error,
        entry: RequestGuard,
        times: Times,
    ) -> Result<()> {
        fail(entry, error);
        let refusal = Frame::refusal(&mcp::refusal(id, error), 1);
        Delivery::new(&self.gateway, connection, times)?
            .tell(refusal)
            .await
    }

    /// Waits for what has to precede a call, as long as the process has time.
    async fn unless_stopping<T>(&self, doing: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            done = doing => done,
            () = self.stopping() => Err(Error::stopping("the call was not begun")),
        }
    }
}

/// The beginning of an access line, for a message that is still to be answered.
fn guard(cx: &Context, method: Option<&'static str>) -> RequestGuard {
    RequestGuard::new(entry(cx, method))
}

/// Writes the access line of a call that was not started.
fn fail(entry: RequestGuard, error: &Error) {
    let kind = error.kind().as_str();
    log(entry.into_log(), StatusCode::BAD_GATEWAY, Some(kind));
}

/// Writes the access line of an event without an exchange, with the kind of its error.
fn log(mut entry: RequestLog, status: StatusCode, error: Option<&'static str>) {
    entry.status = Some(status.as_u16());
    entry.write(&Outcome {
        error,
        ..Outcome::default()
    });
}
