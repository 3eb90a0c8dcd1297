//! The lines of the input: one message each, bounded.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// What one line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    /// Its bytes are not UTF-8.
    NotText,
    /// It is longer than messages may be; its bytes were discarded.
    TooLong,
}

/// Reads lines. What was read of one stays when the wait for its end is given up.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    most: usize,
    is_too_long: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most that many bytes.
    pub(super) fn new(reader: R, most: usize) -> Lines<R> {
        Lines {
            reader: BufReader::new(reader),
            line: Vec::new(),
            most,
            is_too_long: false,
        }
    }

    /// The next line that is not blank; `None` at the end of the input. The last line needs no end.
    ///
    /// # Errors
    /// The input fails.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let bytes = self.reader.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(self.finish());
            }
            let end = bytes.iter().position(|it| *it == b'\n');
            let taken = end.unwrap_or(bytes.len());
            if !self.is_too_long {
                self.line.extend_from_slice(&bytes[..taken]);
            }
            if self.line.len() > self.most {
                (self.line, self.is_too_long) = (Vec::new(), true);
            }
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some()
                && let Some(line) = self.finish()
            {
                return Ok(Some(line));
            }
        }
    }

    /// The line that was read; `None` for a blank one.
    fn finish(&mut self) -> Option<Line> {
        if std::mem::take(&mut self.is_too_long) {
            return Some(Line::TooLong);
        }
        match String::from_utf8(std::mem::take(&mut self.line)) {
            Ok(text) if text.trim_ascii().is_empty() => None,
            Ok(text) => Some(Line::Text(text)),
            Err(_) => Some(Line::NotText),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn blank_lines_are_passed_over_and_long_ones_are_discarded() {
        let input: &[u8] = b"one\r\n\n  \n123456789\n\xff\ntwo";
        let mut lines = Lines::new(input, 8);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line);
        }
        let text = |it: &str| Line::Text(it.to_owned());
        assert_eq!(
            all,
            [text("one\r"), Line::TooLong, Line::NotText, text("two")]
        );
        assert_eq!(lines.next().await.unwrap(), None);
    }
}
