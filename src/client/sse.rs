//! An event stream, read as its bytes arrive: one event at a time, of bounded size.

/// The events of a stream.
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    name: Vec<u8>,
    /// Whether the last line ended with `\r`; a `\n` that follows belongs to it.
    is_after_return: bool,
    is_first: bool,
    most: usize,
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// `message` where it has none.
    name: String,
    data: String,
}

impl SseEvent {
    /// The message in it. Some servers open a stream with an event without one, for clients that resume it.
    pub(crate) fn message(&self) -> Option<&str> {
        (self.name == "message" && !self.data.is_empty()).then_some(&*self.data)
    }
}

impl Events {
    /// Reads events of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Events {
        Events {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            name: Vec::new(),
            is_after_return: false,
            is_first: true,
            most,
        }
    }

    /// The events that `bytes` complete.
    ///
    /// # Errors
    /// An event is too large, or is not UTF-8.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<SseEvent>, String> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            if std::mem::take(&mut self.is_after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|it| matches!(it, b'\n' | b'\r'));
            let taken = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + self.data.len() + taken.len() > self.most {
                return Err(format!("an event of more than {} bytes", self.most));
            }
            self.line.extend_from_slice(taken);
            let Some(end) = end else { break };
            self.is_after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            all.extend(self.end_line()?);
        }
        Ok(all)
    }

    /// Takes the line that was read; an empty one ends an event.
    fn end_line(&mut self) -> Result<Option<SseEvent>, String> {
        let line = std::mem::take(&mut self.line);
        let mut line = &*line;
        if std::mem::take(&mut self.is_first) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let colon = line.iter().position(|it| *it == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => self.name = value.to_vec(),
            // A comment, or a field for clients that resume streams.
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Result<Option<SseEvent>, String> {
        let data = text(std::mem::take(&mut self.data))?;
        let name = text(std::mem::take(&mut self.name))?;
        let has_data = std::mem::take(&mut self.has_data);
        let name = if name.is_empty() {
            "message".into()
        } else {
            name
        };
        Ok(has_data.then_some(SseEvent { name, data }))
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "an event that is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent {
            name: name.into(),
            data: data.into(),
        }
    }

    #[test]
    fn events_are_the_same_however_their_bytes_arrive() {
        let stream = "\u{feff}: hi\r\ndata: {\"a\":\r\ndata:1}\r\n\r\nevent: endpoint\rdata: /x\r\rid: 7\nretry\n\ndata: ä\n\ndata: cut";
        let expected = [
            event("message", "{\"a\":\n1}"),
            event("endpoint", "/x"),
            event("message", "ä"),
        ];
        for size in [1, 2, 3, 5, 1000] {
            let mut events = Events::new(1000);
            let mut found = Vec::new();
            for part in stream.as_bytes().chunks(size) {
                found.extend(events.read(part).unwrap());
            }
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn an_event_without_end_is_refused_at_its_limit() {
        let mut events = Events::new(64);
        assert!(events.read(b"data: ").is_ok());
        assert!((0..100).any(|_| events.read(b"0123456789\ndata: ").is_err()));
        assert!((0..100).any(|_| Events::new(64).read(&[b'x'; 65]).is_err()));
        assert!(Events::new(64).read(b"data: \xff\n\n").is_err());
    }
}
