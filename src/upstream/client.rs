//! The HTTP client: how it connects, and one exchange for those who make their requests themselves.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use super::{answer, tls};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result, UpstreamStatus};

/// A client for requests that are complete, for example signed: it adds nothing, follows nothing and tries once.
pub struct Client {
    client: reqwest::Client,
    max_bytes: usize,
}

/// How a client is built, as often as it takes.
#[derive(Clone)]
pub(super) struct Recipe {
    user_agent: HeaderValue,
    /// How long it may take to connect.
    timeout: Duration,
    /// Loopback upstreams (recorded data, tests) must not be sent through a proxy of the environment.
    is_local: bool,
}

impl Client {
    /// A client for services such as the one at `url`. No connection is opened.
    ///
    /// # Errors
    /// `Internal` where the settings cannot be used.
    pub fn new(config: &Config, url: &str) -> Result<Client> {
        let recipe = Recipe::new(config, [url].into_iter()).map_err(Error::internal)?;
        Ok(Client {
            client: recipe.build(Policy::none())?,
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
                    .with_source(error.without_url())
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
            let origin = UpstreamStatus { name, status: None };
            let problem = format!("did not answer within {} ms", budget.as_millis());
            Err(Error::upstream(Kind::UpstreamTimeout, origin, problem))
        })
    }
}

impl Recipe {
    /// For the given base URLs.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub(super) fn new<'a>(
        config: &Config,
        mut bases: impl Iterator<Item = &'a str>,
    ) -> Result<Recipe, String> {
        let user_agent = HeaderValue::from_str(&config.user_agent).map_err(
            |_| "`BIFOLD_USER_AGENT`: the user agent has characters that no header may have",
        )?;
        Ok(Recipe {
            user_agent,
            timeout: config.upstream_timeout,
            is_local: bases.all(is_loopback),
        })
    }

    /// A client with connections of its own, none of which is opened yet.
    ///
    /// # Errors
    /// `Internal` where it cannot be built.
    pub(super) fn build(&self, redirects: Policy) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config())
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.timeout)
            .redirect(redirects);
        if self.is_local {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| Error::internal(format!("the HTTP client cannot be built: {error}")))
    }
}

fn is_loopback(base: &str) -> bool {
    let host = base.split_once("://").map_or("", |it| it.1);
    let own = ["127.0.0.1", "localhost", "[::1]"];
    let mut rests = own.iter().filter_map(|own| host.strip_prefix(own));
    rests.any(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}
