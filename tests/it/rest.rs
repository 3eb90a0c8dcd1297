//! The REST protocol: routes, arguments, problems, and the pages that describe them.

mod arguments;
mod bodies;
mod caching;
mod conflicts;
mod events;
mod methods;
mod nested;
mod openapi;
mod operations;
mod pages;
mod parameters;
mod problems;
mod routes;
mod server_url;
mod uploads;

use axum::body::Body;
use bifold::provenance::replay::VESTING;
use http::{Method, Request};
use serde_json::Value;

pub use arguments::echoing;

use crate::support::{Answer, TestApp};

/// A path whose function asks an upstream.
fn wallet_path() -> String {
    format!("/api/account_info/{VESTING}")
}

/// A request of any method without a body.
pub fn request(method: &str, path: &str) -> Request<Body> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Request::builder().method(method).uri(path);
    request.body(Body::empty()).unwrap()
}

/// A POST with a body of that type.
async fn post_as(app: &TestApp, path: &str, content_type: &str, body: &str) -> Answer {
    let request = Request::post(path).header("content-type", content_type);
    app.send(request.body(body.to_owned().into()).unwrap())
        .await
}

/// The problem of an answer that must be one, with this status and this stable class.
#[track_caller]
fn problem(answer: &Answer, status: u16, class: &str) -> Value {
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{text}"
    );
    let problem = answer.json();
    assert_eq!(
        problem["type"],
        format!("urn:bifold:problem:{class}"),
        "{text}"
    );
    assert_eq!(problem["status"], status, "{text}");
    for field in ["title", "detail", "request_id"] {
        let said = problem[field].as_str();
        assert!(
            said.is_some_and(|said| !said.is_empty()),
            "`{field}`: {text}"
        );
    }
    assert_eq!(
        problem["request_id"],
        answer.header("x-request-id"),
        "{text}"
    );
    problem
}

/// The problem of an answer that must blame this argument.
#[track_caller]
fn wrong_argument(answer: &Answer, field: &str) -> Value {
    let problem = problem(answer, 400, "invalid_argument");
    assert_eq!(problem["field"], field, "{problem}");
    assert_eq!(problem["kind"], "invalid_argument", "{problem}");
    assert_eq!(problem["retryable"], false, "{problem}");
    problem
}
