//! Answers an invocation and posts the response.
//!
//! `lambda_runtime` could post it, but that delays streams by 40 ms (no `TCP_NODELAY`), writes the error of a stream into its
//! body, ends the body of a producer that panicked as if it were complete, and calls every error "unhandled". All responses
//! are posted in one way, so that there is only one to test.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::FutureExt;
use http::HeaderName;
use lambda_runtime::LambdaInvocation;
use tokio::sync::watch;
use tokio::time::Sleep;
use tracing::error;

use crate::app::{App, RequestInfo};
use crate::clock::{Deadline, TimeLeft, time_until};
use crate::lambda::events::ping;
use crate::lambda::events::response::EventResponse;
use crate::lambda::runtime::api::Api;
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::shutdown::{Phase, Shutdown};
use crate::lambda::runtime::timeout::Timeout;
use crate::lambda::{answer_until, pong};

const CLIENT_CONTEXT: &str = "lambda-runtime-client-context";
const TRACE: &str = "lambda-runtime-trace-id";
/// Distinguishes a response from a late one to an earlier attempt; it is sent back unchanged.
const ATTEMPT: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// The time after the deadline of an invocation in which its response may still be delivered, so that the failure at the
/// deadline arrives.
const DELIVERY_GRACE: Duration = Duration::from_millis(500);

/// The time before the deadline of an invocation in which nothing more is sent.
const FLUSH_RESERVE: Duration = Duration::from_millis(100);

/// Answers invocations.
pub(crate) struct Worker {
    app: App,
    api: Api,
    timeout: Timeout,
    shutdown: Shutdown,
    /// Has a receiver for each running invocation.
    running: watch::Sender<()>,
}

impl Worker {
    pub(crate) fn new(app: App, api: Api, shutdown: Shutdown) -> Worker {
        Worker {
            app,
            api,
            timeout: Timeout::default(),
            shutdown,
            running: watch::Sender::new(()),
        }
    }

    /// The number of running invocations.
    pub(crate) fn running(&self) -> usize {
        self.running.receiver_count()
    }

    /// Answers one invocation for the loop of `lambda_runtime`, which then requests the next one.
    pub(crate) async fn run_in_loop(&self, invocation: LambdaInvocation, limit: Pin<&mut Sleep>) {
        self.run(invocation, limit).await;
        // An invocation that was requested now would not be answered.
        if self.shutdown.has_reached(Phase::Draining) {
            pending::<()>().await;
        }
    }

    /// Waits until no more invocations are taken and the running ones have ended.
    pub(crate) async fn drained(&self) {
        self.shutdown.clone().reached(Phase::Draining).await;
        self.running.closed().await;
    }

    /// Answers one invocation and posts the response, which the platform ignores after the deadline. A failure is logged.
    ///
    /// `limit` is the timer of the post. It is kept and reset, because each new timer wakes the runtime up by a system call.
    pub(crate) async fn run(&self, invocation: LambdaInvocation, mut limit: Pin<&mut Sleep>) {
        let _running = self.running.subscribe();
        let time_left = time_until(invocation.context.deadline);
        let end = time_left.map(Deadline::after);
        let response = self.answer(&invocation, time_left).await;
        let id = &invocation.context.request_id;
        let attempt = invocation.parts.headers.get(ATTEMPT).cloned();
        let headers = attempt.map(|it| (ATTEMPT, it)).into_iter().collect();
        let posting = pin!(self.api.respond(id, headers, response));
        let timeout = end.map_or(TimeLeft::UNLIMITED.left(), Deadline::remaining) + DELIVERY_GRACE;
        limit.as_mut().reset(Deadline::after(timeout).instant());
        let posted = tokio::select! {
            biased;
            posted = posting => posted,
            () = limit => Err("the platform did not accept the response in time".into()),
        };
        if let Err(error) = posted {
            // Emulators close the connection when the caller is gone, and the platform does so eventually.
            error!(request_id = id, %error, "a response could not be delivered completely");
        }
        // The process may be frozen as soon as it requests the next invocation, so spans are sent and stale lists are read
        // before; the process is killed if that takes too long.
        let left = end.map_or(Duration::MAX, Deadline::remaining);
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            () = self.app.flush(left.saturating_sub(FLUSH_RESERVE)) => {}
            () = shutdown.reached(Phase::Terminating) => {}
        }
    }

    /// The response to one invocation, or its failure.
    async fn answer(
        &self,
        LambdaInvocation {
            parts,
            body,
            context,
        }: &LambdaInvocation,
        time_left: Option<Duration>,
    ) -> Result<EventResponse, Failure> {
        let event = std::str::from_utf8(body).map_err(|_| Failure::unknown_event())?;
        let request_info = RequestInfo {
            id: Some(context.request_id.clone()),
            time_left: time_left.map(|left| self.timeout.observe(left)),
            trace: parts.headers.get(TRACE).cloned(),
            ..RequestInfo::default()
        };
        let client_context = parts.headers.get(CLIENT_CONTEXT);
        if client_context.is_some_and(|it| it.to_str().is_ok_and(ping::is_declared_in)) {
            return Ok(pong(request_info));
        }
        let mut shutdown = self.shutdown.clone();
        // The future is large, so it is pinned here and not moved.
        let answering = answer_until(&self.app, event, request_info, shutdown.clone());
        let answering = pin!(answering);
        tokio::select! {
            biased;
            answered = AssertUnwindSafe(answering).catch_unwind() => answered.unwrap_or_else(|_| Err(Failure::panicked())),
            () = shutdown.reached(Phase::Terminating) => Err(Failure::stopped()),
        }
    }
}
