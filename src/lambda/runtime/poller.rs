//! A poller: it takes invocations, one after another, until the process shuts down.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::{error, warn};

use crate::app::{App, RequestInfo};
use crate::clock::{Backoff, Deadline, TimeLeft};
use crate::lambda::events::response::EventResponse;
use crate::lambda::runtime::api::{Api, ApiError};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::health::PollerHealth;
use crate::lambda::runtime::invocation::Invocation;
use crate::lambda::runtime::shutdown::{Phase, Shutdown};
use crate::lambda::runtime::timeout::Timeout;
use crate::lambda::{answer_until, pong};

/// The retries after the platform failed to give an invocation; the wait doubles each time. A poller retries beyond that
/// while other pollers of the process still get invocations.
const MAX_RETRIES: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(1600));

/// The time after the deadline of an invocation in which its response may still be delivered, so that the failure at the
/// deadline arrives.
const DELIVERY_GRACE: Duration = Duration::from_millis(500);

/// The time at the end of an invocation in which no more spans are sent.
const FLUSH_RESERVE: Duration = Duration::from_millis(100);

/// Takes invocations until the process shuts down. A running invocation is finished first.
///
/// # Errors
/// The platform gives no more invocations.
pub(crate) async fn poll(
    app: App,
    mut api: Api,
    health: PollerHealth,
    timeout: Timeout,
    mut shutdown: Shutdown,
) -> Result<(), ApiError> {
    let mut failures = 0;
    loop {
        let next = tokio::select! {
            biased;
            () = shutdown.reached(Phase::Draining) => return Ok(()),
            next = api.next() => next,
        };
        match next {
            Ok(invocation) => {
                if failures > MAX_RETRIES {
                    health.mark_recovered();
                }
                failures = 0;
                let end = invocation.time_left.map(Deadline::after);
                let time_left = invocation.time_left.map(|left| timeout.observe(left));
                let response = answer(&app, &invocation, time_left, shutdown.clone()).await;
                post(&mut api, &invocation, response, end).await;
                // The process may be frozen as soon as it asks for the next invocation, so spans are sent before; it is
                // killed if that takes too long.
                let left = end.map_or(Duration::MAX, Deadline::remaining);
                app.flush(left.saturating_sub(FLUSH_RESERVE)).await;
            }
            Err(error) if failures == MAX_RETRIES && health.mark_refused() => return Err(error),
            Err(error) => {
                warn!(%error, "no invocation could be taken; trying again");
                failures = (failures + 1).min(MAX_RETRIES + 1);
                // The API serves this process alone, so the waits need no jitter.
                tokio::time::sleep(BACKOFF.limit(failures)).await;
            }
        }
    }
}

/// The response to one invocation, or its failure.
async fn answer(
    app: &App,
    invocation: &Invocation,
    time_left: Option<TimeLeft>,
    mut shutdown: Shutdown,
) -> Result<EventResponse, Failure> {
    let event = std::str::from_utf8(&invocation.payload).map_err(|_| Failure::unknown_event())?;
    let request_info = RequestInfo {
        id: Some(invocation.id.clone()),
        time_left,
        trace: invocation.trace.clone(),
        ..RequestInfo::default()
    };
    if invocation.is_ping() {
        return Ok(pong(request_info));
    }
    // The future is as large as all that a call can be, so it is pinned here and not moved.
    let answering = pin!(answer_until(app, event, request_info, shutdown.clone()));
    tokio::select! {
        biased;
        answered = AssertUnwindSafe(answering).catch_unwind() => answered.unwrap_or_else(|_| Err(Failure::panicked())),
        () = shutdown.reached(Phase::Terminating) => Err(Failure::stopped()),
    }
}

/// Posts the response to the platform, which ignores it after `end`. A failure is logged.
async fn post(
    api: &mut Api,
    invocation: &Invocation,
    response: Result<EventResponse, Failure>,
    end: Option<Deadline>,
) {
    let posting = pin!(async {
        match response {
            Ok(response) => api.respond(invocation, response).await,
            Err(failure) => api.fail(invocation, &failure).await,
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
