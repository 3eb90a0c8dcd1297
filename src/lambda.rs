//! The same application as an AWS Lambda function, behind every HTTP front door of the platform and a WebSocket API.

mod api;
mod connection;
mod door;
mod event;
mod extension;
mod failure;
mod head;
mod invocation;
mod poller;
mod reply;
mod request;
mod socket;
mod stream;
mod timeout;
mod v1;
mod v2;

use std::future::pending;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use crate::app::{App, Arrival};
use crate::deadline::{Deadline, TimeLeft};
use crate::invoke::Errand;
use crate::trace::X_RAY;

use api::Api;
pub use api::ApiError;
use event::{Event, Http};
use extension::Extension;
pub use failure::Failure;
use poller::poll;
pub use reply::Reply;
use timeout::Timeout;

/// The variable by which the platform says how many invocations one process takes at a time.
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// How long what runs may take to end after the signal; the platform kills the process after half a second.
const PATIENCE: Duration = Duration::from_millis(400);

/// The runtime that fits the platform: one thread, unless several invocations run at once.
///
/// # Errors
/// The operating system's.
pub fn runtime() -> std::io::Result<runtime::Runtime> {
    match concurrency() {
        1 => runtime::Builder::new_current_thread().enable_all().build(),
        _ => runtime::Builder::new_multi_thread().enable_all().build(),
    }
}

/// Takes invocations until the platform ends the process, or until `shutdown` is ready: then what runs may end, for at
/// most 400 ms, and no connection stays open.
///
/// # Errors
/// What keeps the process from talking to the platform.
pub async fn serve(app: App, shutdown: impl Future<Output = ()>) -> Result<(), ApiError> {
    let name = "AWS_LAMBDA_FUNCTION_NAME";
    if std::env::var_os(name).is_none() {
        let problem = "is not set; the Lambda platform sets it beside AWS_LAMBDA_RUNTIME_API";
        return Err(format!("`{name}` {problem}").into());
    }
    let mut api = Api::from_env()?;
    let extension = Extension::register(&mut api).await;
    let (stop, stopped) = watch::channel(false);
    let (mut pollers, timeout) = (JoinSet::new(), Timeout::default());
    let mut take = |api| {
        let poller = poll(app.clone(), api, timeout.clone(), stopped.clone());
        // It is as large as all that a call can be, and must not be moved to and fro with its task.
        pollers.spawn(Box::pin(poller));
    };
    for _ in 1..concurrency() {
        take(api.another());
    }
    // The connection of the registration is open.
    take(api);
    tokio::select! {
        result = all(&mut pollers) => result,
        () = wait(extension) => Ok(()),
        () = shutdown => {
            info!("stopping: running invocations are finished first");
            stop.send_replace(true);
            match tokio::time::timeout(PATIENCE, all(&mut pollers)).await {
                Ok(result) => result,
                Err(_) => Ok(()),
            }
        }
    }
}

/// Tells the platform that the function cannot start, as far as it listens.
pub async fn refuse(reason: &str) {
    let told = async { Api::from_env()?.fail_start(&Failure::start(reason)).await };
    if let Err(error) = told.await {
        debug!(%error, "the platform was not told");
    }
}

/// Answers one event of a front door, in the shape that this door reads.
///
/// # Errors
/// The event comes from none of them, or the answer failed before it had begun.
pub async fn answer(app: &App, event: &str, arrival: Arrival) -> Result<Reply, Failure> {
    answer_traced(app, event, arrival, None).await
}

/// The same for a request that the platform traces: its own header replaces that of the event.
async fn answer_traced(
    app: &App,
    event: &str,
    arrival: Arrival,
    trace: Option<HeaderValue>,
) -> Result<Reply, Failure> {
    // What callers send the front doors wrap, so an errand comes only from who may invoke this function.
    if let Some(errand) = Errand::read(event) {
        let gone_on = app.go_on(errand, arrival).await;
        return gone_on.map(|()| Reply::nothing()).map_err(Failure::again);
    }
    match Event::parse(event) {
        Ok(Event::Http(event)) => answer_http(app, event, arrival, trace).await,
        Ok(Event::Socket(event)) => event.answer(app, arrival).await,
        Err(failure) => {
            // The caller gets the failure. The refusal is for the log, which has a line for every request.
            let detail = failure.to_string();
            drop(app.refuse(StatusCode::BAD_REQUEST, "unknown_event", &detail, arrival));
            Err(failure)
        }
    }
}

async fn answer_http(
    app: &App,
    event: Http<'_>,
    arrival: Arrival,
    trace: Option<HeaderValue>,
) -> Result<Reply, Failure> {
    let config = app.config();
    let door = event.door();
    let is_streamed = door.is_streamed(config);
    let margin = match is_streamed {
        true => config.stream_margin,
        false => config.deadline_margin,
    };
    let time = arrival.time_left.unwrap_or(TimeLeft::UNLIMITED);
    let end = Deadline::after(time.cut(margin));
    let response = match event.request(&config.base_path) {
        Ok(mut request) => {
            // Not beside the other: two of them would be none.
            if let Some(trace) = trace {
                request.headers_mut().insert(X_RAY, trace);
            }
            let is_whole = !is_streamed;
            let arrival = Arrival {
                is_whole,
                ..arrival
            };
            app.serve(request, arrival).await
        }
        Err(problem) => app.refuse(StatusCode::BAD_REQUEST, "bad_request", &problem, arrival),
    };
    match is_streamed {
        true => Ok(Reply::streamed(door, response, end)),
        false => Reply::whole(door, response, end).await,
    }
}

/// How many invocations this process takes at a time.
fn concurrency() -> u32 {
    let number = std::env::var(MAX_CONCURRENCY).ok();
    let number = number.and_then(|text| text.parse().ok());
    number.unwrap_or(1).max(1)
}

/// Ready when all pollers have ended. One that fails leaves the others to their invocations.
async fn all(pollers: &mut JoinSet<Result<(), ApiError>>) -> Result<(), ApiError> {
    let mut result = Ok(());
    while let Some(ended) = pollers.join_next().await {
        let ended = ended.unwrap_or_else(|panic| Err(panic.into()));
        if let Err(error) = &ended {
            error!(%error, "no more invocations are taken here");
        }
        result = result.and(ended);
    }
    result
}

async fn wait(extension: Option<Extension>) {
    match extension {
        Some(extension) => extension.wait().await,
        None => pending().await,
    }
}
