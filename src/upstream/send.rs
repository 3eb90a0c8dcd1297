//! Requests of all methods: those that only read are shared as a GET is, all others are sent for one caller.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::channel::{Channel, FetchRequest};
use super::exchange::{Received, Want};
use super::get::Get;
use super::outgoing::is_of;
use super::{Caller, Freshness, Outgoing, UpstreamResponse, Upstreams, response};
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::upstream::single_flight::Waiters;

/// A write; when it ends in whatever way, the responses that it may have changed leave the cache.
struct Write<'a> {
    upstreams: &'a Upstreams,
    channel: &'a Channel,
    path: &'a str,
}

impl Upstreams {
    /// Sends a request and decodes the JSON body of a good response; an empty body is `null`.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure.
    pub async fn json<T: DeserializeOwned>(
        &self,
        upstream: &str,
        outgoing: &Outgoing,
        caller: Caller<'_>,
    ) -> Result<T> {
        self.read(upstream, outgoing, caller, |body| {
            response::json(upstream, body)
        })
        .await
    }

    /// Like [`Upstreams::json`] for a body of text.
    pub async fn text(
        &self,
        upstream: &str,
        outgoing: &Outgoing,
        caller: Caller<'_>,
    ) -> Result<String> {
        self.read(upstream, outgoing, caller, |body| {
            response::text(upstream, 200, body)
        })
        .await
    }

    /// Like [`Upstreams::json`] for any body.
    pub async fn bytes(
        &self,
        upstream: &str,
        outgoing: &Outgoing,
        caller: Caller<'_>,
    ) -> Result<Bytes> {
        self.read(upstream, outgoing, caller, |body| Ok(body.clone()))
            .await
    }

    /// Sends a request, and gives the response whatever its status.
    ///
    /// # Errors
    /// An upstream kind where there is no response.
    pub fn send<'a>(
        &'a self,
        upstream: &'a str,
        outgoing: &'a Outgoing,
        caller: Caller<'a>,
    ) -> BoxFuture<'a, Result<UpstreamResponse>> {
        Box::pin(async move {
            let channel = self.channel(upstream)?;
            let sent = self.exchange(channel, outgoing, Want::Stream, caller).await;
            let (limit, end) = (channel.max_bytes, caller.deadline);
            match sent {
                Ok(Received::Stream(response, permit)) => Ok(UpstreamResponse::streamed(
                    upstream, response, permit, limit, end,
                )),
                Ok(_) => Err(unexpected()),
                Err(error) => match error.upstream_response() {
                    Some(response) => Ok(UpstreamResponse::refused(upstream, response, end)),
                    None => Err(error),
                },
            }
        })
    }

    async fn read<T>(
        &self,
        upstream: &str,
        outgoing: &Outgoing,
        caller: Caller<'_>,
        decode: impl Fn(&Bytes) -> Result<T>,
    ) -> Result<T> {
        if outgoing.is_shareable() {
            let get = Get {
                upstream,
                target: &outgoing.target,
                headers: &outgoing.headers,
                accept: outgoing.accept,
            };
            return self.get(get, caller, decode).await;
        }
        decode(&self.body(upstream, outgoing, caller).await?)
    }

    /// The body of a good response to this caller alone. Boxed, so that it is compiled once, and not for each program that
    /// awaits it.
    fn body<'a>(
        &'a self,
        upstream: &'a str,
        outgoing: &'a Outgoing,
        caller: Caller<'a>,
    ) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let channel = self.channel(upstream)?;
            match self
                .exchange(channel, outgoing, Want::Whole, caller)
                .await?
            {
                Received::Whole(response) => Ok(response.into_body()),
                _ => Err(unexpected()),
            }
        })
    }

    /// Sends a request for this caller alone.
    async fn exchange(
        &self,
        channel: &Channel,
        outgoing: &Outgoing,
        want: Want<'_>,
        caller: Caller<'_>,
    ) -> Result<Received> {
        let _write = (!outgoing.is_safe()).then(|| Write {
            upstreams: self,
            channel,
            path: outgoing.path(),
        });
        let (since, budget) = (Instant::now(), caller.deadline.budget(self.timeout));
        let until = Deadline::after(budget);
        let _waiting = caller.meter.wait();
        let waiters = Waiters::new(self.holder(caller), until);
        let request = FetchRequest {
            outgoing,
            want,
            waiters: &waiters,
            since,
            has_client_deadline: caller.has_client_deadline,
            meter: caller.meter,
            trace: caller.trace,
        };
        let received = until.timeout(channel.fetch(request)).await;
        let received = received.unwrap_or_else(|| Err(channel.timed_out(budget)))?;
        // What was answered to one caller must not be cached by a client.
        caller.meter.record_freshness(Freshness::NONE);
        Ok(received)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        let (name, path) = (self.channel.name(), self.path);
        self.channel.count_write();
        self.upstreams
            .cache
            .remove_all(|key| is_of(key, name, path));
        self.upstreams
            .negative_cache
            .remove_all(|key| is_of(key, name, path));
    }
}

fn unexpected() -> Error {
    Error::internal("an upstream request was answered in another form")
}
