//! The registration as an extension of the platform, without which it ends a process by force and says nothing before.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::debug;

use crate::lambda::runtime::api::{Api, ApiError};

const PATH: &str = "/2020-01-01/extension";
const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// How long the platform may take to register it; emulators without extensions must not hold up a start.
const PATIENCE: Duration = Duration::from_secs(1);

/// An extension that wants no events, only the signal before the end.
pub(crate) struct Extension {
    api: Api,
    identifier: HeaderValue,
}

impl Extension {
    /// Registers it, before the first invocation is asked for. A platform without extensions is one without a signal.
    pub(crate) async fn register(api: &mut Api) -> Option<Extension> {
        let registered = tokio::time::timeout(PATIENCE, register(api)).await;
        match registered.unwrap_or_else(|late| Err(late.into())) {
            Ok(identifier) => Some(Extension {
                // Its wait takes a connection for good.
                api: api.another(),
                identifier,
            }),
            Err(error) => {
                debug!(%error, "the platform knows no extensions: it will not say when it ends this process");
                None
            }
        }
    }

    /// Waits, as the platform wants it of every extension before a start is complete. It never ends.
    pub(crate) async fn wait(mut self) {
        let headers = HeaderMap::from_iter([(IDENTIFIER, self.identifier)]);
        let path = format!("{PATH}/event/next");
        let ended = self
            .api
            .ask(Method::GET, &path, headers, Body::empty())
            .await;
        debug!(error = ended.err(), "no extension any more");
        pending().await
    }
}

async fn register(api: &mut Api) -> Result<HeaderValue, ApiError> {
    let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_static("bifold"))]);
    let body = Body::from(r#"{"events":[]}"#);
    let path = format!("{PATH}/register");
    let answer = api.ask(Method::POST, &path, headers, body).await?;
    let identifier = answer.headers().get(IDENTIFIER);
    Ok(identifier.ok_or("no identifier")?.clone())
}
