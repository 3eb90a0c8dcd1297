//! An event of any integration.

use crate::lambda::events::http_event::HttpEvent;
use crate::lambda::events::websocket::Socket;
use crate::lambda::runtime::failure::Failure;

/// An event of a integration.
pub(crate) enum Event<'a> {
    Http(Box<HttpEvent<'a>>),
    Socket(Socket<'a>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the integrations.
    pub(crate) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
        let event: Option<HttpEvent<'_>> = serde_json::from_str(payload).ok();
        if let Some(event) = event.filter(HttpEvent::is_one) {
            return Ok(Event::Http(Box::new(event)));
        }
        serde_json::from_str(payload)
            .map(Event::Socket)
            .map_err(|_| Failure::unknown_event())
    }
}
