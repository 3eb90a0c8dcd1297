//! The same application as an AWS Lambda function behind a Function URL or API Gateway.

mod event;
mod reply;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use lambda_runtime::{Context as Invocation, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tokio::runtime;

use crate::app::{App, Arrival};

use event::Event;
pub use event::UnknownEvent;
pub use reply::Reply;

/// The variable by which the platform says how many invocations one process takes at a time.
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// The runtime that fits the platform: one thread, unless several invocations run at once.
///
/// # Errors
/// The operating system's.
pub fn runtime() -> std::io::Result<runtime::Runtime> {
    let concurrency: Option<u32> = std::env::var(MAX_CONCURRENCY)
        .ok()
        .and_then(|text| text.parse().ok());
    match concurrency {
        Some(2..) => runtime::Builder::new_multi_thread().enable_all().build(),
        _ => runtime::Builder::new_current_thread().enable_all().build(),
    }
}

/// Takes events until the platform ends the process.
///
/// # Errors
/// What keeps the process from talking to the platform.
pub async fn serve(app: App) -> Result<(), lambda_runtime::Error> {
    for name in [
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
    ] {
        if std::env::var_os(name).is_none() {
            return Err(format!(
                "`{name}` is not set; the Lambda platform sets it beside AWS_LAMBDA_RUNTIME_API"
            )
            .into());
        }
    }
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = app.clone();
        async move { answer(&app, event.payload.get(), arrival(&event.context)).await }
    });
    Runtime::new(handler).run_concurrent().await
}

/// Answers one event of a Function URL or of API Gateway, in the shape that its front door reads.
///
/// # Errors
/// The event comes from none of them.
pub async fn answer(app: &App, event: &str, arrival: Arrival) -> Result<Reply, UnknownEvent> {
    let event = Event::parse(event)?;
    let door = event.door();
    let response = match event.request() {
        Ok(request) => app.serve(request, arrival).await,
        Err(problem) => app.refuse(StatusCode::BAD_REQUEST, "bad_request", &problem, arrival),
    };
    Ok(Reply::new(door, response).await)
}

fn arrival(invocation: &Invocation) -> Arrival {
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(invocation.deadline);
    // Emulators give deadlines that lie in the past, which is none at all.
    let time_left = deadline.duration_since(SystemTime::now()).ok();
    Arrival {
        id: Some(invocation.request_id.clone()),
        time_left,
        principal: None,
    }
}

impl From<UnknownEvent> for Diagnostic {
    fn from(error: UnknownEvent) -> Diagnostic {
        Diagnostic {
            error_type: "UnknownEvent".to_owned(),
            error_message: error.to_string(),
        }
    }
}
