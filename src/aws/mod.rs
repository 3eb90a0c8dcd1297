//! Signed requests to AWS services, sent with the HTTP client of the upstreams. The AWS SDK would double the binary.

pub(crate) mod invoke;
mod kept;
mod refusal;
pub(crate) mod secrets;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode, Uri};
use time::OffsetDateTime;

use crate::clock::{Backoff, Deadline};
use crate::config::{AwsConfig, Config};
use crate::error::{Kind, Result};
use crate::upstream::Client;
use crate::upstream::once::Once;

pub use invoke::Continuation;
use kept::Kept;
pub use refusal::{refused, warn};
use signature::Keys;

/// A request takes milliseconds; after this time it is given up.
const PATIENCE: Duration = Duration::from_secs(5);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));

/// A way to call the services of one region with the credentials of this process.
pub struct Aws {
    config: Arc<Config>,
    region: String,
    keys: Keys,
    client: Once<Kept>,
}

impl Aws {
    /// Checks the settings. It builds no client and sends nothing.
    ///
    /// # Errors
    /// The variable that is missing or invalid.
    pub fn new(config: Arc<Config>) -> Result<Aws, String> {
        let settings = &config.aws;
        let region = settings.region.as_deref();
        let region =
            region.ok_or("`AWS_REGION` is not set; it names the region, e.g. `us-east-1`")?;
        if !region
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-')
        {
            return Err(format!(
                "`AWS_REGION`: `{region}` is not a region such as `us-east-1`"
            ));
        }
        Ok(Aws {
            region: region.to_owned(),
            keys: keys(settings)?,
            config,
            client: Once::new(),
        })
    }

    /// The region that is called.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The base URL of a service, without a slash at its end.
    ///
    /// # Errors
    /// The variable with an invalid URL.
    pub fn endpoint(&self, service: &str) -> Result<String, String> {
        let settings = &self.config.aws;
        let own = settings.endpoint_urls.get(service);
        let (url, variable) = match (own, &settings.endpoint_url) {
            (Some(url), _) => (url, format!("_{}", service.to_ascii_uppercase())),
            (None, Some(url)) => (url, String::new()),
            (None, None) => {
                let region = &self.region;
                let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
                return Ok(format!("https://{service}.{region}.amazonaws.com{suffix}"));
            }
        };
        check_endpoint(url)
            .map_err(|problem| format!("`AWS_ENDPOINT_URL{variable}`: `{url}` {problem}"))?;
        Ok(url.trim_end_matches('/').to_owned())
    }

    /// Signs one request to `service`, sends it once, and reads the whole response, whatever its status. The path and the
    /// query of the URL must be percent-encoded; all headers are signed.
    ///
    /// A client that got no response is not used again: its connections may have died while the process was frozen. A
    /// client that was idle for a while is checked first, so that the request is not lost on a dead connection.
    ///
    /// # Errors
    /// `UpstreamUnreachable` or `UpstreamTimeout`, with the service as the upstream, where no response came;
    /// `UpstreamInvalidResponse` for a response that is too large; `Internal` for a request that cannot be made.
    // Boxed, because the future of every call that may need the store would otherwise be as large as this one.
    pub fn send(
        &self,
        service: &'static str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<Response<Bytes>>> {
        Box::pin(self.exchange(service, request, deadline))
    }

    async fn exchange(
        &self,
        service: &'static str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let now = OffsetDateTime::now_utc();
        signature::sign(&mut parts, &body, &self.keys, &self.region, service, now)?;
        let request = Request::from_parts(parts, body);
        let url = request.uri().clone();
        let client = match self.client.built().filter(|it| it.is_recent()) {
            Some(client) => client,
            None => self.checked_client(service, url, deadline).await?,
        };
        let is_hurried = deadline.remaining() < Kept::PATIENCE;
        let sent = client.send(service, request, deadline).await;
        match &sent {
            // A timeout shorter than a check says nothing about the client.
            Err(error) if is_hurried && error.kind() == Kind::UpstreamTimeout => {}
            Err(error) if error.is_unreachable() => self.client.drop_broken(&client),
            _ => {}
        }
        sent
    }

    /// The client after a check of its connections, or a new one.
    async fn checked_client(
        &self,
        service: &'static str,
        url: Uri,
        deadline: Deadline,
    ) -> Result<Arc<Kept>> {
        let build = || {
            let (config, url) = (self.config.clone(), url.to_string());
            async move { Client::new(&config, &url).map(Kept::new) }
        };
        let check = |kept: Arc<Kept>| kept.responds(service, url.clone());
        let client = self
            .client
            .get_checked(deadline, Kept::PATIENCE, check, build);
        client.await
    }

    /// Sends a request and repeats it until `deadline` while it is throttled, fails or gets no response, so the service may
    /// carry it out twice. The final failure is logged.
    ///
    /// # Errors
    /// As [`Aws::send`], of the last try.
    pub async fn insist(
        &self,
        service: &'static str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let patience = Deadline::after(PATIENCE).min(deadline);
            let sent = self.send(service, request.clone(), patience).await;
            let passes = match &sent {
                Ok(answer) => passes(answer.status()),
                Err(error) => error.retryable(),
            };
            let wait = BACKOFF.wait(tries);
            if !passes || wait >= deadline.remaining() {
                return sent.inspect_err(|error| refusal::warn(service, None, error));
            }
            tracing::debug!(service, "a request to AWS failed and is sent again");
            tokio::time::sleep(wait).await;
        }
    }
}

/// Whether the status may be different the next time: too many requests, or a failure of the service.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn keys(settings: &AwsConfig) -> Result<Keys, String> {
    let missing = |name| format!("`{name}` is not set; it is needed to sign requests to AWS");
    let id = settings.access_key_id.clone();
    let secret = settings.secret_access_key.clone();
    Ok(Keys {
        id: id.ok_or_else(|| missing("AWS_ACCESS_KEY_ID"))?,
        secret: secret.ok_or_else(|| missing("AWS_SECRET_ACCESS_KEY"))?,
        token: settings.session_token.clone(),
    })
}

fn check_endpoint(url: &str) -> Result<(), &'static str> {
    let parsed: Uri = url.parse().map_err(|_| "is no URL")?;
    match parsed.scheme_str() {
        Some("http" | "https") if parsed.query().is_none() => Ok(()),
        _ => Err("is not a plain http or https URL"),
    }
}
