//! The HTTP client: its connection settings, and one exchange for callers that build their own requests.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

#[cfg(feature = "cli")]
use super::{UpstreamResponse, shared_client};
use super::{answer, tls};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// A client for complete requests, for example signed ones: it adds no header, follows no redirect and tries once.
pub struct Client {
    client: reqwest::Client,
    max_bytes: usize,
}

/// The settings from which clients are built, as often as needed.
#[derive(Clone)]
pub(super) struct ClientSettings {
    user_agent: HeaderValue,
    /// The time limit of connecting.
    timeout: Duration,
    /// Requests to loopback upstreams (recorded data, tests) must not go through a proxy from the environment.
    is_local: bool,
}

impl Client {
    /// A client for a service at `url`. It opens no connection yet.
    ///
    /// # Errors
    /// `Internal` if the settings cannot be used.
    pub fn new(config: &Config, url: &str) -> Result<Client> {
        let settings = ClientSettings::new(config, [url].into_iter()).map_err(Error::internal)?;
        Ok(Client {
            client: settings.build(Policy::none())?,
            max_bytes: config.max_upstream_bytes,
        })
    }

    /// Sends one request and reads the whole response, whatever its status. Path and query are sent unchanged, so
    /// they must be percent-encoded and without `.` and `..` segments.
    ///
    /// # Errors
    /// For the upstream `name`: `UpstreamUnreachable`, `UpstreamTimeout` after `deadline`, `UpstreamInvalidResponse`
    /// for a body that is too large. `Internal` if the URL is invalid.
    pub async fn send(
        &self,
        name: &str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let budget = deadline.remaining();
        let exchange = async {
            let mut response = self.execute(name, request).await?;
            let body = answer::read(name, &mut response, self.max_bytes).await?;
            let mut whole = Response::new(body);
            *whole.status_mut() = response.status();
            *whole.headers_mut() = std::mem::take(response.headers_mut());
            Ok(whole)
        };
        let whole = deadline.timeout(exchange).await;
        whole.unwrap_or_else(|| Err(late(name, budget)))
    }

    async fn execute(&self, name: &str, request: Request<Bytes>) -> Result<reqwest::Response> {
        let request = request.try_into().map_err(|error: reqwest::Error| {
            Error::internal(format!("the request to `{name}` has an invalid URL"))
                .with_source(error.without_url())
        })?;
        let sent = self.client.execute(request).await;
        sent.map_err(|error| answer::transport(name, error))
    }
}

/// What the client of MCP servers needs.
#[cfg(feature = "cli")]
impl Client {
    /// As [`Client::new`], but it follows redirects to the same host.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn following(config: &Config, url: &str) -> Result<Client> {
        let settings = ClientSettings::new(config, [url].into_iter()).map_err(Error::internal)?;
        Ok(Client {
            client: shared_client::build(&settings)?,
            max_bytes: config.max_upstream_bytes,
        })
    }

    /// Sends one request and reads the head of the response, whatever its status. The body is read without a deadline.
    ///
    /// # Errors
    /// As [`Client::send`], for the head alone.
    pub async fn open(
        &self,
        name: &str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<UpstreamResponse> {
        let budget = deadline.remaining();
        let sent = deadline.timeout(self.execute(name, request)).await;
        let response = sent.unwrap_or_else(|| Err(late(name, budget)))?;
        let end = Deadline::after(Duration::MAX);
        Ok(UpstreamResponse::streamed(
            name,
            response,
            None,
            self.max_bytes,
            end,
        ))
    }
}

impl ClientSettings {
    /// Settings for clients of these base URLs.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub(super) fn new<'a>(
        config: &Config,
        mut bases: impl Iterator<Item = &'a str>,
    ) -> Result<ClientSettings, String> {
        let user_agent = HeaderValue::from_str(&config.user_agent).map_err(
            |_| "`BIFOLD_USER_AGENT`: the user agent has characters that a header cannot contain",
        )?;
        Ok(ClientSettings {
            user_agent,
            timeout: config.upstream_timeout,
            is_local: bases.all(is_loopback),
        })
    }

    /// A client with its own connection pool; it opens no connection yet.
    ///
    /// # Errors
    /// `Internal` if the client cannot be built.
    pub(super) fn build(&self, redirects: Policy) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config())
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.timeout)
            // The query of a URL, which a redirect would repeat in it, may contain a key.
            .referer(false)
            .redirect(redirects);
        if self.is_local {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| Error::internal(format!("the HTTP client cannot be built: {error}")))
    }
}

fn late(name: &str, budget: Duration) -> Error {
    let origin = answer::origin(name, None);
    let problem = format!("did not answer within {} ms", budget.as_millis());
    Error::upstream(Kind::UpstreamTimeout, origin, problem)
}

fn is_loopback(base: &str) -> bool {
    let host = base.split_once("://").map_or("", |it| it.1);
    let own = ["127.0.0.1", "localhost", "[::1]"];
    let mut rests = own.iter().filter_map(|own| host.strip_prefix(own));
    rests.any(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}
