//! The request path of one upstream: limits, tries, and a circuit breaker for each path class.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};

use super::answer;
use super::cache::CachedBody;
use super::class::{Class, Classes};
use super::credentials::{Authorizer, Credential};
use super::declaration::Upstream;
use super::exchange::{Base, Received, Want};
use super::limit::{Limiter, Permit};
use super::meter::Meter;
use super::outgoing::Outgoing;
use super::retry;
use super::shared_client::SharedClient;
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::telemetry::spans::{Exchange, Spans};
use crate::telemetry::trace::Trace;
use crate::upstream::single_flight::Waiters;

/// A timeout after less than this does not count as a failure of the upstream.
const MIN_TIMEOUT_EVIDENCE: Duration = Duration::from_secs(1);

/// One upstream with its state in this process.
pub(super) struct Channel {
    pub(super) upstream: Upstream,
    pub(super) base: Base,
    pub(super) authorizer: Option<Authorizer>,
    pub(super) max_bytes: usize,
    shared_client: SharedClient,
    spans: Arc<Spans>,
    /// The time limit of one request with all its tries.
    timeout: Duration,
    /// The time limit of one try, if another try is allowed.
    try_timeout: Duration,
    classes: Classes,
    pub(super) limiter: Option<Limiter>,
    /// The writes that have ended; a response from before the last one is not cached.
    writes: AtomicU64,
}

/// One request, and the caller that started it.
#[derive(Clone, Copy)]
pub(super) struct FetchRequest<'a> {
    pub(super) outgoing: &'a Outgoing,
    pub(super) want: Want<'a>,
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
    /// Whether the credentials were read again after the upstream had refused them.
    has_new_credential: bool,
}

impl Channel {
    pub(super) fn new(
        upstream: Upstream,
        base: String,
        authorizer: Option<Authorizer>,
        shared_client: SharedClient,
        spans: Arc<Spans>,
        config: &Config,
    ) -> Channel {
        Channel {
            base: Base::new(base),
            authorizer,
            max_bytes: upstream.max_bytes.unwrap_or(config.max_upstream_bytes),
            shared_client,
            spans,
            timeout: config.upstream_timeout,
            try_timeout: config.try_timeout(),
            classes: Classes::new(config.upstream_breaker, config.upstream_tries),
            limiter: config.upstream_limits.then(|| Limiter::new(&upstream)),
            writes: AtomicU64::new(0),
            upstream,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.upstream.name
    }

    /// The number of writes that have ended.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// Counts a write that has ended.
    pub(super) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns a good answer after as many tries as time, policy and retry budget allow.
    pub(super) async fn fetch(&self, request: FetchRequest<'_>) -> Result<Received> {
        let target = &request.outgoing.target;
        let class = self.classes.get(&self.upstream.class.class(target));
        class.retry.count_request();
        let mut last: Option<Error> = None;
        let mut tries = Tries {
            class,
            count: 0,
            granted: None,
            has_new_credential: false,
        };
        loop {
            let error = match (self.send(request, &mut tries).await, last) {
                (Ok(received), _) => return Ok(received),
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
            debug!(upstream = self.name(), tries = count, inside = ?error, "an upstream request failed");
            // A stale answer now is better than a fresh one later.
            if request.has_stale_answer() {
                return Err(with_tries(error, count));
            }
            let wait = tries
                .granted
                .take()
                .or_else(|| self.wait(request, class, &error, count));
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(with_tries(error, count)),
            }
            last = Some(error);
        }
    }

    /// The wait before the next try; `None` if there is none.
    fn wait(
        &self,
        request: FetchRequest<'_>,
        class: &Class,
        error: &Error,
        count: u32,
    ) -> Option<Duration> {
        // A write that failed may have been carried out.
        let is_repeatable = request.outgoing.is_repeatable();
        is_repeatable
            .then(|| class.retry.wait(error, count, request.waiters.deadline()))
            .flatten()
    }

    /// Sends one try when the limits allow it; a second time where the upstream did not accept the credentials and there
    /// are other ones.
    async fn send(&self, request: FetchRequest<'_>, tries: &mut Tries<'_>) -> Result<Received> {
        tries
            .class
            .breaker
            .check()
            .map_err(|wait| self.unavailable(wait))?;
        let Some(authorizer) = &self.authorizer else {
            return self.send_with(request, None, tries).await;
        };
        loop {
            let credential = authorizer.credential(request.waiters.deadline()).await?;
            let sent = self.send_with(request, Some(&credential), tries).await;
            let is_refused = sent.as_ref().is_err_and(is_unauthorized);
            if !is_refused || tries.has_new_credential || !authorizer.drop_refused(&credential) {
                return sent;
            }
            tries.has_new_credential = true;
        }
    }

    async fn send_with(
        &self,
        request: FetchRequest<'_>,
        credential: Option<&Arc<Credential>>,
        tries: &mut Tries<'_>,
    ) -> Result<Received> {
        let waiters = request.waiters;
        let breaker = &tries.class.breaker;
        let permit = self.acquire(waiters).await?;
        // While this request waited, another one may have opened the breaker.
        let (admission, permit) = match breaker.admit() {
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
            debug_span!(target: "bifold::upstream", "upstream", upstream = &*self.upstream.name);
        let exchange = self
            .exchange(&client, request, credential, &span)
            .instrument(logged);
        let result = self.limit_time(exchange, request, tries).await;
        let duration = since.elapsed();
        let failure = result.as_ref().err();
        self.spans.exchange(Exchange {
            upstream: self.name(),
            method: request.outgoing.method.as_str(),
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
        // A response that is still read counts as a request in flight.
        result.map(|(_, received)| received.with_permit(permit))
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
            tries.granted = self.wait(request, tries.class, &timed_out, tries.count + 1);
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

    pub(super) fn timed_out(&self, budget: Duration) -> Error {
        let problem = format!("did not answer within {} ms", budget.as_millis());
        let origin = answer::origin(self.name(), None);
        Error::upstream(Kind::UpstreamTimeout, origin, problem)
    }

    fn unavailable(&self, wait: Duration) -> Error {
        let problem = "failed repeatedly, so no request is sent to it for a moment";
        let origin = answer::origin(self.name(), None);
        Error::upstream(Kind::UpstreamUnavailable, origin, problem).retry_after(Some(wait))
    }

    fn limit_reached(&self, wait: Duration) -> Error {
        let problem = "has reached its request limit, and this call has no time left to wait";
        let origin = answer::origin(self.name(), None);
        Error::upstream(Kind::RateLimited, origin, problem).retry_after(Some(wait))
    }
}

impl FetchRequest<'_> {
    /// The cached answer that the request renews.
    pub(super) fn cached(&self) -> Option<&Arc<CachedBody>> {
        match self.want {
            Want::Entry(cached) => cached,
            Want::Whole | Want::Stream => None,
        }
    }

    /// Whether a cached answer may be used if this request fails.
    fn has_stale_answer(&self) -> bool {
        self.cached()
            .is_some_and(|cached| cached.may_be_used_stale())
    }
}

/// Whether the upstream itself did not accept the credentials.
fn is_unauthorized(error: &Error) -> bool {
    error
        .upstream_response()
        .is_some_and(|it| it.status() == http::StatusCode::UNAUTHORIZED)
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
