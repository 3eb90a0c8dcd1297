//! One upstream as it is asked: limits, tries, the breaker of each path class, and one request at a time.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;
use tracing::debug;

use super::answer;
use super::cache::CachedBody;
use super::class::{Class, Classes};
use super::limit::{Limiter, Permit};
use super::meter::Meter;
use super::policy::Upstream;
use super::retry;
use super::supply::Supply;
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result, UpstreamStatus};
use crate::telemetry::spans::{Exchange, Spans};
use crate::telemetry::trace::Trace;
use crate::upstream::flight::Until;

/// An upstream that was given less time than this has not failed when it did not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// One upstream with everything that is known of it while the process lives.
pub(super) struct Channel {
    upstream: Upstream,
    base: String,
    supply: Supply,
    spans: Arc<Spans>,
    /// The time of one request with all its tries.
    timeout: Duration,
    /// The time after which a try is given up, where another one is allowed.
    try_timeout: Duration,
    max_bytes: usize,
    classes: Classes,
    limiter: Option<Limiter>,
}

/// What is asked for, and by whom.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) path: &'a str,
    pub(super) kept: Option<&'a Arc<CachedBody>>,
    pub(super) until: &'a Until,
    /// When it began.
    pub(super) since: Instant,
    /// Whether it may have less time than others because its client said so.
    pub(super) is_hurried: bool,
    pub(super) meter: &'a Meter,
    /// The trace of the one who began it; of those who join later it can belong to none.
    pub(super) trace: &'a Trace,
}

/// The tries of one request so far.
struct Tries<'a> {
    class: &'a Class,
    count: u32,
    /// The wait before the next one, where that is granted already.
    granted: Option<Duration>,
}

impl Channel {
    pub(super) fn new(
        upstream: Upstream,
        base: String,
        supply: Supply,
        spans: Arc<Spans>,
        config: &Config,
    ) -> Channel {
        Channel {
            upstream,
            base,
            supply,
            spans,
            timeout: config.upstream_timeout,
            try_timeout: config.try_timeout(),
            max_bytes: config.max_upstream_bytes,
            classes: Classes::new(config.upstream_breaker, config.upstream_tries),
            limiter: config.upstream_limits.then(|| Limiter::new(&upstream)),
        }
    }

