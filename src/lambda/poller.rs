//! One taker of invocations: one after another, until it is told to stop.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tracing::{error, warn};

use super::answer_traced;
use super::api::{Api, ApiError};
use super::failure::Failure;
use super::invocation::Invocation;
use super::reply::Reply;
use super::timeout::Timeout;
use crate::app::{App, Arrival};
use crate::deadline::{Deadline, TimeLeft};

/// How often the platform is asked again after it failed to give an invocation, each time after twice the wait.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// What is left of an invocation when its spans are no longer sent.
const RESERVE: Duration = Duration::from_millis(100);

/// Takes invocations until `stop` is true. What runs then is finished first.
///
/// # Errors
/// The platform gives no more invocations.
pub(super) async fn poll(
    app: App,
    mut api: Api,
    timeout: Timeout,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ApiError> {
    let mut failures = 0;
    loop {
        let next = tokio::select! {
            biased;
            // The sender is gone only when serving is.
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            next = api.next() => next,
        };
        match next {
            Ok(invocation) => {
                failures = 0;
                let end = invocation.time_left.map(Deadline::after);
                handle(&app, &mut api, &timeout, invocation).await;
                // The process may be frozen as soon as it asks for more, and is killed if this takes too long.
                let left = end.map_or(Duration::MAX, Deadline::remaining);
                app.flush(left.saturating_sub(RESERVE)).await;
            }
            Err(error) if failures == TRIES => return Err(error),
            Err(error) => {
                warn!(%error, "no invocation could be taken; the platform is asked again");
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(failures)).await;
                failures += 1;
            }
        }
    }
}

/// Answers one invocation. Whatever goes wrong is told to the platform, or else to the log.
async fn handle(app: &App, api: &mut Api, timeout: &Timeout, invocation: Invocation) {
    let time_left = invocation.time_left.map(|left| timeout.of(left));
    let answering = AssertUnwindSafe(reply(app, &invocation, time_left)).catch_unwind();
    let answered = answering.await.unwrap_or_else(|_| Err(Failure::panicked()));
    let posted = match answered {
        Ok(reply) => api.respond(&invocation, reply).await,
        Err(failure) => api.fail(&invocation, &failure).await,
    };
    if let Err(error) = posted {
        // Emulators, and in time the platform, close the connection when the caller is gone.
        error!(request_id = invocation.id, %error, "an answer could not be delivered whole");
    }
}

async fn reply(
    app: &App,
    invocation: &Invocation,
    time_left: Option<TimeLeft>,
) -> Result<Reply, Failure> {
    let payload = std::str::from_utf8(&invocation.payload).map_err(|_| Failure::unknown_event())?;
    let arrival = Arrival {
        id: Some(invocation.id.clone()),
        time_left,
        ..Arrival::default()
    };
    answer_traced(app, payload, arrival, invocation.trace.clone()).await
}
