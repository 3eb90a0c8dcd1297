//! An event of any integration.

use crate::lambda::events::http_event::HttpEvent;
use crate::lambda::events::websocket::WebSocketEvent;
use crate::lambda::runtime::failure::Failure;

/// An event of an integration.
pub(crate) enum Event<'a> {
    Http(Box<HttpEvent<'a>>),
    WebSocket(Box<WebSocketEvent<'a>>),
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// The event comes from an unknown source.
    pub(crate) fn parse(payload: &'a str) -> Result<Event<'a>, Failure> {
        let event: Option<HttpEvent<'_>> = serde_json::from_str(payload).ok();
        if let Some(event) = event.filter(HttpEvent::is_http_request) {
            return Ok(Event::Http(Box::new(event)));
        }
        serde_json::from_str(payload)
            .map(|event| Event::WebSocket(Box::new(event)))
            .map_err(|_| Failure::unknown_event())
    }
}
