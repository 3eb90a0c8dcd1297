//! The messages of one stream as server-sent events.

use bytes::Bytes;

/// A comment, which no client takes for an event.
pub(super) const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// The event that carries a message. A line break, which in JSON can only stand between its tokens, would end the line.
pub(super) fn event(mut json: Vec<u8>) -> Bytes {
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    [b"event: message\ndata: ".as_slice(), &json, b"\n\n"]
        .concat()
        .into()
}
