//! The client of one request: its capabilities, and how it receives notifications and input requests during the call.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::context::Context;
use crate::context::client::{Client, Level};
use crate::error::{Capabilities, Capability};
use crate::mcp::call::execution::Executor;
use crate::mcp::call::mrtr::{self, MultiRound};
use crate::mcp::call::session::Asking;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::id::is_id;
use crate::mcp::messages::notification::Reporter;
use crate::mcp::messages::version::Version;

/// A client that can receive notifications or input requests.
pub(crate) struct ClientChannel {
    pub(crate) client: Arc<Client>,
    pub(crate) asking: Asking,
    /// Reports progress, if the client asked for it.
    pub(crate) reporter: Option<Reporter>,
    /// Whether it accepts an event stream as the response.
    pub(crate) takes_events: bool,
}

/// The notifications that a client wants during its call.
#[derive(Default)]
struct Wishes {
    token: Option<Box<RawValue>>,
    level: Option<Level>,
}

impl ClientChannel {
    /// A client of revision 2026-07-28, which states its capabilities in each request; `None` if it can receive
    /// nothing.
    ///
    /// # Errors
    /// The log level is unknown, or the client's answers are malformed.
    pub(crate) fn modern(
        executor: &Executor,
        request: &Request<'_>,
        declared: &RawValue,
        cx: &Context,
    ) -> Result<Option<ClientChannel>, RpcError> {
        let takes_events = request.takes_events;
        let wishes = Wishes::of(request)?;
        let wishes = if takes_events {
            wishes
        } else {
            Wishes::default()
        };
        let capabilities = Capabilities::declared(declared.get());
        let hears = wishes.token.is_some() || wishes.level.is_some();
        if !hears && capabilities == Capabilities::default() && !mrtr::is_later(request) {
            return Ok(None);
        }
        let Executor { cipher, server, .. } = executor;
        let multi_round = MultiRound::read(cipher, server, request, cx)?;
        Ok(Some(ClientChannel {
            client: Arc::new(
                wishes
                    .client(capabilities)
                    .in_rounds(multi_round.answered()),
            ),
            asking: Asking::MultiRound(Box::new(multi_round)),
            reporter: wishes.token.map(Reporter::new),
            takes_events,
        }))
    }

    /// A client of an earlier revision. It stated its capabilities in `initialize`, which is not stored, so every
    /// capability of its revision is tried. `None` if there is no stream on which it could receive anything.
    pub(crate) fn legacy(
        executor: &Executor,
        version: Version,
        request: &Request<'_>,
        cx: &Context,
    ) -> Result<Option<ClientChannel>, RpcError> {
        if !request.takes_events {
            return Ok(None);
        }
        let token = Wishes::of(request)?.token;
        let wishes = Wishes {
            token,
            // `logging/setLevel` is not stored either, so the server chooses the level.
            level: Some(Level::Info),
        };
        Ok(Some(ClientChannel {
            client: Arc::new(wishes.client(match cx.is_whole() {
                // The client would read the request only after the call has ended.
                true => Capabilities::default(),
                false => capabilities(version),
            })),
            asking: Asking::Live(executor.pending_requests.of(cx)),
            reporter: wishes.token.map(Reporter::new),
            takes_events: true,
        }))
    }
}

impl Wishes {
    fn of(request: &Request<'_>) -> Result<Wishes, RpcError> {
        let meta = &request.params.meta;
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

    fn client(&self, capabilities: Capabilities) -> Client {
        // A task shows its progress to any client that polls it.
        let wants_progress = self.token.is_some() || capabilities.has(Capability::Tasks);
        Client::new(capabilities, wants_progress, self.level)
    }
}

/// A log level as JSON.
pub(crate) fn read_level(json: &str) -> Result<Level, RpcError> {
    serde_json::from_str(json).map_err(|_| {
        RpcError::invalid_params(
            "a log level is one of debug, info, notice, warning, error, critical, alert, emergency",
        )
    })
}

/// The capabilities that clients of this revision may have.
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
