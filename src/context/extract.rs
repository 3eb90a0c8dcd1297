//! The context as an extractor of axum, for the handlers of the application's own routes.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use crate::context::Context;

/// The context of the request, in a route of [`Server::routes`](crate::Server::routes). Elsewhere there is none: 500.
impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Context, StatusCode> {
        let context = parts.extensions.get::<Context>().cloned();
        context.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
