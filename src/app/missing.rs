//! Responses to requests for paths that do not exist, or not for their method.

use axum::extract::Request;

use crate::context::Context;
use crate::context::answered::Answered;
use crate::rest;

pub(super) use crate::rest::{not_found, unknown};

/// The path exists, but not with this method.
pub(super) async fn method_not_allowed(request: Request) -> Answered {
    rest::method_not_allowed(&Context::of(&request), None)
}
