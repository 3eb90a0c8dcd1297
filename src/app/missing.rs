//! Responses to requests for paths and functions that do not exist.

use axum::extract::Request;
use http::StatusCode;

use crate::context::Context;
use crate::context::answered::Answered;
use crate::error::Error;
use crate::error::excerpt::excerpt;
use crate::registry::{Registry, Tool};
use crate::rest;

/// Nothing is served at this path.
pub(super) fn not_found(registry: &Registry, path: &str, cx: &Context) -> Answered {
    match path.strip_prefix("/api/") {
        Some(name) if !name.contains('/') => {
            rest::failure(&unknown(registry, name, Tool::on_rest), cx.request_id())
        }
        _ => {
            let detail = "nothing is served at this path; `/` lists what is";
            rest::problem(StatusCode::NOT_FOUND, "not_found", detail, cx.request_id())
        }
    }
}

/// The path exists, but not with this method.
pub(super) async fn method_not_allowed(request: Request) -> Answered {
    let detail = "this path does not take this method; the `Allow` header lists those it takes";
    rest::problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        detail,
        Context::of(&request).request_id(),
    )
}

/// The error for a name that no function has of those for which `seen` is true.
pub(super) fn unknown(registry: &Registry, name: &str, seen: fn(&Tool) -> bool) -> Error {
    let hint = registry.hint(name, seen);
    Error::unknown_function(format!("there is no function `{}`{hint}", excerpt(name)))
}