    /// A good answer, after as many tries as time, policy and budget allow for.
    pub(super) async fn fetch(&self, asking: Asking<'_>) -> Result<CachedBody> {
        let class = self.classes.get((self.upstream.class)(asking.path));
        class.retry.started();
        let mut last: Option<Error> = None;
        let mut tries = Tries {
            class: &class,
            count: 0,
            granted: None,
        };
        loop {
            let error = match (self.ask(asking, &mut tries).await, last) {
                (Ok(entry), _) => return Ok(entry),
                // What the upstream did says more than why it is not asked again.
                (Err(error), Some(last)) if is_own(&error) => {
                    return Err(tried(last, tries.count));
                }
                (Err(error), _) => error,
            };
            // What was refused here was not tried.
            if is_own(&error) {
                return Err(tried(error, tries.count));
            }
            tries.count += 1;
            let count = tries.count;
            debug!(upstream = self.upstream.name, tries = count, inside = ?error, "an upstream request failed");
            // An old answer that may stand in is worth more now than a new one later.
            if asking.may_stand_in() {
                return Err(tried(error, count));
            }
            let deadline = asking.until.deadline();
            let wait = tries
                .granted
                .take()
                .or_else(|| class.retry.wait(&error, count, deadline));
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(tried(error, count)),
            }
            last = Some(error);
        }
    }

    /// One request, once it is its turn.
    async fn ask(&self, asking: Asking<'_>, tries: &mut Tries<'_>) -> Result<CachedBody> {
        let until = asking.until;
        let breaker = &tries.class.breaker;
        breaker.check().map_err(|wait| self.unavailable(wait))?;
        let permit = self.turn(until).await?;
        // Others may have found out, while this one waited, that the upstream is down.
        let (admission, _permit) = match breaker.admit() {
            Ok(admission) => (admission, permit),
            Err(wait) => {
                if let Some(permit) = permit {
                    permit.unused();
                }
                return Err(self.unavailable(wait));
            }
        };
        let client = self.supply.client(until.deadline()).await?;
        asking.meter.called();
        let (since, place) = (Instant::now(), asking.trace.child());
        let result = self
            .in_time(self.exchange(&client, asking, &place), asking, tries)
            .await;
        let duration = since.elapsed();
        let failure = result.as_ref().err();
        self.spans.exchange(Exchange {
            upstream: self.upstream.name,
            place: &place,
            duration,
            status: match &result {
                Ok(answered) => Some(answered.0),
                Err(error) => error.upstream_status().and_then(|it| it.status),
            },
            error: failure.map(|it| it.kind().as_str()),
        });
        let had = |time: Duration| duration >= self.timeout.min(time);
        match &result {
            Err(error) if error.kind() == Kind::RateLimited => {}
            // A caller in a hurry says nothing of the upstream.
            Err(error) if error.kind() == Kind::UpstreamTimeout && !had(PATIENCE) => {}
            Err(error) if retry::is_transient(error) || error.is_server_failure() => {
                if error.is_unreachable() {
                    self.supply.replace(&client);
                }
                // Nor does a client that may have chosen how little time there is, however often it calls.
                let is_cut_short = asking.is_hurried && !had(self.try_timeout);
                if error.kind() != Kind::UpstreamTimeout || !is_cut_short {
                    admission.failed();
                }
            }
            _ => admission.succeeded(),
        }
        result.map(|answered| answered.1)
    }

    /// Waits for the turn of one request, for as long as anybody waits for its answer.
    async fn turn(&self, until: &Until) -> Result<Option<Permit>> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        let permit = limiter.acquire(until).await;
        permit.map(Some).map_err(|busy| self.too_busy(busy.wait))
    }

    /// Gives one try its time, and more of it when somebody joins who has more, or where no other try may follow.
    async fn in_time<T>(
        &self,
        exchange: impl Future<Output = Result<T>>,
        asking: Asking<'_>,
        tries: &mut Tries<'_>,
    ) -> Result<T> {
        tokio::pin!(exchange);
        let short = self.try_timeout;
        // However many join: a request that gets no answer in the longer time gets none.
        let (early, limit) = (Deadline::after(short), Deadline::after(self.timeout));
        if early < asking.until.deadline() {
            if let Some(result) = early.timeout(&mut exchange).await {
                return result;
            }
            let late = self.late(short);
            if asking.may_stand_in() {
                return Err(late);
            }
            let (next, end) = (tries.count + 1, asking.until.deadline());
            tries.granted = tries.class.retry.wait(&late, next, end);
            if tries.granted.is_some() {
                return Err(late);
            }
        }
        loop {
            let deadline = asking.until.deadline().min(limit);
            match deadline.timeout(&mut exchange).await {
                Some(result) => return result,
                None if asking.until.deadline().min(limit) > deadline => {}
                None => return Err(self.late(deadline.instant() - asking.since)),
            }
        }
    }

    /// The status and the answer to a request that stands at `place` in its trace.
    async fn exchange(
        &self,
        client: &Client,
        asking: Asking<'_>,
        place: &Trace,
    ) -> Result<(u16, CachedBody)> {
        let Asking { path, kept, .. } = asking;
        let name = self.upstream.name;
        let request = client
            .get(format!("{}{path}", self.base))
            .header("accept", "application/json")
            .headers(place.headers());
        let sent = request.headers(conditions(kept)).send().await;
        let response = sent.map_err(|error| answer::transport(name, error))?;
        let status = response.status();
        if let Some(kept) = kept.filter(|_| status == StatusCode::NOT_MODIFIED) {
            return Ok((status.as_u16(), kept.renewed()));
        }
        let (etag, modified) = (header(&response, ETAG), header(&response, LAST_MODIFIED));
        let body = answer::body(name, response, self.max_bytes).await?;
        let keep = (self.upstream.keep)(path);
        Ok((
            status.as_u16(),
            CachedBody::new(body, etag, modified, keep, kept),
        ))
    }

    fn late(&self, budget: Duration) -> Error {
        let problem = format!("did not answer within {} ms", budget.as_millis());
        Error::upstream(Kind::UpstreamTimeout, self.origin(), problem)
    }

    fn unavailable(&self, wait: Duration) -> Error {
        let problem = "has failed again and again and is left alone for a moment";
        Error::upstream(Kind::UpstreamUnavailable, self.origin(), problem).retry_after(Some(wait))
    }

    fn too_busy(&self, wait: Duration) -> Error {
        let problem = "is asked as often as it may be, and this call cannot wait for its turn";
        Error::upstream(Kind::RateLimited, self.origin(), problem).retry_after(Some(wait))
    }

    fn origin(&self) -> UpstreamStatus {
        UpstreamStatus {
            name: self.upstream.name,
            status: None,
        }
    }
}

impl Asking<'_> {
    /// Whether an old answer may take the place of one that does not come.
    fn may_stand_in(&self) -> bool {
        self.kept.is_some_and(|kept| kept.may_stand_in())
    }
}

/// Whether the failure is a refusal of this side, before anything was sent.
pub(super) fn is_own(error: &Error) -> bool {
    let is_limit = error.kind() == Kind::RateLimited;
    let status = error.upstream_status().and_then(|origin| origin.status);
    error.kind() == Kind::UpstreamUnavailable || (is_limit && status.is_none())
}

/// The last failure, which says how many there were.
fn tried(error: Error, tries: u32) -> Error {
    match tries {
        0 | 1 => error.tries(tries),
        tries => error
            .with_context(format!(", tried {tries} times"))
            .tries(tries),
    }
}

/// What asks the upstream for its answer only if it is another one than what is kept.
fn conditions(kept: Option<&Arc<CachedBody>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(kept) = kept {
        headers.extend(kept.etag.clone().map(|it| (IF_NONE_MATCH, it)));
        headers.extend(kept.modified.clone().map(|it| (IF_MODIFIED_SINCE, it)));
    }
    headers
}

fn header(response: &Response, name: HeaderName) -> Option<HeaderValue> {
    response.headers().get(name).cloned()
}
