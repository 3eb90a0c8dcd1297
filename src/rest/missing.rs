//! The responses for an unknown path, and for a method that the path does not have.

use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::problem::{failure, problem};
use crate::context::Context;
use crate::context::answered::Answered;
use crate::error::Error;
use crate::error::excerpt::excerpt;
use crate::registry::{Registry, Tool};

/// The response for an unknown path.
pub(crate) fn not_found(registry: &Registry, path: &str, cx: &Context) -> Answered {
    match path.strip_prefix("/api/") {
        Some(name) if !name.contains('/') => {
            failure(&unknown(registry, name, Tool::on_rest), cx.request_id())
        }
        _ => {
            let detail = "nothing is served at this path; `/` lists what is";
            problem(StatusCode::NOT_FOUND, "not_found", detail, cx.request_id())
        }
    }
}

/// The error for an unknown function; it suggests names for which `seen` is true.
pub(crate) fn unknown(registry: &Registry, name: &str, seen: fn(&Tool) -> bool) -> Error {
    let hint = registry.hint(name, seen);
    Error::unknown_function(format!("there is no function `{}`{hint}", excerpt(name)))
}

/// The response for a path without this method; `allowed` lists its methods, if the router does not.
pub(crate) fn method_not_allowed(cx: &Context, allowed: Option<String>) -> Answered {
    let detail = "this path does not take this method; the `Allow` header lists those it takes";
    let mut answered = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        detail,
        cx.request_id(),
    );
    if let Some(allowed) = allowed.and_then(|it| HeaderValue::try_from(it).ok()) {
        answered.headers_mut().insert(ALLOW, allowed);
    }
    answered
}
