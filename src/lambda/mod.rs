//! Runs an application as an AWS Lambda function, behind every HTTP integration of the platform and a WebSocket API.

mod events;
mod runtime;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use http::{HeaderMap, StatusCode};
use tokio::runtime as tokio_runtime;
use tracing::{debug, error, info, warn};

use crate::app::{App, OPEN, RequestInfo};
use crate::aws::invoke::Continuation;
use crate::clock::{Deadline, TimeLeft};
use crate::local;

use events::event::Event;
use events::http_event::HttpEvent;
use events::ping;
pub use events::response::EventResponse;
use events::stream::Cutoff;
use runtime::api::Api;
pub use runtime::api::ApiError;
use runtime::driver::Driver;
use runtime::extension;
pub use runtime::failure::Failure;
use runtime::health::WorkerHealth;
use runtime::shutdown::{Phase, Shutdown, ShutdownSender};
use runtime::worker::Worker;

/// The error for settings that name no Lambda function.
const MISSING_FUNCTION_NAME: &str = "`AWS_LAMBDA_FUNCTION_NAME` is not set, or the settings were made without it; the Lambda \
     platform sets it, and `Config::from_env` reads it";

/// The variables without which `lambda_runtime` panics, beside the name of the function.
const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
const VERSION: &str = "AWS_LAMBDA_FUNCTION_VERSION";

/// The variable that holds the number of invocations that one process takes at a time.
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// The time for running invocations to finish after the signal, and then the time to send failures to the callers of the
/// unfinished ones. The platform kills the process after 500 ms.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(300);
const TERMINATE_TIMEOUT: Duration = Duration::from_millis(100);

/// The least time for what [`Server::on_stop`](crate::Server::on_stop) was given.
const STOP_TIME: Duration = Duration::from_millis(50);

/// Builds an application with `start` and takes invocations for it until the platform ends the process. On a signal,
/// running invocations have 300 ms to finish. Then each unfinished invocation is answered with a failure, and all
/// connections are closed.
///
/// The async runtime has one thread, or several where the platform runs several invocations at once. The settings must
/// come from the environment, where the platform describes the function.
///
/// ```no_run
/// use bifold::telemetry::{self, Format};
/// use bifold::{App, Config, Server, lambda};
///
/// fn main() -> Result<(), lambda::ApiError> {
///     lambda::run(async || -> Result<App, lambda::ApiError> {
///         let config = Config::from_env()?;
///         telemetry::start(Format::Json, &config.log)?;
///         Ok(App::new(config, Server::new("greeter", "1.0.0"))?)
///     })
/// }
/// ```
///
/// # Errors
/// The platform cannot be reached, or `start` failed. A failed start is also reported to the platform.
pub fn run<E: Into<ApiError>>(start: impl AsyncFnOnce() -> Result<App, E>) -> Result<(), ApiError> {
    run_boxed(Box::pin(async { start().await.map_err(Into::into) }))
}

/// The same without the types of the program, so that all of it is compiled once, in the library.
fn run_boxed(start: LocalBoxFuture<'_, Result<App, ApiError>>) -> Result<(), ApiError> {
    let runtime = match concurrency() {
        1 => tokio_runtime::Builder::new_current_thread()
            .enable_all()
            .build(),
        _ => tokio_runtime::Builder::new_multi_thread()
            .enable_all()
            .build(),
    }?;
    let done = runtime.block_on(serve(start));
    // A function that blocks its thread must not delay the end of the process.
    runtime.shutdown_background();
    done
}

/// The same in a runtime that exists.
pub(crate) async fn serve(
    start: impl Future<Output = Result<App, ApiError>>,
) -> Result<(), ApiError> {
    let api = Api::from_env()?;
    // The extension registers while the application is built: one yield lets the request leave first.
    let starting = async {
        tokio::task::yield_now().await;
        let app = match AssertUnwindSafe(start).catch_unwind().await {
            Ok(started) => started?,
            Err(_) => return Err(Failure::panicked().into()),
        };
        if !app.config().is_frozen() {
            return Err(ApiError::from(MISSING_FUNCTION_NAME));
        }
        check_environment()?;
        Ok(app)
    };
    let (identifier, started) = tokio::join!(biased; extension::register(&api), starting);
    let app = match started {
        Ok(app) => app,
        Err(error) => {
            let failure = Failure::start(&error.to_string());
            let reported = api.fail("/init/error", HeaderMap::new(), &failure).await;
            if let Err(error) = reported {
                debug!(%error, "the failed start could not be reported to the platform");
            }
            return Err(error);
        }
    };
    if !app.is_guarded() {
        warn!("{OPEN}");
    }
    let shutdown_sender = ShutdownSender::new();
    let worker = Arc::new(Worker::new(
        app.clone(),
        api.clone(),
        shutdown_sender.subscribe(),
    ));
    let driver = Driver {
        worker: worker.clone(),
        api: api.clone(),
        health: WorkerHealth::new(concurrency()),
    };
    let mut driving = Box::pin(driver.run(concurrency()));
    tokio::select! {
        ended = &mut driving => {
            app.stop(DRAIN_TIMEOUT).await;
            return ended;
        }
        () = extension::wait(api, identifier) => {}
        () = local::signal() => {}
    }
    info!("stopping: running invocations are finished first");
    app.close();
    let end = Deadline::after(DRAIN_TIMEOUT + TERMINATE_TIMEOUT);
    let drained = drain(&shutdown_sender, driving.as_mut(), &worker).await;
    app.stop(end.remaining().max(STOP_TIME)).await;
    drained
}

