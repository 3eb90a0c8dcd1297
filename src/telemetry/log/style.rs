//! What the lines of the log look like: JSON for collectors, or text for people.

use std::io::Write;
use std::time::SystemTime;

use time::OffsetDateTime;
use tracing::Level;

/// The format of all lines of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// One object for each line.
    #[default]
    Json,
    /// Words and `name=value`; with colours where a terminal shows them.
    Text {
        /// Whether a terminal shows it.
        colored: bool,
    },
}

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIMMED: &str = "\x1b[2m";
const ITALIC: &str = "\x1b[3m";

impl Style {
    /// Begins a line: the time and the level.
    pub(super) fn start(self, line: &mut Vec<u8>, level: Level) {
        match self {
            Style::Json => {
                line.extend_from_slice(b"{\"timestamp\":\"");
                stamp(line);
                line.extend_from_slice(b"\",\"level\":\"");
                line.extend_from_slice(level.as_str().as_bytes());
                line.push(b'"');
            }
            Style::Text { .. } => {
                self.paint(line, DIMMED, stamp);
                line.push(b' ');
                let name = level.as_str();
                self.paint(line, color(level), |line| {
                    line.extend_from_slice(&b"     "[name.len().min(5)..]);
                    line.extend_from_slice(name.as_bytes());
                });
            }
        }
    }

    /// The name of a span around the event of a text line.
    pub(super) fn span(self, line: &mut Vec<u8>, name: &str) {
        self.paint(line, BOLD, |line| line.extend_from_slice(name.as_bytes()));
        line.push(b':');
    }

    /// The name of a field, after which its value is written. In text the message has none.
    pub(super) fn name(self, line: &mut Vec<u8>, name: &str) {
        match self {
            Style::Json => {
                line.push(b',');
                quoted(line, name);
                line.push(b':');
            }
            Style::Text { .. } => {
                line.push(b' ');
                if name != MESSAGE {
                    self.paint(line, ITALIC, |line| line.extend_from_slice(name.as_bytes()));
                    line.push(b'=');
                }
            }
        }
    }

    /// A value that is text.
    pub(super) fn text(self, line: &mut Vec<u8>, name: &str, text: &str) {
        match self {
            Style::Json => quoted(line, text),
            Style::Text { .. } if name == MESSAGE => plain(line, text),
            Style::Text { .. } => debugged(line, text),
        }
    }

    /// A value as its type describes itself.
    pub(super) fn description(self, line: &mut Vec<u8>, text: &str) {
        match self {
            Style::Json => quoted(line, text),
            Style::Text { .. } => plain(line, text),
        }
    }

    /// Ends a line. JSON says where the event comes from.
    pub(super) fn end(self, line: &mut Vec<u8>, target: &str) {
        if self == Style::Json {
            line.extend_from_slice(b",\"target\":");
            quoted(line, target);
            line.push(b'}');
        }
        line.push(b'\n');
    }

    fn paint(self, line: &mut Vec<u8>, look: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let is_colored = self == Style::Text { colored: true };
        if is_colored {
            line.extend_from_slice(look.as_bytes());
        }
        write(line);
        if is_colored {
            line.extend_from_slice(RESET.as_bytes());
        }
    }
}

/// The field that holds the text of an event.
const MESSAGE: &str = "message";

fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// A text as JSON.
fn quoted(line: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(line, text).expect("memory takes any text");
}

/// A text in which nothing moves the cursor of a terminal or begins another line.
fn plain(line: &mut Vec<u8>, text: &str) {
    if !text.contains(char::is_control) {
        return line.extend_from_slice(text.as_bytes());
    }
    for part in text.split_inclusive(char::is_control) {
        let control = part.chars().next_back().filter(|it| it.is_control());
        let length = part.len() - control.map_or(0, char::len_utf8);
        line.extend_from_slice(&part.as_bytes()[..length]);
        let escaped = control.into_iter().flat_map(char::escape_default);
        line.extend(escaped.map(|it| it as u8));
    }
}

/// A text in quotes, escaped as Rust does it.
fn debugged(line: &mut Vec<u8>, text: &str) {
    let is_plain = |it: u8| matches!(it, b' '..=b'~') && it != b'"' && it != b'\\';
    if text.bytes().all(is_plain) {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        return line.push(b'"');
    }
    // Writing to memory does not fail.
    let _ = write!(line, "{text:?}");
}

/// The time in UTC, with microseconds.
fn stamp(line: &mut Vec<u8>) {
    let now = OffsetDateTime::from(SystemTime::now());
    let (date, time) = (now.date(), now.time());
    digits::<4>(line, date.year().unsigned_abs());
    for (separator, number) in [
        (b'-', u8::from(date.month())),
        (b'-', date.day()),
        (b'T', time.hour()),
        (b':', time.minute()),
        (b':', time.second()),
    ] {
        line.push(separator);
        digits::<2>(line, number.into());
    }
    line.push(b'.');
    digits::<6>(line, time.microsecond());
    line.push(b'Z');
}

/// The last `N` decimal digits of a number. The formatter of the standard library takes twenty times as long.
fn digits<const N: usize>(line: &mut Vec<u8>, mut number: u32) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    line.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_a_client_sends_cannot_begin_a_line_or_move_the_cursor() {
        for (text, message, value) in [
            ("plain", "plain", "\"plain\""),
            ("größer", "größer", "\"größer\""),
            ("a \"b\" \\", "a \"b\" \\", r#""a \"b\" \\""#),
            ("a\nINFO b", "a\\nINFO b", r#""a\nINFO b""#),
            (
                "\x1b[2J\x07\u{9b}",
                "\\u{1b}[2J\\u{7}\\u{9b}",
                r#""\u{1b}[2J\u{7}\u{9b}""#,
            ),
        ] {
            let style = Style::Text { colored: false };
            assert_eq!(written(|line| style.text(line, MESSAGE, text)), message);
            assert_eq!(written(|line| style.text(line, "field", text)), value);
            assert_eq!(written(|line| style.description(line, text)), message);
        }
    }

    #[test]
    fn numbers_have_their_leading_zeros() {
        assert_eq!(written(|line| digits::<4>(line, 2026)), "2026");
        assert_eq!(written(|line| digits::<2>(line, 7)), "07");
        assert_eq!(written(|line| digits::<6>(line, 0)), "000000");
        assert_eq!(written(|line| digits::<6>(line, 999_999)), "999999");
    }
}
