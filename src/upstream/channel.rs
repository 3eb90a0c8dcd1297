//! The request path of one upstream: limits, tries, and a circuit breaker for each path class.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};

use super::answer;
use super::cache::CachedBody;
use super::class::{Class, Classes};
use super::limit::{Limiter, Permit};
use super::meter::Meter;
use super::policy::Upstream;
use super::retry;
use super::shared_client::SharedClient;
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result, UpstreamStatus};
use crate::telemetry::spans::{Exchange, Spans};
use crate::telemetry::trace::Trace;
use crate::upstream::single_flight::Waiters;

/// A timeout after less than this does not count as a failure of the upstream.
const MIN_TIMEOUT_EVIDENCE: Duration = Duration::from_secs(1);

/// One upstream with its state in this process.
pub(super) struct Channel {
    upstream: Upstream,
    base: String,
    shared_client: SharedClient,
    spans: Arc<Spans>,
    /// The time limit of one request with all its tries.
    timeout: Duration,
    /// The time limit of one try, if another try is allowed.
    try_timeout: Duration,
    max_bytes: usize,
    classes: Classes,
    limiter: Option<Limiter>,
}

/// One request, and the caller that started it.
#[derive(Clone, Copy)]
pub(super) struct FetchRequest<'a> {
    pub(super) path: &'a str,
    pub(super) cached: Option<&'a Arc<CachedBody>>,
    pub(super) waiters: &'a Waiters,
    /// When the request began.
    pub(super) since: Instant,
    /// Whether the client has chosen the deadline, which may be shorter than the server's.
    pub(super) has_client_deadline: bool,
    pub(super) meter: &'a Meter,
    /// The trace of the caller that started the request; a request has one trace, even if other callers join it.
    pub(super) trace: &'a Trace,
}

/// The tries of one request so far.
struct Tries<'a> {
    class: &'a Class,
    count: u32,
    /// The wait before the next try, if that try is already granted.
    granted: Option<Duration>,
}

impl Channel {
    pub(super) fn new(
        upstream: Upstream,
        base: String,
        shared_client: SharedClient,
        spans: Arc<Spans>,
        config: &Config,
    ) -> Channel {
        Channel {
            upstream,
            base,
            shared_client,
            spans,
            timeout: config.upstream_timeout,
            try_timeout: config.try_timeout(),
            max_bytes: config.max_upstream_bytes,
            classes: Classes::new(config.upstream_breaker, config.upstream_tries),
            limiter: config.upstream_limits.then(|| Limiter::new(&upstream)),
        }
    }

