//! An event of any front door.

use axum::extract::Request;

use super::door::Door;
use super::failure::Failure;
use super::socket::Socket;
use super::v1::V1;
use super::v2::V2;

/// An event of a front door.
pub(super) enum Event<'a> {
    Http(Http<'a>),
    Socket(Socket<'a>),
}

/// An HTTP request.
pub(super) enum Http<'a> {
    V2(V2<'a>),
    V1(V1<'a>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the front doors.
    pub(super) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
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
    pub(super) fn door(&self) -> Door {
        match self {
            Http::V2(event) => event.door(),
            Http::V1(event) => event.door(),
        }
    }

    /// Who calls, where it has been checked.
    pub(super) fn principal(&self) -> Option<String> {
        match self {
            Http::V2(event) => event.principal(),
            Http::V1(event) => event.principal(),
        }
    }

    /// The HTTP request, its path without the stage and without `base`.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(super) fn request(self, base: &str) -> Result<Request, String> {
        match self {
            Http::V2(event) => event.request(base),
            Http::V1(event) => event.request(base),
        }
    }
}
