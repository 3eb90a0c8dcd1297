//! What a function may use: upstreams, the clock, its deadline, its client, the application's own state.

mod budget;
mod call;
pub(crate) mod client;
mod encode;
mod input;
mod nested;
mod position;
pub(crate) mod request_log;
mod services;
pub(crate) mod updates;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::clock::{Countdown, Deadline, Timestamp};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::body::Limits;
use crate::http::buffers::Buffers;
use crate::telemetry::spans::Spans;
use crate::telemetry::trace::Trace;
use crate::upstream::{Caller, Freshness, Meter, Upstream};

pub(crate) use budget::Hold;
pub(crate) use budget::{Allowance, Budget};
pub(crate) use call::Call;
use client::Client;
pub use client::{Elicited, Level, Root, Sampled, Sampling};
use position::Position;
pub(crate) use position::{Form, Protocol};
pub use services::Process;
pub(crate) use services::Services;
pub use updates::{Topic, Update};

/// What a function may use while it answers one call. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    services: Arc<Services>,
    call: Arc<Call>,
    client: Option<Arc<Client>>,
    /// When the upstream requests that follow one another must have ended.
    sequence: Option<Deadline>,
    position: Position,
}

impl Context {
    /// The context of one call.
    pub(crate) fn new(services: Arc<Services>, call: Arc<Call>) -> Context {
        Context {
            services,
            call,
            client: None,
            sequence: None,
            position: Position::ALONE,
        }
    }

    /// Whether a text in its arguments is read as the JSON in it, where no text is wanted.
    pub(crate) fn reads_texts(&self) -> bool {
        self.position.protocol == Some(Protocol::Mcp)
    }

    /// The context that was put into the extensions of `request`.
    pub(crate) fn of<B>(request: &::http::Request<B>) -> Context {
        let context = request.extensions().get::<Context>();
        context
            .expect("a request is served with its context")
            .clone()
    }

    /// The same call for a function whose client hears what it says.
    pub(crate) fn heard_by(self, client: Arc<Client>) -> Context {
        let client = Some(client);
        Context { client, ..self }
    }

    /// The message of the call names the trace that it belongs to.
    pub(crate) fn belongs_to(&self, trace: Trace) {
        // One request is one message, so there is no second one to lose.
        let _ = self.call.named.set(trace);
    }

    /// It goes on with what that one began.
    pub(crate) fn on_behalf_of(&self, principal: Option<String>) {
        if let Some(principal) = principal {
            // Where this integration knows who calls, that stays.
            let _ = self.call.principal.set(principal);
        }
    }

    /// The answer has become a stream.
    pub(crate) fn streams(&self) {
        if let Some(end) = self.call.stream_end {
            self.call.countdown.end_by(end);
        }
    }

    /// A context for one part of this call: it ends at `deadline`, at the latest with the call, what it costs and how
    /// fresh its data is counts for both, and no client hears what it says.
    pub fn part(&self, deadline: Deadline) -> Context {
        let call = Call {
            id: self.call.id.clone(),
            invocation: self.call.invocation.clone(),
            trace: self.call.trace().clone(),
            named: OnceLock::new(),
            countdown: Countdown::new(deadline.min(self.deadline()), None),
            stream_end: None,
            meter: Arc::new(Meter::part(self.call.meter.clone())),
            allowance: Allowance::Of(self.call.whole()),
            principal: self.call.principal.clone(),
            peer: self.call.peer,
            is_part: true,
            is_whole: self.call.is_whole,
        };
        Context {
            position: self.position,
            ..Context::new(self.services.clone(), Arc::new(call))
        }
    }

    /// The same call for upstream requests that follow one another: from now on, together, they have little more time than
    /// a single one ([`Config::sequence_timeout`]).
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

