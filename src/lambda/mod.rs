//! The same application as an AWS Lambda function, behind every HTTP integration of the platform and a WebSocket API.

mod events;
mod runtime;

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use http::StatusCode;
use tokio::runtime as tokio_runtime;
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use crate::app::{App, RequestInfo};
use crate::aws::invoke::Continuation;
use crate::clock::{Deadline, TimeLeft};
use crate::local;

use events::event::Event;
use events::http_event::HttpEvent;
use events::ping;
pub use events::response::EventResponse;
use events::stream::End;
use runtime::api::Api;
pub use runtime::api::ApiError;
use runtime::extension::Extension;
pub use runtime::failure::Failure;
use runtime::poller::poll;
use runtime::stop::{Step, Stop, Stopper};
use runtime::timeout::Timeout;
use runtime::workers::Workers;

/// What is wrong with settings that do not say that they are those of a function.
const NAMELESS: &str = "`AWS_LAMBDA_FUNCTION_NAME` is not set, or the settings were made without it; the Lambda \
     platform sets it, and `Config::from_env` reads it";

/// The variable by which the platform says how many invocations one process takes at a time.
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// How long what runs may take to end after the signal, and then how long its callers may take to be told that it has
/// not; the platform kills the process after half a second.
const PATIENCE: Duration = Duration::from_millis(300);
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Builds an application with `start` and takes invocations for it, until the platform ends the process. On a signal
/// what runs may end, for 300 ms; then its callers are told that it has not, and no connection stays open.
///
/// The runtime is the one that fits the platform: one thread, unless several invocations run at once. The settings must
/// be those of the environment, in which the platform says what it is.
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
/// What keeps the process from talking to the platform, or why `start` has failed, which the platform is told too.
pub fn run<E: Into<ApiError>>(start: impl AsyncFnOnce() -> Result<App, E>) -> Result<(), ApiError> {
    let runtime = match concurrency() {
        1 => tokio_runtime::Builder::new_current_thread()
            .enable_all()
            .build(),
        _ => tokio_runtime::Builder::new_multi_thread()
            .enable_all()
            .build(),
    }?;
    let done = runtime.block_on(serve(start));
    // A function that blocks its thread must not hold up the end.
    runtime.shutdown_background();
    done
}

async fn serve<E: Into<ApiError>>(
    start: impl AsyncFnOnce() -> Result<App, E>,
) -> Result<(), ApiError> {
    let mut api = Api::from_env()?;
    // The platform registers it while the application is built: the connection is there after one turn.
    let starting = async {
        tokio::task::yield_now().await;
        let app = match AssertUnwindSafe(start()).catch_unwind().await {
            Ok(started) => started.map_err(Into::into)?,
            Err(_) => return Err(Failure::panicked().into()),
        };
        match app.config().is_frozen() {
            true => Ok(app),
            false => Err(ApiError::from(NAMELESS)),
        }
    };
    let (extension, started) = tokio::join!(biased; Extension::register(&mut api), starting);
    let app = match started {
        Ok(app) => app,
        Err(error) => {
            let told = api.fail_start(&Failure::start(&error.to_string())).await;
            if let Err(error) = told {
                debug!(%error, "the platform was not told");
            }
            return Err(error);
        }
    };
    let stopper = Stopper::new();
    let (workers, timeout) = (Workers::new(concurrency()), Timeout::default());
    let mut pollers = JoinSet::new();
    let mut take = |api| {
        let (workers, timeout) = (workers.clone(), timeout.clone());
        let poller = poll(app.clone(), api, workers, timeout, stopper.stop());
        // It is as large as all that a call can be, and must not be moved to and fro with its task.
        pollers.spawn(Box::pin(poller));
    };
    for _ in 1..concurrency() {
        take(api.another());
    }
    // The connection of the registration is open.
    take(api);
    tokio::select! {
        result = all(&mut pollers) => return result,
        () = wait(extension) => {}
        () = local::signal() => {}
    }
    info!("stopping: running invocations are finished first");
    app.close();
    for (step, patience) in [(Step::Stopping, PATIENCE), (Step::Ending, LAST_WORDS)] {
        stopper.reach(step);
        if let Ok(result) = tokio::time::timeout(patience, all(&mut pollers)).await {
            return result;
        }
    }
    let invocations = pollers.len();
    error!(
        invocations,
        "the process ends and these have not: a function blocks its thread"
    );
    Ok(())
}

/// Answers one event of a integration, in the shape that this integration reads.
///
/// # Errors
/// The event comes from none of them, or the answer failed before it had begun.
pub async fn answer(
    app: &App,
    event: &str,
    request_info: RequestInfo,
) -> Result<EventResponse, Failure> {
    answer_until(app, event, request_info, Stop::never()).await
}

/// The same in a process that may end before the answer does.
async fn answer_until(
    app: &App,
    event: &str,
    request_info: RequestInfo,
    stop: Stop,
) -> Result<EventResponse, Failure> {
    // What callers send the integrations wrap, so an continuation comes only from who may invoke this function.
    if let Some(continuation) = Continuation::read(event) {
        let gone_on = Box::pin(app.resume(continuation, request_info)).await;
        return gone_on
            .map(|()| EventResponse::nothing())
            .map_err(Failure::again);
    }
    match Event::parse(event) {
        Ok(Event::Http(event)) => answer_http(app, *event, request_info, stop).await,
        Ok(Event::Socket(event)) => Box::pin(event.answer(app, request_info)).await,
        Err(_) if ping::is_one(event) => Ok(pong(request_info)),
        Err(failure) => {
            // The caller gets the failure. The refusal is for the log, which has a line for every request.
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

/// The answer to an invocation that only keeps the process.
fn pong(request_info: RequestInfo) -> EventResponse {
    info!(
        request_id = request_info.id,
        "a warm-up ping: there is nothing to do"
    );
    EventResponse::nothing()
}

async fn answer_http(
    app: &App,
    event: HttpEvent<'_>,
    mut request_info: RequestInfo,
    stop: Stop,
) -> Result<EventResponse, Failure> {
    let config = app.config();
    let integration = event.integration();
    let is_streamed = integration.is_streamed(config);
    let margin = match is_streamed {
        true => config.stream_margin,
        false => config.deadline_margin,
    };
    let mut time = request_info.time_left.unwrap_or(TimeLeft::UNLIMITED);
    if let Some(limit) = integration.patience(is_streamed) {
        time = time.at_most(limit);
        request_info.time_left = Some(time);
    }
    request_info.is_whole = !is_streamed;
    request_info.most_bytes = Some(integration.most_bytes(is_streamed));
    request_info.principal = request_info.principal.or_else(|| event.principal());
    let end = End::new(Deadline::after(time.cut(margin)), stop);
    let response = match event.request(&config.base_path) {
        Ok(request) => app.serve(request, request_info).await,
        Err(problem) => app.refuse(
            StatusCode::BAD_REQUEST,
            "bad_request",
            &problem,
            request_info,
        ),
    };
    match is_streamed {
        true => Ok(EventResponse::streamed(integration, response, end)),
        false => EventResponse::whole(integration, response, end).await,
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
