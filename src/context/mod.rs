//! The context of a call: upstreams, the clock, the deadline, the client, the application's own state.

mod access;
pub(crate) mod answered;
mod budget;
mod call;
pub(crate) mod cipher;
pub(crate) mod client;
pub(crate) mod encode;
pub(crate) mod escape;
mod extract;
mod input;
mod nested;
pub(crate) mod once;
mod page;
pub(crate) mod request_log;
mod scope;
mod services;
pub(crate) mod updates;
mod upstream_request;

use std::any::Any;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::auth::Principal;
use crate::clock::{Countdown, Deadline, Timestamp};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::body::Limits;
use crate::http::buffers::Buffers;
use crate::telemetry::spans::Spans;
use crate::telemetry::trace::Trace;
use crate::upstream::{Caller, Freshness, Meter, Upstream};

pub(crate) use budget::Reservation;
pub(crate) use budget::{Budget, BudgetRef};
pub(crate) use call::Call;
use client::Client;
pub use client::{Elicited, Level, Root, Sampled, Sampling};
use once::OnceKey;
pub use page::Page;
use scope::Scope;
pub(crate) use scope::{Form, Protocol};
pub use services::Process;
pub(crate) use services::{MountStates, Services};
pub use updates::{Topic, Update};
pub use upstream_request::{UpstreamClient, UpstreamRequest};

/// What a function may use while it answers one call. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    services: Arc<Services>,
    call: Arc<Call>,
    client: Option<Arc<Client>>,
    /// The deadline of a sequence of upstream requests.
    sequence: Option<Deadline>,
    /// The page that the call asks for.
    page: Option<Arc<Page>>,
    /// The key under which the call is made once.
    once: Option<OnceKey>,
    scope: Scope,
}

impl Context {
    /// The context of one call.
    pub(crate) fn new(services: Arc<Services>, call: Arc<Call>) -> Context {
        Context {
            services,
            call,
            client: None,
            sequence: None,
            page: None,
            once: None,
            scope: Scope::ROOT,
        }
    }

    /// Whether a string argument is parsed as JSON where the schema allows no string.
    pub(crate) fn reads_texts(&self) -> bool {
        self.scope.protocol == Some(Protocol::Mcp)
    }

    /// The context that was put into the extensions of `request`.
    pub(crate) fn of<B>(request: &::http::Request<B>) -> Context {
        let context = request.extensions().get::<Context>();
        context
            .expect("a request is served with its context")
            .clone()
    }

    /// The same call, with a client that gets its messages.
    pub(crate) fn with_client(self, client: Arc<Client>) -> Context {
        let client = Some(client);
        Context { client, ..self }
    }

    /// Sets the trace that the message of the call names.
    pub(crate) fn set_trace(&self, trace: Trace) {
        // One request is one message, so the trace is set only once.
        let _ = self.call.named.set(trace);
    }

    /// Gives the call the deadline of a streamed response.
    pub(crate) fn start_stream(&self) {
        if let Some(end) = self.call.stream_end {
            self.call.countdown.end_by(end);
        }
    }

    /// A context for one part of this call. It ends at `deadline` or with the call, whichever is first. Its costs and the
    /// freshness of its data count for both, and its messages reach no client.
    pub fn part(&self, deadline: Deadline) -> Context {
        let call = Call {
            id: self.call.id.clone(),
            invocation: self.call.invocation.clone(),
            trace: self.call.trace().clone(),
            named: OnceLock::new(),
            countdown: Countdown::new(deadline.min(self.deadline()), None),
            stream_end: None,
            meter: Arc::new(Meter::part(self.call.meter.clone())),
            budget: BudgetRef::Parent(self.call.whole()),
            principal: self.call.principal.clone(),
            checked: self.call.checked.clone(),
            is_trusted: self.call.is_trusted,
            denial: OnceLock::new(),
            quota: OnceLock::new(),
            peer: self.call.peer,
            registry: self.call.registry.clone(),
            is_part: true,
            is_whole: self.call.is_whole,
        };
        Context {
            page: self.page.clone(),
            scope: self.scope,
            ..Context::new(self.services.clone(), Arc::new(call))
        }
    }

