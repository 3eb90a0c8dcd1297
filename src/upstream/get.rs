//! A GET whose response is shared: by callers at the same time, and by later ones through the cache.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::cache::CachedBody;
use super::channel::{FetchRequest, is_local_refusal};
use super::declaration::Upstream;
use super::exchange::{Received, Want};
use super::outgoing::{Accept, Outgoing, key};
use super::{Caller, Meter, Upstreams, answer, target};
use crate::clock::Deadline;
use crate::error::{Error, Kind, Result};
use crate::upstream::single_flight::Waiters;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Get<'a> {
    pub(super) upstream: &'a str,
    /// The path with its query.
    pub(super) target: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) accept: Accept,
}

/// What the caches have for a GET.
enum Known {
    Found(Found),
    /// Nothing that is fresh: the key, and what is stale.
    Missing(String, Option<Arc<CachedBody>>),
}

/// A body that is still to be decoded.
struct Found {
    entry: Arc<CachedBody>,
    /// Of one that has just been fetched: its key, and the answer before it.
    fetched: Option<(String, Option<Arc<CachedBody>>)>,
}

impl Upstreams {
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
        target::check(path)?;
        let name = &*upstream.name;
        let get = Get {
            upstream: name,
            target: path,
            headers: &HeaderMap::new(),
            accept: Accept::Json,
        };
        self.get(get, caller, |body| answer::decode(name, body))
            .await
    }

    /// Like [`Upstreams::get_json`], with headers, and with another way to decode the body.
    pub(super) async fn get<T>(
        &self,
        get: Get<'_>,
        caller: Caller<'_>,
        decode: impl Fn(&Bytes) -> Result<T>,
    ) -> Result<T> {
        let mut found = match self.known(get, caller)? {
            Known::Found(found) => found,
            Known::Missing(key, stale) => self.ask(get, key, stale, caller).await?,
        };
        loop {
            match decode(&found.entry.body) {
                Ok(value) => {
                    found.accept(caller.meter);
                    return Ok(value);
                }
                Err(error) => found = self.instead(found, error, caller.meter)?,
            }
        }
    }

    /// What the caches have.
    fn known(&self, get: Get<'_>, caller: Caller<'_>) -> Result<Known> {
        let meter = caller.meter;
        let key = key(get.upstream, get.target, get.headers, get.accept);
        meter.record_key(key.clone());
        let cached = self.cache.get(&key);
        if let Some(entry) = cached.as_ref().filter(|entry| entry.is_fresh()) {
            return Ok(Known::Found(Found::cached(entry.clone(), meter)));
        }
        if let Some((error, freshness)) = self.negative_cache.get(&key) {
            meter.record_freshness(freshness);
            return Err(error);
        }
        Ok(Known::Missing(key, cached))
    }

    /// What the upstream answers. Boxed, so that it is compiled once, and not for each program that awaits it.
    fn ask<'a>(
        &'a self,
        get: Get<'a>,
        key: String,
        stale: Option<Arc<CachedBody>>,
        caller: Caller<'a>,
    ) -> BoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            match self.fetch(get, &key, stale.as_ref(), caller).await {
                Ok(entry) => Ok(Found {
                    entry,
                    fetched: Some((key, stale)),
                }),
                Err(error) => Found::stale(stale, error, caller.meter),
            }
        })
    }

    /// What is used instead of a body that could not be decoded.
    fn instead(&self, found: Found, error: Error, meter: &Meter) -> Result<Found> {
        let Some((key, stale)) = found.fetched else {
            return Err(error);
        };
        self.cache.reject(&key, &found.entry);
        Found::stale(stale, error, meter)
    }

    /// Joins the request for the same path, or starts it.
    async fn fetch(
        &self,
        get: Get<'_>,
        key: &str,
        cached: Option<&Arc<CachedBody>>,
        caller: Caller<'_>,
    ) -> Result<Arc<CachedBody>> {
        let channel = self.channel(get.upstream)?;
        let (since, budget) = (Instant::now(), caller.deadline.budget(self.timeout));
        let until = Deadline::after(budget);
        let holder = self.holder(caller);
        let _waiting = caller.meter.wait();
        loop {
            // A call after a write must not join a request from before it.
            let writes = channel.writes();
            let shared_key = (writes > 0).then(|| format!("{key}\n{writes}"));
            let start = |waiters: Waiters| {
                let (channel, cache) = (channel.clone(), self.cache.clone());
                let (meter, trace) = (caller.meter.clone(), caller.trace.clone());
                let (key, cached) = (key.to_owned(), cached.cloned());
                let outgoing =
                    Outgoing::get(get.target.to_owned(), get.headers.clone(), get.accept);
                let (negative_cache, has_client_deadline) =
                    (self.negative_cache.clone(), caller.has_client_deadline);
                async move {
                    // Another request may have ended since the cache was read.
                    if let Some(entry) = cache.get(&key).filter(|entry| entry.is_fresh()) {
                        return Ok(entry);
                    }
                    if let Some((error, _)) = negative_cache.get(&key) {
                        return Err(Arc::new(error));
                    }
                    let request = FetchRequest {
                        outgoing: &outgoing,
                        want: Want::Entry(cached.as_ref()),
                        waiters: &waiters,
                        since,
                        has_client_deadline,
                        meter: &meter,
                        trace: &trace,
                    };
                    let fetched = channel.fetch(request).await.map_err(Arc::new);
                    // A response from before a write may be out of date.
                    let is_current = channel.writes() == writes;
                    // Stored before the execution ends, so that no call in between repeats the request.
                    match fetched {
                        Ok(received) => {
                            let entry = entry(received).map_err(Arc::new)?;
                            if is_current {
                                cache.insert(&key, entry.clone());
                            }
                            Ok(entry)
                        }
                        Err(error) => {
                            if is_current {
                                negative_cache.insert(&key, &error);
                            }
                            Err(error)
                        }
                    }
                }
            };
            let shared_key = shared_key.as_deref().unwrap_or(key);
            let (shared, is_started) = self.flights.join_for(holder, shared_key, until, start);
            match until.timeout(shared).await {
                // The request of another caller was refused by the limits; this caller's may pass.
                Some(Err(error)) if !is_started && is_local_refusal(&error) => {}
                Some(result) => return result.map_err(|error| error.again()),
                None => return Err(channel.timed_out(budget)),
            }
        }
    }
}

impl Found {
    /// An answer of the cache.
    fn cached(entry: Arc<CachedBody>, meter: &Meter) -> Found {
        meter.record_freshness(entry.freshness(true));
        let fetched = None;
        Found { entry, fetched }
    }

    /// The stale answer instead of this failure, if it may be used.
    fn stale(stale: Option<Arc<CachedBody>>, error: Error, meter: &Meter) -> Result<Found> {
        match stale.filter(|entry| entry.may_be_used_stale() && !is_final(&error)) {
            Some(entry) => Ok(Found::cached(entry, meter)),
            None => Err(error),
        }
    }

    /// Records that the body could be decoded.
    fn accept(&self, meter: &Meter) {
        if self.fetched.is_some() {
            meter.record_freshness(self.entry.freshness(false));
        }
    }
}

fn entry(received: Received) -> Result<Arc<CachedBody>> {
    match received {
        Received::Entry(entry) => Ok(Arc::new(entry)),
        Received::Whole(_) | Received::Stream(..) => Err(Error::internal(
            "an upstream request was answered in another form",
        )),
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
