//! What is done with an invocation: it is answered, and the response is posted.
//!
//! The stock post is not used: it delays streams by 40 ms (no `TCP_NODELAY`), writes the error of a stream into its body,
//! ends the body of a producer that panicked as if it were complete, and calls every error "unhandled". One post for all
//! responses is less than two.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::LambdaInvocation;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tower::Service;
use tracing::error;

use crate::app::{App, RequestInfo};
use crate::clock::{Deadline, TimeLeft};
use crate::lambda::events::response::EventResponse;
use crate::lambda::runtime::api::{Api, ApiError};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::invocation::Invocation;
use crate::lambda::runtime::shutdown::{Phase, Shutdown};
use crate::lambda::runtime::timeout::Timeout;
use crate::lambda::{answer_until, pong};

/// The time after the deadline of an invocation in which its response may still be delivered, so that the failure at the
/// deadline arrives.
const DELIVERY_GRACE: Duration = Duration::from_millis(500);

/// The time at the end of an invocation in which no more spans are sent.
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

/// The place of a worker in the loop of `lambda_runtime`: it is dropped when the loop loses the worker, which is not
/// reported otherwise.
#[derive(Clone)]
pub(crate) struct Place {
    worker: Arc<Worker>,
    lost: UnboundedSender<()>,
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

    /// Waits until no more invocations are taken and the running ones have ended.
    pub(crate) async fn drained(&self) {
        self.shutdown.clone().reached(Phase::Draining).await;
        self.running.closed().await;
    }

    /// Answers one invocation and posts the response.
    pub(crate) async fn run(&self, invocation: Invocation) {
        let _running = self.running.subscribe();
        let time_left = invocation.time_left();
        let end = time_left.map(Deadline::after);
        let time_left = time_left.map(|left| self.timeout.observe(left));
        let response = self.answer(&invocation, time_left).await;
        self.post(&invocation, response, end).await;
        // The process may be frozen as soon as it asks for the next invocation, so spans are sent before; it is killed if
        // that takes too long.
        let left = end.map_or(Duration::MAX, Deadline::remaining);
        self.app.flush(left.saturating_sub(FLUSH_RESERVE)).await;
    }

    /// The response to one invocation, or its failure.
    async fn answer(
        &self,
        invocation: &Invocation,
        time_left: Option<TimeLeft>,
    ) -> Result<EventResponse, Failure> {
        let event =
            std::str::from_utf8(&invocation.payload).map_err(|_| Failure::unknown_event())?;
        let request_info = RequestInfo {
            id: Some(invocation.id.clone()),
            time_left,
            trace: invocation.trace(),
            ..RequestInfo::default()
        };
        if invocation.is_ping() {
            return Ok(pong(request_info));
        }
        let mut shutdown = self.shutdown.clone();
        // The future is as large as all that a call can be, so it is pinned here and not moved.
        let answering = pin!(answer_until(
            &self.app,
            event,
            request_info,
            shutdown.clone()
        ));
        tokio::select! {
            biased;
            answered = AssertUnwindSafe(answering).catch_unwind() => answered.unwrap_or_else(|_| Err(Failure::panicked())),
            () = shutdown.reached(Phase::Terminating) => Err(Failure::stopped()),
        }
    }

    /// Posts the response to the platform, which ignores it after `end`. A failure is logged.
    async fn post(
        &self,
        invocation: &Invocation,
        response: Result<EventResponse, Failure>,
        end: Option<Deadline>,
    ) {
        let posting = pin!(async {
            match response {
                Ok(response) => self.api.respond(invocation, response).await,
                Err(failure) => self.api.fail(invocation, &failure).await,
            }
        });
        let timeout = end.map_or(TimeLeft::UNLIMITED.left(), Deadline::remaining) + DELIVERY_GRACE;
        let posted = tokio::time::timeout(timeout, posting).await;
        let late = |_| Err("the platform did not accept the response in time".into());
        if let Err(error) = posted.unwrap_or_else(late) {
            // Emulators close the connection when the caller is gone, and the platform does so eventually.
            error!(request_id = invocation.id, %error, "a response could not be delivered completely");
        }
    }
}

impl Place {
    pub(crate) fn new(worker: Arc<Worker>, lost: UnboundedSender<()>) -> Place {
        Place { worker, lost }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The receiver is dropped only where the process ends.
        let _ = self.lost.send(());
    }
}

impl Service<LambdaInvocation> for Place {
    type Response = ();
    type Error = ApiError;
    type Future = BoxFuture<'static, Result<(), ApiError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ApiError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let worker = self.worker.clone();
        Box::pin(async move {
            worker.run(invocation.into()).await;
            // An invocation that is requested now would not be answered.
            if worker.shutdown.has_reached(Phase::Draining) {
                pending::<()>().await;
            }
            Ok(())
        })
    }
}