    /// Returns a good answer after as many tries as time, policy and retry budget allow.
    pub(super) async fn fetch(&self, request: FetchRequest<'_>) -> Result<CachedBody> {
        let class = self.classes.get((self.upstream.class)(request.path));
        class.retry.count_request();
        let mut last: Option<Error> = None;
        let mut tries = Tries {
            class: &class,
            count: 0,
            granted: None,
        };
        loop {
            let error = match (self.send(request, &mut tries).await, last) {
                (Ok(entry), _) => return Ok(entry),
                // The upstream's own failure says more than the reason why there is no other try.
                (Err(error), Some(last)) if is_local_refusal(&error) => {
                    return Err(with_tries(last, tries.count));
                }
                (Err(error), _) => error,
            };
            // A request that was refused locally was not tried.
            if is_local_refusal(&error) {
                return Err(with_tries(error, tries.count));
            }
            tries.count += 1;
            let count = tries.count;
            debug!(upstream = self.upstream.name, tries = count, inside = ?error, "an upstream request failed");
            // A stale answer now is better than a fresh one later.
            if request.has_stale_answer() {
                return Err(with_tries(error, count));
            }
            let deadline = request.waiters.deadline();
            let wait = tries
                .granted
                .take()
                .or_else(|| class.retry.wait(&error, count, deadline));
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(with_tries(error, count)),
            }
            last = Some(error);
        }
    }

    /// Sends one try when the limits allow it.
    async fn send(&self, request: FetchRequest<'_>, tries: &mut Tries<'_>) -> Result<CachedBody> {
        let waiters = request.waiters;
        let breaker = &tries.class.breaker;
        breaker.check().map_err(|wait| self.unavailable(wait))?;
        let permit = self.acquire(waiters).await?;
        // While this request waited, another one may have opened the breaker.
        let (admission, _permit) = match breaker.admit() {
            Ok(admission) => (admission, permit),
            Err(wait) => {
                if let Some(permit) = permit {
                    permit.return_unused();
                }
                return Err(self.unavailable(wait));
            }
        };
        let client = self.shared_client.client(waiters.deadline()).await?;
        request.meter.count_request();
        let (since, span) = (Instant::now(), request.trace.child());
        let logged =
            debug_span!(target: "bifold::upstream", "upstream", upstream = self.upstream.name);
        let exchange = self.exchange(&client, request, &span).instrument(logged);
        let result = self.limit_time(exchange, request, tries).await;
        let duration = since.elapsed();
        let failure = result.as_ref().err();
        self.spans.exchange(Exchange {
            upstream: self.upstream.name,
            span: &span,
            duration,
            status: match &result {
                Ok(answered) => Some(answered.0),
                Err(error) => error.upstream_status().and_then(|it| it.status),
            },
            error: failure.map(|it| it.kind().as_str()),
        });
        let took = |time: Duration| duration >= self.timeout.min(time);
        match &result {
            Err(error) if error.kind() == Kind::RateLimited => {}
            // A timeout of a short deadline is not evidence against the upstream.
            Err(error) if error.kind() == Kind::UpstreamTimeout && !took(MIN_TIMEOUT_EVIDENCE) => {}
            Err(error) if retry::is_transient(error) || error.is_server_failure() => {
                if error.is_unreachable() {
                    self.shared_client.replace(&client);
                }
                // A deadline that the client has chosen must not open the breaker, however often the client calls.
                let is_cut_short = request.has_client_deadline && !took(self.try_timeout);
                if error.kind() != Kind::UpstreamTimeout || !is_cut_short {
                    admission.failed();
                }
            }
            _ => admission.succeeded(),
        }
        result.map(|answered| answered.1)
    }

    /// Waits for a permit for as long as a caller waits for the answer.
    async fn acquire(&self, waiters: &Waiters) -> Result<Option<Permit>> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        let permit = limiter.acquire(waiters).await;
        permit
            .map(Some)
            .map_err(|reached| self.limit_reached(reached.wait))
    }

    /// Limits the time of one try. The limit grows if a caller with more time joins, or if no other try may follow.
    async fn limit_time<T>(
        &self,
        exchange: impl Future<Output = Result<T>>,
        request: FetchRequest<'_>,
        tries: &mut Tries<'_>,
    ) -> Result<T> {
        tokio::pin!(exchange);
        let short = self.try_timeout;
        // The upstream's timeout is the upper limit, however many callers join.
        let (early, limit) = (Deadline::after(short), Deadline::after(self.timeout));
        if early < request.waiters.deadline() {
            if let Some(result) = early.timeout(&mut exchange).await {
                return result;
            }
            let timed_out = self.timed_out(short);
            if request.has_stale_answer() {
                return Err(timed_out);
            }
            let (next, end) = (tries.count + 1, request.waiters.deadline());
            tries.granted = tries.class.retry.wait(&timed_out, next, end);
            if tries.granted.is_some() {
                return Err(timed_out);
            }
        }
        loop {
            let deadline = request.waiters.deadline().min(limit);
            match deadline.timeout(&mut exchange).await {
                Some(result) => return result,
                None if request.waiters.deadline().min(limit) > deadline => {}
                None => return Err(self.timed_out(deadline.instant() - request.since)),
            }
        }
    }

    /// Sends the request as the span `span`; returns the status and the answer.
    async fn exchange(
        &self,
        client: &Client,
        request: FetchRequest<'_>,
        span: &Trace,
    ) -> Result<(u16, CachedBody)> {
        let FetchRequest { path, cached, .. } = request;
        let name = self.upstream.name;
        let http_request = client
            .get(format!("{}{path}", self.base))
            .header("accept", "application/json")
            .headers(span.headers());
        let sent = http_request.headers(conditions(cached)).send().await;
        let response = sent.map_err(|error| answer::transport(name, error))?;
        let status = response.status();
        if let Some(cached) = cached.filter(|_| status == StatusCode::NOT_MODIFIED) {
            return Ok((status.as_u16(), cached.renewed()));
        }
        let (etag, modified) = (header(&response, ETAG), header(&response, LAST_MODIFIED));
        let body = answer::body(name, response, self.max_bytes).await?;
        let policy = (self.upstream.cache)(path);
        Ok((
            status.as_u16(),
            CachedBody::new(body, etag, modified, policy, cached),
        ))
    }

    fn timed_out(&self, budget: Duration) -> Error {
        let problem = format!("did not answer within {} ms", budget.as_millis());
        Error::upstream(Kind::UpstreamTimeout, self.origin(), problem)
    }

    fn unavailable(&self, wait: Duration) -> Error {
        let problem = "failed repeatedly, so no request is sent to it for a moment";
        Error::upstream(Kind::UpstreamUnavailable, self.origin(), problem).retry_after(Some(wait))
    }

    fn limit_reached(&self, wait: Duration) -> Error {
        let problem = "has reached its request limit, and this call has no time left to wait";
        Error::upstream(Kind::RateLimited, self.origin(), problem).retry_after(Some(wait))
    }

    fn origin(&self) -> UpstreamStatus {
        UpstreamStatus {
            name: self.upstream.name,
            status: None,
        }
    }
}

impl FetchRequest<'_> {
    /// Whether a cached answer may be used if this request fails.
    fn has_stale_answer(&self) -> bool {
        self.cached.is_some_and(|cached| cached.may_be_used_stale())
    }
}

/// Whether this process refused the request before sending it.
pub(super) fn is_local_refusal(error: &Error) -> bool {
    let is_limit = error.kind() == Kind::RateLimited;
    let status = error.upstream_status().and_then(|origin| origin.status);
    error.kind() == Kind::UpstreamUnavailable || (is_limit && status.is_none())
}

/// Adds the number of tries to the last failure.
fn with_tries(error: Error, tries: u32) -> Error {
    match tries {
        0 | 1 => error.tries(tries),
        tries => error
            .with_context(format!(", tried {tries} times"))
            .tries(tries),
    }
}

/// The headers of a conditional request: the upstream sends a body only if its answer has changed.
fn conditions(cached: Option<&Arc<CachedBody>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(cached) = cached {
        headers.extend(cached.etag.clone().map(|it| (IF_NONE_MATCH, it)));
        headers.extend(cached.modified.clone().map(|it| (IF_MODIFIED_SINCE, it)));
    }
    headers
}

fn header(response: &Response, name: HeaderName) -> Option<HeaderValue> {
    response.headers().get(name).cloned()
}
