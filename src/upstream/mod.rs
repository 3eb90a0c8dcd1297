//! the one way to every upstream HTTP API: one way to connect, one check of what a good answer is.

mod answer;
mod breaker;
mod bucket;
mod cache;
mod channel;
mod class;
mod client;
pub(crate) mod flight;
mod freshness;
mod limit;
mod line;
mod meter;
mod missing;
pub(crate) mod once;
mod policy;
mod retry;
mod supply;
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
use crate::upstream::flight::{Flights, Holder, Until};

use cache::{Cache, CachedBody};
use channel::{Asking, Channel};
use client::Recipe;
use missing::Missing;
use supply::Supply;

pub(crate) use client::Client;
pub use freshness::Freshness;
pub(crate) use meter::Meter;
pub use once::Once;
pub use policy::{Keep, Rate, Upstream};

/// The integration of one process: for each upstream a client, its limits, its breaker and what it has answered.
pub(crate) struct Upstreams {
    channels: BTreeMap<&'static str, Arc<Channel>>,
    cache: Arc<Cache>,
    missing: Arc<Missing>,
    flights: Flights<Result<Arc<CachedBody>, Arc<Error>>>,
    spans: Arc<Spans>,
    timeout: Duration,
    /// Makes numbers of holders which nobody can foresee.
    numbers: RandomState,
}

/// On whose behalf an upstream is asked.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// When its answer must be ready.
    pub deadline: Deadline,
    /// What it cost so far.
    pub meter: &'a Arc<Meter>,
    /// The trace that it belongs to.
    pub trace: &'a Trace,
    /// The principal, where one is known.
    pub principal: Option<&'a str>,
    /// The network that the call comes from, where it is known.
    pub network: Option<IpAddr>,
    /// Whether it may have less time than others because its client said so.
    pub is_hurried: bool,
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
        let bytes = config.cache_bytes;
        Ok(Upstreams {
            channels,
            cache: Arc::new(Cache::new(bytes - Missing::share(bytes))),
            missing: Arc::new(Missing::new(bytes)),
            flights: Flights::new(),
            spans,
            timeout: config.upstream_timeout,
            numbers: RandomState::new(),
        })
    }

    /// Asks `upstream` for `path` (with its query) and decodes the JSON body of a good answer.
    ///
    /// All who ask for the same at the same time wait for one request. A good answer is kept as long as its upstream
    /// declares; where the upstream fails, one that is past its time may stand in, and the meter says so. A 404 is
    /// remembered for ten seconds.
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
        if let Some((error, freshness)) = self.missing.get(&key) {
            meter.used(freshness);
            return Err(error);
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
        let (since, budget) = (Instant::now(), caller.deadline.budget(self.timeout));
        let until = Deadline::after(budget);
        let holder = self.holder(caller);
        let _waiting = caller.meter.wait();
        loop {
            let start = |wanted: Until| {
                let (channel, cache) = (channel.clone(), self.cache.clone());
                let (meter, trace) = (caller.meter.clone(), caller.trace.clone());
                let (path, key, kept) = (path.to_owned(), key.to_owned(), kept.cloned());
                let (missing, is_hurried) = (self.missing.clone(), caller.is_hurried);
                // Another request may have ended between the look into the cache and here.
                let come = self.cache.get(&key).filter(|entry| entry.is_fresh());
                let gone = self.missing.get(&key);
                async move {
                    if let Some(entry) = come {
                        return Ok(entry);
                    }
                    if let Some((error, _)) = gone {
                        return Err(Arc::new(error));
                    }
                    let asking = Asking {
                        path: &path,
                        kept: kept.as_ref(),
                        until: &wanted,
                        since,
                        is_hurried,
                        meter: &meter,
                        trace: &trace,
                    };
                    let fetched = channel.fetch(asking).await.map_err(Arc::new);
                    // Kept before the flight ends, so that nobody can come between the two and ask again.
                    match fetched {
                        Ok(entry) => {
                            let entry = Arc::new(entry);
                            cache.insert(&key, entry.clone());
                            Ok(entry)
                        }
                        Err(error) => {
                            missing.note(&key, &error);
                            Err(error)
                        }
                    }
                }
            };
            let (flight, is_started) = self.flights.join_for(holder, key, until, start);
            match until.timeout(flight).await {
                // Others were refused their turn: that says nothing of this one's.
                Some(Err(error)) if !is_started && channel::is_own(&error) => {}
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

    /// Whose requests wait behind each other: those of one principal, or else of one network, or else of all others.
    fn holder(&self, caller: Caller<'_>) -> Holder {
        let name = (
            caller.principal,
            caller.network.filter(|_| caller.principal.is_none()),
        );
        Holder(self.numbers.hash_one(name))
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
