//! The registration as a Lambda extension, without which the platform kills the process without a signal.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::debug;

use crate::lambda::runtime::api::Api;

const REGISTER: &str = "/2020-01-01/extension/register";
const NEXT: &str = "/2020-01-01/extension/event/next";
const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// The time for the registration; an emulator without extensions must not delay the start.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Registers an extension that subscribes to no events, before the first invocation is taken: it needs only the signal
/// before the process ends. `None` where the platform has no extensions; then it sends no signal either.
pub(crate) async fn register(api: &Api) -> Option<HeaderValue> {
    let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_static("bifold"))]);
    let body = Body::from(r#"{"events":[]}"#);
    let registering = api.request(Method::POST, REGISTER, headers, body);
    let registered = tokio::time::timeout(TIMEOUT, registering).await;
    match registered.unwrap_or_else(|late| Err(late.into())) {
        Ok(answer) => answer.headers().get(IDENTIFIER).cloned(),
        Err(error) => {
            debug!(%error, "the platform has no extensions: it will end this process without a signal");
            None
        }
    }
}

/// Waits forever. The platform considers the start complete only when every extension waits for its next event.
pub(crate) async fn wait(api: Api, identifier: Option<HeaderValue>) {
    if let Some(identifier) = identifier {
        let headers = HeaderMap::from_iter([(IDENTIFIER, identifier)]);
        let ended = api.request(Method::GET, NEXT, headers, Body::empty()).await;
        debug!(error = ended.err(), "the extension is no longer registered");
    }
    pending().await
}
