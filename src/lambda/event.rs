//! An event of any front door.

use super::failure::Failure;
use super::http_event::HttpEvent;
use super::socket::Socket;

/// An event of a front door.
pub(super) enum Event<'a> {
    Http(Box<HttpEvent<'a>>),
    Socket(Socket<'a>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the front doors.
    pub(super) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
        let event: Option<HttpEvent<'_>> = serde_json::from_str(payload).ok();
        if let Some(event) = event.filter(HttpEvent::is_one) {
            return Ok(Event::Http(Box::new(event)));
        }
        serde_json::from_str(payload)
            .map(Event::Socket)
            .map_err(|_| Failure::unknown_event())
    }
}
