//! Who asks: what the client of one request can do, and how it is told and asked while its call runs.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::Endpoint;
use super::conversation::Asking;
use super::fault::Fault;
use super::id::is_id;
use super::message::Request;
use super::notify::Reporter;
use super::rounds::{self, Rounds};
use super::version::Version;
use crate::capability::{Capabilities, Capability};
use crate::client::{Client, Level};
use crate::context::Context;

/// A client that hears what a function says, or can be asked.
pub(super) struct Peer {
    pub(super) client: Arc<Client>,
    pub(super) asking: Asking,
    /// By which it is told how far its call is.
    pub(super) reporter: Option<Reporter>,
    /// Whether it takes a stream of events for an answer.
    pub(super) takes_events: bool,
}

/// What a client wishes to hear of its call.
#[derive(Default)]
struct Wishes {
    token: Option<Box<RawValue>>,
    level: Option<Level>,
}

impl Peer {
    /// A client of 2026, which says with each request what it can do; `None` where it neither hears nor is asked.
    ///
    /// # Errors
    /// It wishes for a level that there is not, or brings answers that cannot be read.
    pub(super) fn modern(
        endpoint: &Endpoint,
        request: &Request<'_>,
        declared: &RawValue,
        cx: &Context,
    ) -> Result<Option<Peer>, Fault> {
        let takes_events = request.takes_events;
        let wishes = Wishes::of(request)?;
        let wishes = if takes_events {
            wishes
        } else {
            Wishes::default()
        };
        let capabilities = Capabilities::declared(declared.get());
        let hears = wishes.token.is_some() || wishes.level.is_some();
        if !hears && capabilities == Capabilities::default() && !rounds::is_later(request) {
            return Ok(None);
        }
        let server = endpoint.payloads.server();
        let rounds = Rounds::read(&endpoint.seal, server, request, cx)?;
        Ok(Some(Peer {
            client: wishes.client(capabilities),
            asking: Asking::Rounds(Box::new(rounds)),
            reporter: wishes.token.map(Reporter::new),
            takes_events,
        }))
    }

    /// A client of before, which said what it can do when it opened a session that nobody kept: whatever its revision
    /// knows is tried. `None` where there is no stream on which it could hear anything.
    pub(super) fn legacy(
        endpoint: &Endpoint,
        version: Version,
        request: &Request<'_>,
        cx: &Context,
    ) -> Result<Option<Peer>, Fault> {
        if !request.takes_events {
            return Ok(None);
        }
        let token = Wishes::of(request)?.token;
        let wishes = Wishes {
            token,
            // What it set with `logging/setLevel` nobody kept either, so the level is the server's choice.
            level: Some(Level::Info),
        };
        Ok(Some(Peer {
            client: wishes.client(match cx.is_whole() {
                // It would read the question when there is nobody left to answer.
                true => Capabilities::default(),
                false => capabilities(version),
            }),
            asking: Asking::Live(endpoint.mailbox.held_by(cx.holder())),
            reporter: wishes.token.map(Reporter::new),
            takes_events: true,
        }))
    }
}

impl Wishes {
    fn of(request: &Request<'_>) -> Result<Wishes, Fault> {
        let meta = &request.meta;
        let level = meta
            .level
            .map(|level| read_level(level.get()))
            .transpose()?;
        let token = meta.token.filter(|token| is_id(token));
        Ok(Wishes {
            token: token.map(ToOwned::to_owned),
            level,
        })
    }

    fn client(&self, capabilities: Capabilities) -> Arc<Client> {
        // A task shows how far it is to whoever looks at it.
        let wants_progress = self.token.is_some() || capabilities.has(Capability::Tasks);
        Arc::new(Client::new(capabilities, wants_progress, self.level))
    }
}

/// A level as JSON.
pub(super) fn read_level(json: &str) -> Result<Level, Fault> {
    serde_json::from_str(json).map_err(|_| {
        Fault::invalid_params(
            "a log level is one of debug, info, notice, warning, error, critical, alert, emergency",
        )
    })
}

/// What clients of that revision may be able to do.
fn capabilities(version: Version) -> Capabilities {
    let since = [
        (Version::V20241105, Capability::Sampling),
        (Version::V20241105, Capability::Roots),
        (Version::V20250618, Capability::Elicitation),
        (Version::V20251125, Capability::UrlElicitation),
    ];
    let known = since.into_iter().filter(|it| it.0 <= version);
    known.fold(Capabilities::default(), |set, it| set.with(it.1))
}
