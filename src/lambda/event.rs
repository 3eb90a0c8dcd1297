//! An event of any front door.

use axum::extract::Request;

use super::door::Door;
use super::failure::Failure;
use super::v1::V1;
use super::v2::V2;

/// An event of a front door.
pub(super) enum Event<'a> {
    V2(V2<'a>),
    V1(V1<'a>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the front doors.
    pub(super) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
        // Each shape has fields that the other lacks, so the order decides nothing but the cost.
        if let Ok(event) = serde_json::from_str(payload) {
            return Ok(Event::V2(event));
        }
        serde_json::from_str(payload)
            .map(Event::V1)
            .map_err(|_| Failure::unknown_event())
    }

    /// Where it comes from.
    pub(super) fn door(&self) -> Door {
        match self {
            Event::V2(event) => event.door(),
            Event::V1(event) => event.door(),
        }
    }

    /// The HTTP request, its path without the stage and without `base`.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(super) fn request(self, base: &str) -> Result<Request, String> {
        match self {
            Event::V2(event) => event.request(base),
            Event::V1(event) => event.request(base),
        }
    }
}
