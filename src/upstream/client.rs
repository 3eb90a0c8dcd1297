//! The HTTP client: how it connects, and one exchange for those who make their requests themselves.

use bytes::Bytes;
use http::{Request, Response};
use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use super::{answer, tls};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Error, Kind, Origin, Result};

/// A client for requests that are complete, for example signed: it adds nothing, follows nothing and tries once.
pub struct Client {
    client: reqwest::Client,
    max_bytes: usize,
}

impl Client {
    /// A client for services such as the one at `url`. No connection is opened.
    ///
    /// # Errors
    /// `Internal` where the settings cannot be used.
    pub fn new(config: &Config, url: &str) -> Result<Client> {
        let client = build(config, [url].into_iter(), Policy::none()).map_err(Error::internal)?;
        Ok(Client {
            client,
            max_bytes: config.max_upstream_bytes,
        })
    }

    /// Sends one request and reads the answer whole, whatever its status. Its path and query go out as they are, so they
    /// must be percent-encoded and without `.` and `..` segments.
    ///
    /// # Errors
    /// With `name` for the upstream: `UpstreamUnreachable`, `UpstreamTimeout` once `deadline` has passed,
    /// `UpstreamInvalidResponse` for a body that is too large. `Internal` for a URL that cannot be asked.
    pub async fn send(
        &self,
        name: &'static str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let budget = deadline.remaining();
        let exchange = async {
            let request = request.try_into().map_err(|error: reqwest::Error| {
                Error::internal(format!("`{name}` cannot be asked: its URL is none"))
                    .because(error.without_url())
            })?;
            let sent = self.client.execute(request).await;
            let mut response = sent.map_err(|error| answer::transport(name, error))?;
            let body = answer::read(name, &mut response, self.max_bytes).await?;
            let mut whole = Response::new(body);
            *whole.status_mut() = response.status();
            *whole.headers_mut() = std::mem::take(response.headers_mut());
            Ok(whole)
        };
        deadline.timeout(exchange).await.unwrap_or_else(|| {
            let origin = Origin { name, status: None };
            let problem = format!("did not answer within {} ms", budget.as_millis());
            Err(Error::upstream(Kind::UpstreamTimeout, origin, problem))
        })
    }
}

/// A client for the given base URLs. No connection is opened.
pub(super) fn build<'a>(
    config: &Config,
    bases: impl Iterator<Item = &'a str>,
    redirects: Policy,
) -> Result<reqwest::Client, String> {
    let user_agent = HeaderValue::from_str(&config.user_agent).map_err(
        |_| "`BIFOLD_USER_AGENT`: the user agent has characters that no header may have",
    )?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config())
        .user_agent(user_agent)
        .connect_timeout(config.upstream_timeout)
        .redirect(redirects);
    // Loopback upstreams (recorded data, tests) must not be sent through a proxy of the environment.
    if bases.into_iter().all(is_loopback) {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|error| format!("the HTTP client cannot be built: {error}"))
}

fn is_loopback(base: &str) -> bool {
    let url: Option<Url> = base.parse().ok();
    matches!(
        url.as_ref().and_then(Url::host_str),
        Some("127.0.0.1" | "localhost" | "[::1]")
    )
}
