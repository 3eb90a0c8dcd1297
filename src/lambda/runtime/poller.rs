//! One taker of invocations: one after another, until it is told to stop.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::{error, warn};

use crate::app::{App, RequestInfo};
use crate::clock::{Backoff, Deadline, TimeLeft};
use crate::lambda::events::response::EventResponse;
use crate::lambda::runtime::api::{Api, ApiError};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::invocation::Invocation;
use crate::lambda::runtime::stop::{Step, Stop};
use crate::lambda::runtime::timeout::Timeout;
use crate::lambda::runtime::workers::Workers;
use crate::lambda::{answer_until, pong};

/// How often the platform is asked again after it failed to give an invocation, each time after twice the wait; while
/// others of the process still get some, it is asked on.
const TRIES: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(1600));

/// How long after the end of an invocation its answer may still be on its way, because its last words are.
const GRACE: Duration = Duration::from_millis(500);

/// What is left of an invocation when its spans are no longer sent.
const RESERVE: Duration = Duration::from_millis(100);

/// Takes invocations until the process stops. What runs then is finished first.
///
/// # Errors
/// The platform gives no more invocations.
pub(crate) async fn poll(
    app: App,
    mut api: Api,
    workers: Workers,
    timeout: Timeout,
    mut stop: Stop,
) -> Result<(), ApiError> {
    let mut failures = 0;
    loop {
        let next = tokio::select! {
            biased;
            () = stop.reached(Step::Stopping) => return Ok(()),
            next = api.next() => next,
        };
        match next {
            Ok(invocation) => {
                if failures > TRIES {
                    workers.is_back();
                }
                failures = 0;
                let end = invocation.time_left.map(Deadline::after);
                let time_left = invocation.time_left.map(|left| timeout.notice(left));
                let response = answer(&app, &invocation, time_left, stop.clone()).await;
                post(&mut api, &invocation, response, end).await;
                // The process may be frozen as soon as it asks for more, and is killed if this takes too long.
                let left = end.map_or(Duration::MAX, Deadline::remaining);
                app.flush(left.saturating_sub(RESERVE)).await;
            }
            Err(error) if failures == TRIES && workers.is_lost() => return Err(error),
            Err(error) => {
                warn!(%error, "no invocation could be taken; the platform is asked again");
                failures = (failures + 1).min(TRIES + 1);
                // The API serves this process alone, so the waits need no jitter.
                tokio::time::sleep(BACKOFF.limit(failures)).await;
            }
        }
    }
}

/// The answer to one invocation, or why there is none.
async fn answer(
    app: &App,
    invocation: &Invocation,
    time_left: Option<TimeLeft>,
    mut stop: Stop,
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
    let answering = AssertUnwindSafe(answer_until(app, event, request_info, stop.clone()));
    tokio::select! {
        biased;
        answered = answering.catch_unwind() => answered.unwrap_or_else(|_| Err(Failure::panicked())),
        () = stop.reached(Step::Ending) => Err(Failure::stopped()),
    }
}

/// Hands it to the platform, which has no use for it after `end`. What goes wrong is told to the log.
async fn post(
    api: &mut Api,
    invocation: &Invocation,
    response: Result<EventResponse, Failure>,
    end: Option<Deadline>,
) {
    let posting = async {
        match response {
            Ok(response) => api.respond(invocation, response).await,
            Err(failure) => api.fail(invocation, &failure).await,
        }
    };
    let patience = end.map_or(TimeLeft::UNLIMITED.left(), Deadline::remaining) + GRACE;
    let posted = tokio::time::timeout(patience, posting).await;
    let late = |_| Err("the platform did not take it in time".into());
    if let Err(error) = posted.unwrap_or_else(late) {
        // Emulators, and in time the platform, close the connection when the caller is gone.
        error!(request_id = invocation.id, %error, "an answer could not be delivered whole");
    }
}