    /// A context for a sequence of upstream requests: together they have little more time than a single request
    /// ([`Config::sequence_timeout`]), counted from now.
    ///
    /// ```
    /// # use bifold::{Context, Result, upstream::Upstream};
    /// # async fn pages(cx: Context, upstream: &Upstream) -> Result<()> {
    /// let cx = cx.in_sequence();
    /// let first: Vec<String> = cx.get_json(upstream, "/pages/1").await?;
    /// let second: Vec<String> = cx.get_json(upstream, "/pages/2").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_sequence(&self) -> Context {
        let end = Deadline::after(self.config().sequence_timeout());
        Context {
            sequence: Some(self.sequence.map_or(end, |it| it.min(end))),
            ..self.clone()
        }
    }

    /// Whether the client gets the response only when it is complete.
    pub(crate) fn is_whole(&self) -> bool {
        self.call.is_whole
    }

    /// A context for another request of the same client, with its own id, deadline and costs.
    pub(crate) fn for_new_request(&self) -> Context {
        let limit = self.services.config.call_timeout;
        let call = Call {
            id: format!("{:032x}", fastrand::u128(..)),
            invocation: None,
            trace: Trace::from_headers(&HeaderMap::new(), None),
            named: OnceLock::new(),
            countdown: Countdown::new(Deadline::after(limit), None),
            stream_end: None,
            meter: Arc::new(Meter::default()),
            budget: BudgetRef::Own(Budget::new(self.services.config.max_response_bytes, false)),
            principal: self.call.principal.clone(),
            checked: self.call.checked.clone(),
            is_trusted: self.call.is_trusted,
            denial: OnceLock::new(),
            quota: OnceLock::new(),
            peer: self.call.peer,
            registry: OnceLock::new(),
            is_part: false,
            is_whole: false,
        };
        Context::new(self.services.clone(), Arc::new(call))
    }

    /// Remembers the registry of the call, unless one is known already: a request ends with the one it began with.
    pub(crate) fn keep_registry<T: Send + Sync + 'static>(
        &self,
        registry: impl FnOnce() -> Arc<T>,
    ) {
        self.call.registry.get_or_init(|| registry());
    }

    /// The registry that the call began with.
    pub(crate) fn registry(&self) -> Option<&Arc<dyn Any + Send + Sync>> {
        self.call.registry.get()
    }

    /// Whether this is the context of a part of a call.
    pub fn is_part(&self) -> bool {
        self.call.is_part
    }

    /// Begins requests to an upstream, within the call's deadline.
    ///
    /// ```
    /// # use bifold::{Context, Result, upstream::Upstream};
    /// # async fn items(cx: Context, api: &Upstream, id: &str, tags: &[&str]) -> Result<Vec<String>> {
    /// cx.upstream(api)
    ///     .get("/v1/{id}/items")
    ///     .path("id", id)
    ///     .query("tag", tags)
    ///     .header("accept-language", "de")
    ///     .json()
    ///     .await
    /// # }
    /// ```
    pub fn upstream(&self, upstream: &Upstream) -> UpstreamClient {
        UpstreamClient::new(self.clone(), upstream)
    }

    /// Requests the JSON at `path` (with its query) from an upstream, within the call's deadline: the short form of
    /// [`Context::upstream`], for a path that has no values of a caller.
    ///
    /// # Errors
    /// `NotFound` for HTTP 404, an upstream kind for every other failure.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
    ) -> Result<T> {
        let upstreams = &self.services.upstreams;
        upstreams.get_json(upstream, path, self.caller()).await
    }

    /// On whose behalf an upstream request is sent.
    fn caller(&self) -> Caller<'_> {
        let deadline = self.deadline();
        Caller {
            deadline: self.sequence.map_or(deadline, |it| it.min(deadline)),
            meter: &self.call.meter,
            trace: self.call.trace(),
            principal: self.principal().map(Principal::id),
            network: self.call.peer.map(network),
            has_client_deadline: self.call.is_part,
        }
    }

    /// The freshness of the upstream data that the call has used so far.
    pub fn freshness(&self) -> Option<Freshness> {
        self.call.meter.freshness()
    }

    /// Marks the answer as incomplete: then no client may cache it, and the access line says so.
    pub fn mark_partial(&self) {
        self.call.meter.mark_partial();
    }

    /// Removes all cached upstream answers that this call used, because their content is invalid.
    pub fn invalidate_cache(&self) {
        self.services.upstreams.invalidate(&self.call.meter);
    }

    /// Notifies all clients that are subscribed at this process of a change. A topic that the server does not announce
    /// ([`Server::announces`](crate::Server::announces)) is ignored.
    pub fn announce(&self, update: Update) {
        if self.services.updates.has(update.topic()) {
            self.services.updates.publish(update);
        }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.services.config.clock.now()
    }

    /// The limits for reading the body of the request.
    pub(crate) fn body_limits(&self) -> Limits {
        Limits {
            bytes: self.config().max_request_bytes,
            deadline: self.deadline(),
            held: self.buffers().hold(),
        }
    }

    /// When the response must be ready. The time in which the function waits for its client's answer does not count.
    pub fn deadline(&self) -> Deadline {
        self.call.countdown.deadline()
    }

    /// Runs `future` until the deadline; `None` once it has passed. Without time left, the future is not polled at all.
    pub async fn timeout<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.deadline().remaining().is_zero() {
            return None;
        }
        self.call.countdown.timeout(future).await
    }

    /// The address of the client, where the transport knows it.
    pub fn peer(&self) -> Option<IpAddr> {
        self.call.peer
    }

    /// The id in the log and in `x-request-id`.
    pub fn request_id(&self) -> &str {
        &self.call.id
    }

    /// The platform's own id of the invocation.
    pub fn invocation_id(&self) -> Option<&str> {
        self.call.invocation.as_deref()
    }

    /// The trace that the call belongs to.
    pub(crate) fn trace(&self) -> &Trace {
        self.call.trace()
    }

    /// The upstream requests of the call so far, and their cost.
    pub(crate) fn meter(&self) -> &Meter {
        &self.call.meter
    }

    /// Counts a request to a mounted server until what is returned is dropped.
    pub(crate) fn measure_mount(&self, mount: &Arc<str>) -> impl Drop + '_ {
        self.call.meter.measure_mount(mount)
    }

    /// The exporter of spans.
    pub(crate) fn spans(&self) -> &Spans {
        self.services.upstreams.spans()
    }

    /// The value of a setting that the application declares with [`Server::setting`](crate::Server::setting), from the
    /// environment or its default. Empty where the setting does not exist.
    pub fn setting(&self, name: &str) -> &str {
        self.services.config.setting(&self.services.settings, name)
    }

    /// The switches that the application declares, each with its value.
    pub(crate) fn switches(&self) -> impl Iterator<Item = (String, bool)> {
        let switches = self.services.settings.iter().filter(|it| it.is_switch());
        switches.map(|it| (it.option(), self.setting(it.name()) == "true"))
    }

    /// The state of each mounted server, by its name, if there are any.
    pub(crate) fn mounts(&self) -> Option<Vec<(String, &'static str)>> {
        self.services.mounts.as_ref().map(|it| it())
    }

    /// The settings of the process.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The buffers for what clients send.
    pub(crate) fn buffers(&self) -> &Buffers {
        &self.services.buffers
    }

    /// The start time and the request count of this process.
    pub fn process(&self) -> &Process {
        &self.services.process
    }

    /// The application's value of type `T`.
    ///
    /// # Errors
    /// `Internal` where the application was built without one.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<&T> {
        let missing = || {
            Error::internal(format!(
                "no state of type `{}` was registered",
                std::any::type_name::<T>()
            ))
        };
        self.services.state.get().ok_or_else(missing)
    }
}

/// The network of one client: an IPv4 address, or the /64 prefix of an IPv6 address.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}
