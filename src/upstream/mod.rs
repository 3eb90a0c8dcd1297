//! the one way to every upstream HTTP API: one way to connect, one check of what a good answer is.

mod answer;
mod breaker;
mod cache;
mod channel;
mod client;
pub(crate) mod flight;
mod freshness;
mod limit;
mod meter;
pub(crate) mod once;
mod policy;
mod retry;
mod supply;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;
use serde::de::DeserializeOwned;

use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result, UpstreamStatus};
use crate::telemetry::spans::Spans;
use crate::telemetry::trace::Trace;
use crate::upstream::flight::Flights;

use cache::{Cache, CachedBody};
use channel::{Asking, Channel};
use client::Recipe;
use supply::Supply;

pub(crate) use client::Client;
pub use freshness::Freshness;
pub use meter::Meter;
pub use once::Once;
pub use policy::{Keep, Rate, Upstream};

/// The integration of one process: for each upstream a client, its limits, its breaker and what it has answered.
pub struct Upstreams {
    channels: BTreeMap<&'static str, Arc<Channel>>,
    cache: Arc<Cache>,
    flights: Flights<Result<Arc<CachedBody>, Arc<Error>>>,
    spans: Arc<Spans>,
    timeout: std::time::Duration,
}

/// On whose behalf an upstream is asked.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// When its answer must be ready.
    pub deadline: Deadline,
    /// What it cost so far.
    pub meter: &'a Arc<Meter>,
    /// The trace that it belongs to.
    pub trace: &'a Trace,
}

