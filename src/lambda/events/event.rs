//! An event of any integration.

use axum::extract::Request;

use crate::lambda::events::integration::Integration;
use crate::lambda::events::v1::V1;
use crate::lambda::events::v2::V2;
use crate::lambda::events::websocket::Socket;
use crate::lambda::runtime::failure::Failure;

/// An event of a integration.
pub(crate) enum Event<'a> {
    Http(Http<'a>),
    Socket(Socket<'a>),
}

/// An HTTP request.
pub(crate) enum Http<'a> {
    V2(V2<'a>),
    V1(V1<'a>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the integrations.
    pub(crate) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
        // Each shape has fields that the others lack, so the order decides nothing but the cost.
        if let Ok(event) = serde_json::from_str(payload) {
            return Ok(Event::Http(Http::V2(event)));
        }
        if let Ok(event) = serde_json::from_str(payload) {
            return Ok(Event::Http(Http::V1(event)));
        }
        serde_json::from_str(payload)
            .map(Event::Socket)
            .map_err(|_| Failure::unknown_event())
    }
}

impl Http<'_> {
    /// Where it comes from.
    pub(crate) fn integration(&self) -> Integration {
        match self {
            Http::V2(event) => event.integration(),
            Http::V1(event) => event.integration(),
        }
    }

    /// Who calls, where it has been checked.
    pub(crate) fn principal(&self) -> Option<String> {
        match self {
            Http::V2(event) => event.principal(),
            Http::V1(event) => event.principal(),
        }
    }

    /// The HTTP request, its path without the stage and without `base`.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(crate) fn request(self, base: &str) -> Result<Request, String> {
        match self {
            Http::V2(event) => event.request(base),
            Http::V1(event) => event.request(base),
        }
    }
}
