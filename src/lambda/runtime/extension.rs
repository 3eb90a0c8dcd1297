//! The registration as a Lambda extension, without which the platform kills the process without a signal.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::debug;

use crate::lambda::runtime::api::{Api, ApiError};

const PATH: &str = "/2020-01-01/extension";
const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// The time for the registration; an emulator without extensions must not delay the start.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(1);

/// An extension that subscribes to no events: it needs only the signal before the process ends.
pub(crate) struct Extension {
    api: Api,
    identifier: HeaderValue,
}

impl Extension {
    /// Registers the extension, before the first invocation is taken. `None` where the platform has no extensions; then
    /// it sends no signal either.
    pub(crate) async fn register(api: &Api) -> Option<Extension> {
        let registered = tokio::time::timeout(REGISTRATION_TIMEOUT, register(api)).await;
        match registered.unwrap_or_else(|late| Err(late.into())) {
            Ok(identifier) => Some(Extension {
                api: api.clone(),
                identifier,
            }),
            Err(error) => {
                debug!(%error, "the platform has no extensions: it will end this process without a signal");
                None
            }
        }
    }

    /// Waits for ever. The platform considers the start complete only when every extension waits for its next event.
    pub(crate) async fn wait(self) {
        let headers = HeaderMap::from_iter([(IDENTIFIER, self.identifier)]);
        let path = format!("{PATH}/event/next");
        let ended = self
            .api
            .request(Method::GET, &path, headers, Body::empty())
            .await;
        debug!(error = ended.err(), "the extension is no longer registered");
        pending().await
    }
}

async fn register(api: &Api) -> Result<HeaderValue, ApiError> {
    let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_static("bifold"))]);
    let body = Body::from(r#"{"events":[]}"#);
    let path = format!("{PATH}/register");
    let answer = api.request(Method::POST, &path, headers, body).await?;
    let identifier = answer.headers().get(IDENTIFIER);
    Ok(identifier
        .ok_or("the registration has no identifier")?
        .clone())
}
