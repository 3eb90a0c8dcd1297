//! The one door to every upstream HTTP API: one client, one check of what a good answer is.

mod answer;
mod meter;
mod tls;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Error, Kind, Origin, Result};

pub use meter::Meter;

/// An HTTP API that functions ask: its name in errors, logs and settings, and its base URL unless
/// `BIFOLD_<NAME>_URL` names another.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// The name: lower case letters, digits and `_`.
    pub name: &'static str,
    /// The base URL; paths are appended to it.
    pub url: &'static str,
}

/// The client and the base URLs of one process.
pub struct Upstreams {
    client: Client,
    bases: BTreeMap<&'static str, String>,
    timeout: Duration,
    max_bytes: usize,
}

impl Upstreams {
    /// Prepares the client; no connection is opened.
    ///
    /// # Errors
    /// The upstream or the setting that cannot be used.
    pub fn new(config: &Config, declared: &[Upstream]) -> Result<Upstreams, String> {
        let mut bases = BTreeMap::new();
        for upstream in declared {
            let url = config
                .upstream_urls
                .get(upstream.name)
                .map_or(upstream.url, String::as_str);
            let base = base_url(url)
                .map_err(|problem| format!("upstream `{}`: `{url}` {problem}", upstream.name))?;
            if bases.insert(upstream.name, base).is_some() {
                return Err(format!("upstream `{}` is declared twice", upstream.name));
            }
        }
        if let Some(name) = config
            .upstream_urls
            .keys()
            .find(|name| !bases.contains_key(name.as_str()))
        {
            let known: Vec<&str> = bases.keys().copied().collect();
            return Err(format!(
                "a base URL is set for upstream `{name}`, which does not exist; known: {}",
                known.join(", ")
            ));
        }
        let client = client(config, bases.values())?;
        Ok(Upstreams {
            client,
            bases,
            timeout: config.upstream_timeout,
            max_bytes: config.max_upstream_bytes,
        })
    }

    /// Asks `upstream` for `path` (with its query) and decodes the JSON body of a good answer.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure; `path` is in none of the messages.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
        deadline: Deadline,
        meter: &Meter,
    ) -> Result<T> {
        let body = self.get(upstream, path, deadline, meter).await?;
        answer::decode(upstream.name, &body)
    }

    /// The body of a good answer. Whatever is to stand between functions and upstreams (caching, limits, retry)
    /// stands here.
    async fn get(
        &self,
        upstream: &Upstream,
        path: &str,
        deadline: Deadline,
        meter: &Meter,
    ) -> Result<Bytes> {
        let base = self.bases.get(upstream.name);
        let base = base.ok_or_else(|| {
            Error::internal(format!("upstream `{}` was not declared", upstream.name))
        })?;
        let budget = deadline.budget(self.timeout);
        let _running = meter.start();
        let request = self
            .client
            .get(format!("{base}{path}"))
            .header("accept", "application/json");
        let exchange = async {
            let response = request
                .send()
                .await
                .map_err(|error| answer::transport(upstream.name, error))?;
            answer::body(upstream.name, response, self.max_bytes).await
        };
        tokio::time::timeout(budget, exchange)
            .await
            .unwrap_or_else(|_| {
                let origin = Origin {
                    name: upstream.name,
                    status: None,
                };
                let problem = format!("did not answer within {} ms", budget.as_millis());
                Err(Error::upstream(Kind::UpstreamTimeout, origin, problem))
            })
    }
}

/// A base URL without a trailing slash, so that every path begins with one.
fn base_url(url: &str) -> Result<String, String> {
    let parsed: Url = url.parse().map_err(|error| format!("is no URL: {error}"))?;
    match parsed.scheme() {
        "http" | "https" if parsed.query().is_none() && parsed.fragment().is_none() => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err("is no plain http or https URL".into()),
    }
}

fn client<'a>(config: &Config, bases: impl Iterator<Item = &'a String>) -> Result<Client, String> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls::config())
        .user_agent(&config.user_agent)
        .connect_timeout(config.upstream_timeout)
        .redirect(Policy::custom(same_host));
    // Loopback upstreams (recorded data, tests) must not be sent through a proxy of the environment.
    if bases.into_iter().all(|base| is_loopback(base)) {
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

/// Follows a redirect only to the scheme, host and port that were asked, and five times at most.
fn same_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let asked = attempt.previous().first().map(Url::origin);
    match asked {
        Some(origin) if origin == attempt.url().origin() && attempt.previous().len() <= 5 => {
            attempt.follow()
        }
        _ => attempt.error("a redirect to another host, or too many of them"),
    }
}
