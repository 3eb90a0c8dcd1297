//! Requests to HTTP APIs: every request passes the same cache, limits, retries and circuit breaker.
//!
//! An application declares each [`Upstream`] and registers it with [`Server::upstreams`](crate::Server::upstreams).
//! Its functions then read JSON with [`Context::get_json`](crate::Context::get_json):
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
mod freshness;
mod limit;
mod meter;
mod negative_cache;
pub(crate) mod once;
mod policy;
mod queue;
mod retry;
mod shared_client;
pub(crate) mod single_flight;
mod tls;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result, UpstreamStatus};
use crate::telemetry::spans::Spans;
use crate::telemetry::trace::Trace;
use crate::upstream::single_flight::{Holder, SingleFlight, Waiters};

use cache::{Cache, CachedBody};
use channel::{Channel, FetchRequest};
use client::ClientSettings;
use negative_cache::NegativeCache;
use shared_client::SharedClient;

pub(crate) use client::Client;
pub use freshness::Freshness;
pub(crate) use meter::Meter;
pub use once::Once;
pub use policy::{CachePolicy, Rate, Upstream};

/// The upstreams of one process: for each one its client, limits, circuit breakers and cached answers.
pub(crate) struct Upstreams {
    channels: BTreeMap<&'static str, Arc<Channel>>,
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
    /// Prepares the clients; it opens no connection.
    ///
    /// # Errors
    /// The upstream or the setting that cannot be used.
    pub fn new(config: &Config, declared: &[Upstream]) -> Result<Upstreams, String> {
        let mut bases = BTreeMap::new();
        for upstream in declared {
            check(upstream)
                .map_err(|problem| format!("upstream `{}`: {problem}", upstream.name))?;
            let configured = config.upstream_urls.get(upstream.name);
            let url = configured.map_or(upstream.url, String::as_str);
            // A declared URL is part of the binary, which is checked at every start except on Lambda.
            let is_known = configured.is_none() && config.is_frozen();
            let base = base_url(url, is_known).map_err(|problem| {
                let variable = format!("BIFOLD_{}_URL", upstream.name.to_ascii_uppercase());
                format!(
                    "upstream `{}` (`{variable}`): `{url}` {problem}",
                    upstream.name
                )
            })?;
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
                "a base URL is set for the upstream `{name}`, which does not exist; known upstreams: {}",
                known.join(", ")
            ));
        }
        let urls = bases.values().map(String::as_str);
        let settings = ClientSettings::new(config, urls)?;
        let spans = Arc::new(Spans::new(config, || shared_client::build(&settings))?);
        let channel = |upstream: &Upstream| {
            let base = bases[upstream.name].clone();
            let shared_client = SharedClient::new(settings.clone());
            let channel = Channel::new(*upstream, base, shared_client, spans.clone(), config);
            (upstream.name, Arc::new(channel))
        };
        let channels = declared.iter().map(channel).collect();
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

    /// Requests `path` (with its query) from `upstream` and decodes the JSON body of a good answer.
    ///
    /// Concurrent calls for the same path share one request. A good answer is cached as long as its upstream
    /// declares. If the upstream fails, a stale answer may be used, and the meter records that. A 404 is remembered
    /// for ten seconds.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure; no message contains `path`.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
        caller: Caller<'_>,
    ) -> Result<T> {
        let meter = caller.meter;
        let key = format!("{} {path}", upstream.name);
        meter.record_key(key.clone());
        let cached = self.cache.get(&key);
        if let Some(entry) = cached.as_ref().filter(|entry| entry.is_fresh()) {
            meter.record_freshness(entry.freshness(true));
            return answer::decode(upstream.name, &entry.body);
        }
        if let Some((error, freshness)) = self.negative_cache.get(&key) {
            meter.record_freshness(freshness);
            return Err(error);
        }
        let fetched = self
            .fetch(upstream, path, &key, cached.as_ref(), caller)
            .await;
        let decoded = fetched.and_then(|entry| {
            let value = answer::decode(upstream.name, &entry.body)
                .inspect_err(|_| self.cache.reject(&key, &entry))?;
            meter.record_freshness(entry.freshness(false));
            Ok(value)
        });
        decoded.or_else(|error| {
            match cached.filter(|entry| entry.may_be_used_stale() && !is_final(&error)) {
                Some(entry) => {
                    meter.record_freshness(entry.freshness(true));
                    answer::decode(upstream.name, &entry.body)
                }
                None => Err(error),
            }
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

    /// Joins the request for the same path, or starts it.
    async fn fetch(
        &self,
        upstream: &Upstream,
        path: &str,
        key: &str,
        cached: Option<&Arc<CachedBody>>,
        caller: Caller<'_>,
    ) -> Result<Arc<CachedBody>> {
        let channel = self.channels.get(upstream.name);
        let channel = channel.ok_or_else(|| {
            Error::internal(format!("upstream `{}` was not declared", upstream.name))
        })?;
        let (since, budget) = (Instant::now(), caller.deadline.budget(self.timeout));
        let until = Deadline::after(budget);
        let holder = self.holder(caller);
        let _waiting = caller.meter.wait();
        loop {
            let start = |waiters: Waiters| {
                let (channel, cache) = (channel.clone(), self.cache.clone());
                let (meter, trace) = (caller.meter.clone(), caller.trace.clone());
                let (path, key, cached) = (path.to_owned(), key.to_owned(), cached.cloned());
                let (negative_cache, has_client_deadline) =
                    (self.negative_cache.clone(), caller.has_client_deadline);
                // Another request may have ended since the cache was read.
                let cached_since = self.cache.get(&key).filter(|entry| entry.is_fresh());
                let missing_since = self.negative_cache.get(&key);
                async move {
                    if let Some(entry) = cached_since {
                        return Ok(entry);
                    }
                    if let Some((error, _)) = missing_since {
                        return Err(Arc::new(error));
                    }
                    let request = FetchRequest {
                        path: &path,
                        cached: cached.as_ref(),
                        waiters: &waiters,
                        since,
                        has_client_deadline,
                        meter: &meter,
                        trace: &trace,
                    };
                    let fetched = channel.fetch(request).await.map_err(Arc::new);
                    // Stored before the execution ends, so that no call in between repeats the request.
                    match fetched {
                        Ok(entry) => {
                            let entry = Arc::new(entry);
                            cache.insert(&key, entry.clone());
                            Ok(entry)
                        }
                        Err(error) => {
                            negative_cache.insert(&key, &error);
                            Err(error)
                        }
                    }
                }
            };
            let (shared, is_started) = self.flights.join_for(holder, key, until, start);
            match until.timeout(shared).await {
                // The request of another caller was refused by the limits; this caller's may pass.
                Some(Err(error)) if !is_started && channel::is_local_refusal(&error) => {}
                Some(result) => return result.map_err(|error| error.again()),
                None => {
                    let origin = UpstreamStatus {
                        name: upstream.name,
                        status: None,
                    };
                    let problem = format!("did not answer within {} ms", budget.as_millis());
                    return Err(Error::upstream(Kind::UpstreamTimeout, origin, problem));
                }
            }
        }
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

/// Whether the failure is the upstream's definite answer, which a stale answer must not hide.
fn is_final(error: &Error) -> bool {
    match error.kind() {
        Kind::NotFound => true,
        Kind::UpstreamError => !error.is_server_failure(),
        _ => false,
    }
}

/// Limits that admit nothing would make every call wait until its deadline.
fn check(upstream: &Upstream) -> Result<(), &'static str> {
    let rate = upstream.rate.as_ref();
    match (upstream.in_flight, rate) {
        (0, _) => Err("allows no request in flight; allow at least one"),
        (_, Some(rate)) if rate.burst == 0 || rate.period.is_zero() => {
            Err("its rate has no burst or no period; give both, or no rate")
        }
        _ => Ok(()),
    }
}

/// A base URL without a trailing slash, because every path begins with one.
fn base_url(url: &str, is_known: bool) -> Result<String, String> {
    if !is_known {
        let parsed: Url = url
            .parse()
            .map_err(|error| format!("is not a valid URL: {error}"))?;
        let is_http = matches!(parsed.scheme(), "http" | "https");
        if !is_http || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err("is not an http or https URL without query and fragment".into());
        }
    }
    Ok(url.trim_end_matches('/').to_owned())
}
