//! What is sent before an answer is whole, and how it stands in a stream of server-sent events.

use bytes::Bytes;

use crate::mcp::messages::outgoing::Outgoing;

/// A comment, which no client takes for an event.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// One thing that is sent.
#[non_exhaustive]
pub enum Event {
    /// A message of the protocol; the last one of a request is its response.
    Message(Outgoing),
    /// Nothing, to show that the server is alive.
    KeepAlive,
}

impl Event {
    /// As it stands in a stream. A line break, which in JSON can only stand between its tokens, would end the line.
    pub fn sse(self) -> Bytes {
        let Event::Message(message) = self else {
            return KEEP_ALIVE;
        };
        let mut json = message.into_json();
        for byte in &mut json {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        [b"event: message\ndata: ".as_slice(), &json, b"\n\n"]
            .concat()
            .into()
    }
}
