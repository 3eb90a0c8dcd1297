//! Reads an event stream (Server-Sent Events), as its bytes arrive.

/// The beginning of an event stream that was not taken yet.
#[derive(Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
    /// Where the search for the end of a line goes on.
    searched: usize,
    data: String,
    has_data: bool,
}

/// An event or its stream is larger than allowed, or is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Events {
    /// Takes bytes of the stream.
    ///
    /// # Errors
    /// The event that has begun is larger than `max_bytes`.
    pub(super) fn push(&mut self, bytes: &[u8], max_bytes: usize) -> Result<(), Unreadable> {
        if self.buffer.len() + self.data.len() + bytes.len() > max_bytes.saturating_mul(2) {
            return Err(Unreadable);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The data of the next complete event; events without data, and comments, are left out.
    ///
    /// # Errors
    /// The event is not UTF-8, or larger than `max_bytes`.
    pub(super) fn pop(&mut self, max_bytes: usize) -> Result<Option<String>, Unreadable> {
        let mut start = 0;
        let mut found = None;
        while found.is_none() {
            let rest = &self.buffer[start.max(self.searched)..];
            let Some(at) = rest.iter().position(|it| matches!(it, b'\n' | b'\r')) else {
                break;
            };
            let end = start.max(self.searched) + at;
            // The line feed of a pair may still be on its way.
            let is_return = self.buffer[end] == b'\r';
            if is_return && end + 1 == self.buffer.len() {
                self.searched = end;
                self.drain(start);
                return self.check(max_bytes);
            }
            let after = end + 1 + usize::from(is_return && self.buffer[end + 1] == b'\n');
            let line = std::str::from_utf8(&self.buffer[start..end]).map_err(|_| Unreadable)?;
            found = line_of(line, &mut self.data, &mut self.has_data);
            start = after;
            self.searched = 0;
        }
        if found.is_none() {
            self.searched = self.buffer.len();
        }
        self.drain(start);
        match found {
            Some(data) => Ok(Some(data)),
            None => self.check(max_bytes),
        }
    }

    fn drain(&mut self, start: usize) {
        self.buffer.drain(..start);
        self.searched = self.searched.saturating_sub(start);
    }

    fn check(&self, max_bytes: usize) -> Result<Option<String>, Unreadable> {
        match self.buffer.len() + self.data.len() > max_bytes {
            true => Err(Unreadable),
            false => Ok(None),
        }
    }
}

/// Takes one line; the data of an event that it ends.
fn line_of(line: &str, data: &mut String, has_data: &mut bool) -> Option<String> {
    if line.is_empty() {
        let is_event = std::mem::take(has_data);
        return is_event.then(|| std::mem::take(data));
    }
    let (field, value) = line.split_once(':').unwrap_or((line, ""));
    if field == "data" {
        if *has_data {
            data.push('\n');
        }
        data.push_str(value.strip_prefix(' ').unwrap_or(value));
        // An event that is only there to give an id has empty data.
        *has_data = !data.is_empty();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: hello\r\nid: 1\ndata:\n\nevent: message\ndata: {\"a\":\ndata: 1}\r\n\r\ndata:x\r\rdata: y\n\n";

    fn all(parts: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for part in parts {
            events.push(part, 100).unwrap();
            while let Some(data) = events.pop(100).unwrap() {
                found.push(data);
            }
        }
        found
    }

    #[test]
    fn events_are_the_same_however_their_bytes_arrive() {
        let expected = ["{\"a\":\n1}", "x", "y"];
        assert_eq!(all(&[STREAM.as_bytes()]), expected);
        for size in 1..STREAM.len() {
            let parts: Vec<&[u8]> = STREAM.as_bytes().chunks(size).collect();
            assert_eq!(all(&parts), expected, "{size}");
        }
    }

    #[test]
    fn an_event_that_never_ends_is_refused() {
        let mut events = Events::default();
        let mut refused = false;
        for _ in 0..100 {
            refused |= events.push(b"data: more\n", 100).is_err() || events.pop(100).is_err();
        }
        assert!(refused);
        let mut events = Events::default();
        events.push(b"data: \xff\n\n", 100).unwrap();
        assert_eq!(events.pop(100), Err(Unreadable));
    }
}
