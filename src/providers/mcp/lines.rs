//! The lines of a pipe, out of the bytes as they arrive.

use bytes::BytesMut;

/// The bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// What is kept of the beginning and of the end of a line that is too long.
const EDGE: usize = 256;

/// The bytes that were read and are not taken yet.
#[derive(Default)]
pub(super) struct Lines {
    bytes: BytesMut,
    /// How many of them are known to have no end of a line.
    scanned: usize,
    /// The beginning of a line whose middle was dropped.
    beginning: Option<BytesMut>,
}

/// One line, with its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: BytesMut,
    /// Whether it has only the beginning and the end of the line.
    pub(super) is_cut: bool,
}

impl Lines {
    /// Where the next bytes are read to.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        if self.bytes.is_empty() {
            // A long line must not keep its memory after it was taken.
            self.bytes = BytesMut::new();
        }
        self.bytes.reserve(CHUNK);
        &mut self.bytes
    }

    /// The next complete line.
    pub(super) fn next(&mut self) -> Option<Line> {
        let unknown = &self.bytes[self.scanned..];
        let Some(found) = unknown.iter().position(|it| *it == b'\n') else {
            self.scanned = self.bytes.len();
            return None;
        };
        let rest = self.bytes.split_to(self.scanned + found + 1);
        self.scanned = 0;
        Some(match self.beginning.take() {
            Some(mut text) => {
                text.extend_from_slice(&rest[rest.len().saturating_sub(EDGE)..]);
                Line { text, is_cut: true }
            }
            None => Line {
                text: rest,
                is_cut: false,
            },
        })
    }

    /// How many bytes of a line are kept whose end has not arrived.
    pub(super) fn pending(&self) -> usize {
        self.bytes.len()
    }

    /// Drops the middle of a line whose end has not arrived.
    pub(super) fn shorten(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let edge = EDGE.min(bytes.len());
        self.beginning
            .get_or_insert_with(|| BytesMut::from(&bytes[..edge]));
        self.bytes = BytesMut::from(&bytes[bytes.len() - edge..]);
        self.scanned = edge;
    }

    /// Takes the beginning of a line whose end has not arrived.
    pub(super) fn take_pending(&mut self) -> BytesMut {
        self.scanned = 0;
        self.bytes.split()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lines: &mut Lines) -> Vec<(String, bool)> {
        let lines = std::iter::from_fn(|| lines.next());
        let text = |it: Line| (String::from_utf8(it.text.to_vec()).unwrap(), it.is_cut);
        lines.map(text).collect()
    }

    #[test]
    fn lines_are_found_wherever_the_parts_end() {
        let text = "one\n\ntwo\r\nthree";
        for cut in 0..=text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for part in [&text[..cut], &text[cut..]] {
                lines.room().extend_from_slice(part.as_bytes());
                found.extend(taken(&mut lines));
            }
            let expected = ["one\n", "\n", "two\r\n"].map(|it| (it.to_owned(), false));
            assert_eq!(found, expected, "cut at {cut}");
            assert_eq!(&lines.take_pending()[..], b"three");
            assert_eq!(lines.pending(), 0);
        }
    }

    #[test]
    fn the_middle_of_a_line_can_be_dropped_while_it_arrives() {
        let mut lines = Lines::default();
        lines.room().extend_from_slice(b"first\nbeginning");
        assert_eq!(taken(&mut lines).len(), 1);
        for _ in 0..1000 {
            lines.room().extend_from_slice(&[b'x'; 1000]);
            assert_eq!(lines.next(), None);
            lines.shorten();
            assert!(lines.pending() <= EDGE);
        }
        lines.room().extend_from_slice(b"end\nnext\n");
        let found = taken(&mut lines);
        let (cut, is_cut) = &found[0];
        assert!(cut.starts_with("beginningx") && cut.ends_with("xend\n"));
        assert!(*is_cut && cut.len() <= 2 * EDGE);
        assert_eq!(found[1], ("next\n".to_owned(), false));
    }

    #[test]
    fn the_memory_of_a_long_line_is_given_back() {
        let mut lines = Lines::default();
        lines.room().extend_from_slice(&vec![b'x'; 4 << 20]);
        assert_eq!(lines.next(), None);
        lines.room().extend_from_slice(b"\n");
        assert_eq!(lines.next().map(|it| it.text.len()), Some((4 << 20) + 1));
        assert!(lines.room().capacity() <= 2 * CHUNK);
    }
}