    /// Whether the answer reaches the client only once it is whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.call.is_whole
    }

    /// A context for another request of the same client, with an id, a deadline and costs of its own.
    pub(crate) fn another(&self) -> Context {
        let limit = self.services.config.call_timeout;
        let call = Call {
            id: format!("{:032x}", fastrand::u128(..)),
            invocation: None,
            trace: Trace::of(&HeaderMap::new(), None),
            named: OnceLock::new(),
            countdown: Countdown::new(Deadline::after(limit), None),
            stream_end: None,
            meter: Arc::new(Meter::default()),
            allowance: Allowance::Own(Budget::new(self.services.config.max_response_bytes, false)),
            principal: self.call.principal.clone(),
            peer: self.call.peer,
            is_part: false,
            is_whole: false,
        };
        Context::new(self.services.clone(), Arc::new(call))
    }

    /// Whether this is the context of a part of a call.
    pub fn is_part(&self) -> bool {
        self.call.is_part
    }

    /// Asks an upstream for the JSON at `path` (with its query), within the call's deadline.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
    ) -> Result<T> {
        let deadline = self.deadline();
        let caller = Caller {
            deadline: self.sequence.map_or(deadline, |it| it.min(deadline)),
            meter: &self.call.meter,
            trace: self.call.trace(),
            principal: self.principal(),
            network: self.call.peer.map(network),
            is_hurried: self.call.is_part,
        };
        self.services
            .upstreams
            .get_json(upstream, path, caller)
            .await
    }

    /// How fresh the data is that the call has got from upstreams so far.
    pub fn freshness(&self) -> Option<Freshness> {
        self.call.meter.freshness()
    }

    /// Says that the answer lacks a part: then nobody keeps it, and the log tells.
    pub fn lost(&self) {
        self.call.meter.lost();
    }

    /// Drops what was kept of all that this call asked of upstreams, because it cannot be.
    pub fn distrust(&self) {
        self.services.upstreams.distrust(&self.call.meter);
    }

    /// Tells all clients that listen to this process of a change, of a topic that the server announces
    /// ([`Server::announces`](crate::Server::announces)); other topics are passed over.
    pub fn announce(&self, update: Update) {
        if self.services.updates.has(update.topic()) {
            self.services.updates.tell(update);
        }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.services.config.clock.now()
    }

    /// What the body of the request may take.
    pub(crate) fn body_limits(&self) -> Limits {
        Limits {
            bytes: self.config().max_request_bytes,
            deadline: self.deadline(),
            held: self.buffers().hold(),
        }
    }

    /// When the answer must be ready; later, once a client was asked in between.
    pub fn deadline(&self) -> Deadline {
        self.call.countdown.deadline()
    }

    /// Runs `future` until the deadline; `None` once it has passed. What has no time is not begun.
    pub async fn timeout<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.deadline().remaining().is_zero() {
            return None;
        }
        self.call.countdown.timeout(future).await
    }

    /// Who calls, where the integration knows: an identity that it has checked.
    pub fn principal(&self) -> Option<&str> {
        self.call.principal.get().map(String::as_str)
    }

    /// For whom records are kept that a call leaves behind: who calls, or else the network that it comes from.
    pub(crate) fn holder(&self) -> Option<String> {
        let peer = || self.call.peer.map(|it| network(it).to_string());
        self.call.principal.get().cloned().or_else(peer)
    }

    /// The id in the log and in `x-request-id`.
    pub fn request_id(&self) -> &str {
        &self.call.id
    }

    /// The platform's own id of the request.
    pub fn invocation_id(&self) -> Option<&str> {
        self.call.invocation.as_deref()
    }

    /// The trace that the call belongs to.
    pub(crate) fn trace(&self) -> &Trace {
        self.call.trace()
    }

    /// What the call cost upstream so far.
    pub(crate) fn meter(&self) -> &Meter {
        &self.call.meter
    }

    /// Where the spans of the process go.
    pub(crate) fn spans(&self) -> &Spans {
        self.services.upstreams.spans()
    }

    /// The value of a setting that the application declares with [`Server::setting`](crate::Server::setting): that of
    /// the environment, or else its default. Empty where there is no such setting.
    pub fn setting(&self, name: &str) -> &str {
        self.services.config.setting(&self.services.settings, name)
    }

    /// The switches that the application declares, each with its value.
    pub(crate) fn switches(&self) -> impl Iterator<Item = (String, bool)> {
        let switches = self.services.settings.iter().filter(|it| it.is_switch());
        switches.map(|it| (it.option(), self.setting(it.name()) == "true"))
    }

    /// The settings of the process.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The room for what requests bring.
    pub(crate) fn buffers(&self) -> &Buffers {
        &self.services.buffers
    }

    /// The life of this process.
    pub fn process(&self) -> &Process {
        &self.services.process
    }

    /// The value of type `T` that the application was built with.
    ///
    /// # Errors
    /// `Internal` where there is none.
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

/// What one client has for itself: an IPv4 address, or the /64 prefix of an IPv6 address.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}
