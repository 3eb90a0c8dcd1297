//! Requests to HTTP APIs: every request passes the same cache, limits, retries and circuit breaker.
//!
//! An application declares each [`Upstream`] and registers it with [`Server::upstreams`](crate::Server::upstreams).
//! Its functions then ask it with [`Context::upstream`](crate::Context::upstream), or read JSON with the short form
//! [`Context::get_json`](crate::Context::get_json):
//!
//! ```
//! use std::time::Duration;
//!
//! use bifold::prelude::*;
//! use bifold::upstream::{CachePolicy, Upstream};
//! use serde_json::Value;
//!
//! const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1")
//!     .in_flight(4)
//!     .rate(10, Duration::from_secs(2))
//!     .cache(|_path| CachePolicy::seconds(60, 600));
//!
//! /// The current weather.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Weather {}
//!
//! async fn weather(cx: Context, Weather {}: Weather) -> Result<Content> {
//!     let current: Value = cx.get_json(&WEATHER, "/current?station=main").await?;
//!     Ok(Content::text(format!("{} °C", current["celsius"])))
//! }
//!
//! let server = Server::new("weather", "1.0.0")
//!     .upstreams(&[WEATHER])
//!     .tools(vec![Tool::new("weather", weather).get("/weather")]);
//! ```

mod answer;
mod breaker;
mod bucket;
mod cache;
mod channel;
mod class;
mod client;
mod credentials;
mod declaration;
mod exchange;
mod freshness;
mod get;
mod limit;
mod meter;
mod negative_cache;
pub(crate) mod once;
mod outgoing;
mod policy;
mod queue;
mod response;
mod retry;
mod send;
mod shared_client;
pub(crate) mod single_flight;
mod streaming;
pub(crate) mod target;
mod tls;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::telemetry::spans::Spans;
use crate::telemetry::trace::Trace;
use crate::upstream::single_flight::{Holder, SingleFlight};

use cache::{Cache, CachedBody};
use channel::Channel;
use client::ClientSettings;
use credentials::Authorizer;
use negative_cache::NegativeCache;
use shared_client::SharedClient;

pub(crate) use client::Client;
pub use credentials::{ClientCredentials, Credentials, SecretRef};
pub(crate) use credentials::{SecretStore, keeps_secrets};
pub use declaration::Upstream;
pub use freshness::Freshness;
pub(crate) use meter::Meter;
pub use once::Once;
pub(crate) use outgoing::{Accept, Outgoing};
pub use policy::{CachePolicy, Rate};
pub use response::UpstreamResponse;
pub(crate) use streaming::{Streaming, StreamingClient, Unsent};

/// The upstreams of one process: for each one its client, limits, circuit breakers and cached answers.
pub(crate) struct Upstreams {
    channels: BTreeMap<Cow<'static, str>, Arc<Channel>>,
    cache: Arc<Cache>,
    negative_cache: Arc<NegativeCache>,
    flights: SingleFlight<Result<Arc<CachedBody>, Arc<Error>>>,
    spans: Arc<Spans>,
    timeout: Duration,
    /// Hashes holders with a random key, so that no client can choose a holder that collides with another.
    hasher: RandomState,
}

/// The call on whose behalf a request is sent.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// When the call must answer.
    pub deadline: Deadline,
    /// Counts what the call requested.
    pub meter: &'a Arc<Meter>,
    /// The trace that the call belongs to.
    pub trace: &'a Trace,
    /// The principal, if it is known.
    pub principal: Option<&'a str>,
    /// The network that the call comes from, if it is known.
    pub network: Option<IpAddr>,
    /// Whether the client has chosen the deadline, which may be shorter than the server's.
    pub has_client_deadline: bool,
}

impl Upstreams {
    /// Prepares the clients; it opens no connection. `secrets` reads those of AWS Secrets Manager.
    ///
    /// # Errors
    /// The upstream or the setting that cannot be used.
    pub fn new(
        config: &Config,
        declared: &[Upstream],
        secrets: Option<SecretStore>,
    ) -> Result<Upstreams, String> {
        let mut bases = BTreeMap::new();
        for upstream in declared {
            let name = &*upstream.name;
            upstream
                .check()
                .map_err(|problem| format!("upstream `{name}`: {problem}"))?;
            let base = base_of(upstream, config)?;
            if bases.insert(name, base).is_some() {
                return Err(format!("upstream `{name}` is declared twice"));
            }
        }
        if let Some(name) = config
            .upstream_urls
            .keys()
            .find(|name| !bases.contains_key(name.as_str()) && !is_token(name, declared))
        {
            let known: Vec<&str> = bases.keys().copied().collect();
            return Err(format!(
                "a base URL is set for the upstream `{name}`, which does not exist; known upstreams: {}",
                known.join(", ")
            ));
        }
        let urls = bases.values().map(String::as_str);
        let settings = ClientSettings::new(config, urls)?;
        let spans = Arc::new(Spans::new(config, || shared_client::build(&settings))?);
        let mut channels = BTreeMap::new();
        for upstream in declared {
            let name = upstream.name.clone();
            let authorizer = upstream.credentials.as_ref().map(|credentials| {
                Authorizer::new(name.clone(), credentials, config, secrets.clone())
            });
            let authorizer = authorizer
                .transpose()
                .map_err(|problem| format!("upstream `{name}`: {problem}"))?;
            let base = bases[&*name].clone();
            let client = SharedClient::new(settings.clone());
            let channel = Channel::new(
                upstream.clone(),
                base,
                authorizer,
                client,
                spans.clone(),
                config,
            );
            channels.insert(name, Arc::new(channel));
        }
        let bytes = config.cache_bytes;
        Ok(Upstreams {
            channels,
            cache: Arc::new(Cache::new(bytes - NegativeCache::share(bytes))),
            negative_cache: Arc::new(NegativeCache::new(bytes)),
            flights: SingleFlight::new(),
            spans,
            timeout: config.upstream_timeout,
            hasher: RandomState::new(),
        })
    }