impl Upstreams {
    /// Prepares the clients; no connection is opened.
    ///
    /// # Errors
    /// The upstream or the setting that cannot be used.
    pub fn new(config: &Config, declared: &[Upstream]) -> Result<Upstreams, String> {
        let mut bases = BTreeMap::new();
        for upstream in declared {
            check(upstream)
                .map_err(|problem| format!("upstream `{}`: {problem}", upstream.name))?;
            let other = config.upstream_urls.get(upstream.name);
            let url = other.map_or(upstream.url, String::as_str);
            // What is declared stands in the binary, as functions do, which every start but that on Lambda checks.
            let is_known = other.is_none() && config.is_frozen();
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
                "a base URL is set for upstream `{name}`, which does not exist; known: {}",
                known.join(", ")
            ));
        }
        let urls = bases.values().map(String::as_str);
        let recipe = Recipe::new(config, urls)?;
        let spans = Arc::new(Spans::new(config, || supply::build(&recipe))?);
        let channel = |upstream: &Upstream| {
            let base = bases[upstream.name].clone();
            let supply = Supply::new(recipe.clone());
            let channel = Channel::new(*upstream, base, supply, spans.clone(), config);
            (upstream.name, Arc::new(channel))
        };
        let channels = declared.iter().map(channel).collect();
        let cache = Arc::new(Cache::new(config.cache_bytes));
        Ok(Upstreams {
            channels,
            cache,
            flights: Flights::new(),
            spans,
            timeout: config.call_timeout,
        })
    }

    /// Asks `upstream` for `path` (with its query) and decodes the JSON body of a good answer.
    ///
    /// All who ask for the same at the same time wait for one request. A good answer is kept as long as its upstream
    /// declares; where the upstream fails, one that is past its time may stand in, and the meter says so.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure; `path` is in none of the messages.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
        caller: Caller<'_>,
    ) -> Result<T> {
        let meter = caller.meter;
        let key = format!("{} {path}", upstream.name);
        meter.asked(key.clone());
        let kept = self.cache.get(&key);
        if let Some(entry) = kept.as_ref().filter(|entry| entry.is_fresh()) {
            meter.used(entry.freshness(true));
            return answer::decode(upstream.name, &entry.body);
        }
        let fetched = self
            .fetch(upstream, path, &key, kept.as_ref(), caller)
            .await;
        let decoded = fetched.and_then(|entry| {
            let value = answer::decode(upstream.name, &entry.body)
                .inspect_err(|_| self.cache.reject(&key, &entry))?;
            meter.used(entry.freshness(false));
            Ok(value)
        });
        decoded.or_else(|error| {
            match kept.filter(|entry| entry.may_stand_in() && !is_final(&error)) {
                Some(entry) => {
                    meter.used(entry.freshness(true));
                    answer::decode(upstream.name, &entry.body)
                }
                None => Err(error),
            }
        })
    }

    /// The spans of the process: a collector is an upstream of its own kind.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Drops what was kept of all that a call asked for: well in form, it has turned out to be something that cannot be.
    pub fn distrust(&self, meter: &Meter) {
        for key in meter.take_asked() {
            self.cache.remove(&key);
        }
    }

    /// Joins the request for the same path, or starts it.
    async fn fetch(
        &self,
        upstream: &Upstream,
        path: &str,
        key: &str,
        kept: Option<&Arc<CachedBody>>,
        caller: Caller<'_>,
    ) -> Result<Arc<CachedBody>> {
        let channel = self.channels.get(upstream.name);
        let channel = channel.ok_or_else(|| {
            Error::internal(format!("upstream `{}` was not declared", upstream.name))
        })?;
        let budget = caller.deadline.budget(self.timeout);
        let _waiting = caller.meter.wait();
        let (flight, _) = self.flights.join(key, Deadline::after(budget), |until| {
            let (channel, cache) = (channel.clone(), self.cache.clone());
            let (meter, trace) = (caller.meter.clone(), caller.trace.clone());
            let (path, key, kept) = (path.to_owned(), key.to_owned(), kept.cloned());
            // Another request may have ended between the look into the cache and here.
            let come = self.cache.get(&key).filter(|entry| entry.is_fresh());
            async move {
                if let Some(entry) = come {
                    return Ok(entry);
                }
                let asking = Asking {
                    path: &path,
                    kept: kept.as_ref(),
                    until: &until,
                    meter: &meter,
                    trace: &trace,
                };
                let fetched = channel.fetch(asking).await;
                let entry = Arc::new(fetched.map_err(Arc::new)?);
                // Kept before the flight ends, so that nobody can come between the two and ask again.
                cache.insert(&key, entry.clone());
                Ok(entry)
            }
        });
        match tokio::time::timeout(budget, flight).await {
            Ok(result) => result.map_err(|error| error.again()),
            Err(_) => {
                let origin = UpstreamStatus {
                    name: upstream.name,
                    status: None,
                };
                let problem = format!("did not answer within {} ms", budget.as_millis());
                Err(Error::upstream(Kind::UpstreamTimeout, origin, problem))
            }
        }
    }
}

/// Whether the upstream knows what it says: then what it said before does not stand in.
fn is_final(error: &Error) -> bool {
    match error.kind() {
        Kind::NotFound => true,
        Kind::UpstreamError => !error.is_server_failure(),
        _ => false,
    }
}

/// Limits that let nothing through would let each call wait for ever.
fn check(upstream: &Upstream) -> Result<(), &'static str> {
    let rate = upstream.rate.as_ref();
    match (upstream.in_flight, rate) {
        (0, _) => Err("no request may be in flight; allow at least one"),
        (_, Some(rate)) if rate.burst == 0 || rate.period.is_zero() => {
            Err("its rate has no burst or no period; give both, or no rate")
        }
        _ => Ok(()),
    }
}

/// A base URL without a trailing slash, so that every path begins with one.
fn base_url(url: &str, is_known: bool) -> Result<String, String> {
    if !is_known {
        let parsed: Url = url.parse().map_err(|error| format!("is no URL: {error}"))?;
        let is_http = matches!(parsed.scheme(), "http" | "https");
        if !is_http || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err("is no plain http or https URL".into());
        }
    }
    Ok(url.trim_end_matches('/').to_owned())
}
