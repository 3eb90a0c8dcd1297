//! Server-sent events: messages before the response, and the response.

use bytes::Bytes;

use crate::mcp::messages::outgoing::Outgoing;

/// A comment line, which clients ignore.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// One event of a stream.
#[non_exhaustive]
pub enum Event {
    /// A JSON-RPC message; the last message of a request is its response.
    Message(Outgoing),
    /// A heartbeat.
    KeepAlive,
}

impl Event {
    /// The event in wire form. A line break, which in JSON can occur only between tokens, would end the line.
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