    /// The spans of the process; their collector is reached through a client of its own.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Removes all cached answers that a call used: they were well-formed, but their content is invalid.
    pub fn invalidate(&self, meter: &Meter) {
        for key in meter.take_keys() {
            self.cache.remove(&key);
        }
    }

    fn channel(&self, name: &str) -> Result<&Arc<Channel>> {
        let channel = self.channels.get(name);
        channel.ok_or_else(|| Error::internal(format!("upstream `{name}` was not declared")))
    }

    /// The holder of a call: its principal, or else its network, or else one for all other calls.
    fn holder(&self, caller: Caller<'_>) -> Holder {
        let name = (
            caller.principal,
            caller.network.filter(|_| caller.principal.is_none()),
        );
        Holder(self.hasher.hash_one(name))
    }
}

/// The base URL of an upstream: the configured one, or else the declared one.
fn base_of(upstream: &Upstream, config: &Config) -> Result<String, String> {
    let name = &upstream.name;
    let variable = format!("BIFOLD_{}_URL", name.to_ascii_uppercase());
    let configured = config.upstream_urls.get(&**name).map(String::as_str);
    let url = configured.unwrap_or(&upstream.url);
    // A declared URL is part of the binary, which is checked at every start except on Lambda.
    let is_known = configured.is_none() && config.is_frozen();
    let base = base_url(url, is_known)
        .map_err(|problem| format!("upstream `{name}` (`{variable}`): {problem}"))?;
    let leaks = |url: &str| upstream.url.starts_with("https://") && !keeps_secrets(url);
    if upstream.credentials.is_some() && configured.is_some_and(leaks) {
        return Err(format!(
            "upstream `{name}` (`{variable}`): `{url}` is not encrypted, and the credentials of the upstream would be \
             sent to it; use an https URL, or http on this machine"
        ));
    }
    Ok(base)
}

/// Whether `name` stands for the token endpoint of an upstream.
fn is_token(name: &str, declared: &[Upstream]) -> bool {
    let upstream = name.strip_suffix("_token");
    declared.iter().any(|it| {
        let has_token = it.credentials.as_ref().is_some_and(|it| it.have_token());
        has_token && upstream == Some(&*it.name)
    })
}

/// A base URL without a trailing slash, because every path begins with one.
fn base_url(url: &str, is_known: bool) -> Result<String, String> {
    if !is_known {
        let parsed: Url = url
            .parse()
            .map_err(|error| format!("`{url}` is not a valid URL: {error}"))?;
        // The URL is not repeated: it has a password.
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(
                "the URL has a user name or a password; declare `Upstream::credentials`".into(),
            );
        }
        let is_http = matches!(parsed.scheme(), "http" | "https");
        if !is_http || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(format!(
                "`{url}` is not an http or https URL without query and fragment"
            ));
        }
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    static HELD: Upstream = Upstream::new("held", "http://127.0.0.1:1");
    static FREE: Upstream = Upstream::new("free", "http://127.0.0.1:1");

    #[test]
    fn a_request_is_answered_while_a_thread_holds_the_limits_of_another_upstream() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let api = crate::testing::upstream("free").on_get("/x").json(1);
        let api = runtime.block_on(api.start()).unwrap();
        let mut config = Config::default();
        api.configure(&mut config);
        let upstreams = Upstreams::new(&config, &[HELD.clone(), FREE.clone()], None).unwrap();
        let caller = Caller {
            deadline: Deadline::after(Duration::from_secs(60)),
            meter: &Arc::default(),
            trace: &Trace::from_headers(&http::HeaderMap::new(), None),
            principal: None,
            network: None,
            has_client_deadline: false,
        };
        let limits = upstreams.channels["held"].limiter.as_ref().unwrap();
        let held = limits.state.lock().unwrap();
        // It would not return if it waited for the lock that is held.
        let ask = || runtime.block_on(upstreams.get_json::<u8>(&FREE, "/x", caller));
        let answer = thread::scope(|scope| scope.spawn(ask).join().unwrap());
        drop(held);
        assert_eq!(answer.unwrap(), 1);
    }
}
