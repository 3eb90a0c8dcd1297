//! Errors as RFC 9457 `application/problem+json`.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::context::answered::Answered;
use crate::error::{Detail, Error, Kind};
use crate::http::refusal::Refusal;
use crate::telemetry::Outcome;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    error: Option<Detail<'a>>,
    request_id: &'a str,
}

fn title_of(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidArgument => "An argument is wrong",
        Kind::NotFound => "Not found",
        Kind::UnknownFunction => "No such function",
        Kind::Failed => "The function reports a failure",
        Kind::RateLimited => "An upstream asks for fewer requests",
        Kind::UpstreamUnavailable => "An upstream is left alone for a moment",
        Kind::UpstreamUnreachable => "An upstream cannot be reached",
        Kind::UpstreamTimeout => "An upstream did not answer in time",
        Kind::UpstreamError => "An upstream failed",
        Kind::UpstreamInvalidResponse => "An upstream answered with something unusable",
        Kind::MissingCapability => "Only an MCP client can give what the function asks for",
        Kind::Unanswered => "The client did not answer",
        Kind::DeadlineExceeded => "The time limit was reached",
        Kind::StoreUnavailable => "The store cannot be used now",
        Kind::ValueTooLarge => "A value is too large to be kept",
        Kind::AnswerTooLarge => "The answer is too large",
        Kind::TooManyCalls => "One request makes too many calls",
        Kind::Busy => "No more calls are taken now",
        Kind::Unauthenticated => "The caller is not authenticated",
        Kind::InsufficientScope => "The caller may not do this",
        Kind::TooManyRequests => "The caller has reached its rate limit",
        Kind::Internal => "A defect of this server",
        Kind::Custom(kind) => kind_title(kind.status()),
    }
}

/// The reason that HTTP has for a status.
fn kind_title(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status
        .and_then(|it| it.canonical_reason())
        .unwrap_or("Error")
}

/// A failed call.
pub fn failure(error: &Error, request_id: &str) -> Answered {
    let status = error.kind().status();
    let class = error.kind().as_str();
    let mut response = build(
        class,
        Problem {
            r#type: urn(class),
            title: title_of(error.kind()),
            status: status.as_u16(),
            detail: error.message(),
            error: Some(error.detail().without_status()),
            request_id,
        },
    );
    // `Retry-After` of a 503 is rounded up to whole seconds, at least one.
    let wait = error
        .wait()
        .map(|wait| (wait.as_millis().div_ceil(1000) as u64).max(1))
        .or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The response to a request that was refused before it reached a function.
pub fn refused(refusal: Refusal, request_id: &str) -> Answered {
    let mut response = problem(refusal.status, refusal.class, &refusal.detail, request_id);
    response.headers_mut().extend(refusal.header);
    response
}

/// The response to a request that reached no function: `name` becomes the stable type, `detail` the sentence.
pub fn problem(status: StatusCode, name: &'static str, detail: &str, request_id: &str) -> Answered {
    let title = status.canonical_reason().unwrap_or("Error");
    build(
        name,
        Problem {
            r#type: urn(name),
            title,
            status: status.as_u16(),
            detail,
            error: None,
            request_id,
        },
    )
}

fn urn(name: &str) -> String {
    format!("urn:bifold:problem:{name}")
}

fn build(class: &'static str, problem: Problem<'_>) -> Answered {
    let body = serde_json::to_vec(&problem).expect("a problem of strings and numbers is JSON");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).expect("the status came from a status");
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    // The log names the class; a function that was reached says more of itself.
    let outcome = Outcome {
        error: Some(class),
        ..Outcome::default()
    };
    Answered::new(response, outcome)
}