/// Waits for the running invocations, and then answers them with a failure.
async fn drain(
    shutdown_sender: &ShutdownSender,
    mut driving: Pin<&mut impl Future<Output = Result<(), ApiError>>>,
    worker: &Worker,
) -> Result<(), ApiError> {
    for (phase, timeout) in [
        (Phase::Draining, DRAIN_TIMEOUT),
        (Phase::Terminating, TERMINATE_TIMEOUT),
    ] {
        shutdown_sender.enter(phase);
        if let Ok(ended) = tokio::time::timeout(timeout, driving.as_mut()).await {
            return ended;
        }
    }
    error!(
        invocations = worker.running(),
        "the process ends while invocations are still running: a function blocks its thread"
    );
    Ok(())
}

/// Answers one event of an integration, in the format that this integration expects.
///
/// # Errors
/// The event comes from an unknown source, or the response failed before it had begun.
pub async fn answer(
    app: &App,
    event: &str,
    request_info: RequestInfo,
) -> Result<EventResponse, Failure> {
    answer_boxed(app, event, request_info).await
}

/// Boxed, so that it is compiled once, in the library.
fn answer_boxed<'a>(
    app: &'a App,
    event: &'a str,
    request_info: RequestInfo,
) -> BoxFuture<'a, Result<EventResponse, Failure>> {
    Box::pin(answer_until(app, event, request_info, Shutdown::never()))
}

/// Answers one event like [`answer`], and gives up when the process shuts down.
async fn answer_until(
    app: &App,
    event: &str,
    request_info: RequestInfo,
    shutdown: Shutdown,
) -> Result<EventResponse, Failure> {
    // Integrations wrap what their callers send, so only a caller that may invoke this function can send a continuation.
    if let Some(continuation) = Continuation::read(event) {
        let resumed = Box::pin(app.resume(continuation, request_info)).await;
        return resumed
            .map(|()| EventResponse::empty())
            .map_err(Failure::not_resumed);
    }
    match Event::parse(event) {
        Ok(Event::Http(event)) => answer_http(app, *event, request_info, shutdown).await,
        Ok(Event::WebSocket(event)) => Box::pin(event.answer(app, request_info)).await,
        Err(_) if ping::is_ping(event) => Ok(pong(request_info)),
        Err(failure) => {
            // The caller gets the failure; the refused request is built only for its line in the log.
            let detail = failure.to_string();
            drop(app.refuse(
                StatusCode::BAD_REQUEST,
                "unknown_event",
                &detail,
                request_info,
            ));
            Err(failure)
        }
    }
}

/// The response to a warm-up ping.
fn pong(request_info: RequestInfo) -> EventResponse {
    info!(
        request_id = request_info.id,
        "a warm-up ping: nothing to do"
    );
    EventResponse::empty()
}

async fn answer_http(
    app: &App,
    event: HttpEvent<'_>,
    mut request_info: RequestInfo,
    shutdown: Shutdown,
) -> Result<EventResponse, Failure> {
    let config = app.config();
    let integration = event.integration();
    let is_streamed = integration.is_streamed(config);
    let margin = match is_streamed {
        true => config.stream_margin,
        false => config.deadline_margin,
    };
    let mut time = request_info.time_left.unwrap_or(TimeLeft::UNLIMITED);
    if let Some(limit) = integration.timeout(is_streamed) {
        time = time.at_most(limit);
        request_info.time_left = Some(time);
    }
    request_info.is_whole = !is_streamed;
    request_info.most_bytes = Some(integration.max_body_bytes(is_streamed));
    request_info.principal = request_info.principal.or_else(|| event.principal());
    request_info.peer = request_info.peer.or_else(|| event.source());
    let end = Cutoff::new(Deadline::after(time.cut(margin)), shutdown);
    // A refusal names the metadata of this server.
    let needs_url = app.is_guarded() && app.config().public_url.is_none();
    let response = match event.request(&config.base_path, needs_url) {
        Ok(request) => app.respond(request, request_info).await,
        Err(problem) => app.refuse(
            StatusCode::BAD_REQUEST,
            "bad_request",
            &problem,
            request_info,
        ),
    };
    match is_streamed {
        true => Ok(EventResponse::streamed(integration, response, end)),
        false => EventResponse::buffered(integration, response, end).await,
    }
}

/// The number of invocations that this process takes at a time.
fn concurrency() -> u32 {
    let number = std::env::var(MAX_CONCURRENCY).ok();
    let number = number.and_then(|text| text.parse().ok());
    number.unwrap_or(1).max(1)
}

/// Refuses an environment in which `lambda_runtime` panics.
fn check_environment() -> Result<(), ApiError> {
    let variable = |name| std::env::var(name).map_err(|_| missing(name));
    let size = variable(MEMORY_SIZE)?;
    if size.parse::<i32>().is_err() {
        return Err(format!("`{MEMORY_SIZE}`: `{size}` is not a number of megabytes").into());
    }
    variable(VERSION).map(drop)
}

fn missing(name: &str) -> ApiError {
    format!("`{name}` is not set; the Lambda platform sets it").into()
}
