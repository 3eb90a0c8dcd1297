//! Where in a JSON text decoding failed, as a path.
//!
//! An error of serde has no path, and its position is behind the mistake where a type looks at a value that it has read. So
//! the text is decoded again up to the end of each token around that position: the mistake is in the last token of the
//! shortest part that is refused for what it says, and not because it ends too soon.

use std::fmt::Write;

use serde::Deserialize;

/// The most levels of a path; deeper values are not decoded.
const MOST: usize = 128;

/// The tokens of a JSON text, each as its start and its end. What is not JSON is a token as well.
struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

/// The way to a token.
#[derive(Default)]
struct Trail {
    levels: Vec<Level>,
    /// The levels below those that are kept.
    deeper: usize,
}

/// An array or an object, and the member in it that the token belongs to.
enum Level {
    Array { index: usize, is_inside: bool },
    Object { key: Option<(usize, usize)> },
}

/// Decodes a text. It is compiled once for each type, and not for each place that decodes it.
#[inline(never)]
pub fn decode<'t, T: Deserialize<'t>>(text: &'t str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}

/// The path of the value at which decoding `text` as a `T` failed with `error`. It is empty where that is the whole text, and
/// where the place is not known.
pub fn path<'t, T: Deserialize<'t>>(text: &'t str, error: &serde_json::Error) -> String {
    path_of(text, error, |part| {
        decode::<T>(part).is_err_and(|it| it.is_data())
    })
}

#[cold]
fn path_of<'t>(text: &'t str, error: &serde_json::Error, refuses: fn(&'t str) -> bool) -> String {
    let Some(offset) = offset(text, error) else {
        return String::new();
    };
    match error.is_data() {
        true => refused(text, offset, refuses).map_or_else(String::new, |end| Trail::to(text, end)),
        false => Trail::to_broken(text, offset),
    }
}

/// The number of bytes before the position of the error; `None` for an error without one.
fn offset(text: &str, error: &serde_json::Error) -> Option<usize> {
    let lines = error.line().checked_sub(1)?;
    let start = match lines {
        0 => 0,
        _ => text.match_indices('\n').nth(lines - 1)?.0 + 1,
    };
    Some(start + error.column())
}

/// The end of the token that is refused. serde has read it, and at most one more, or looks at it.
fn refused<'t>(text: &'t str, offset: usize, refuses: fn(&'t str) -> bool) -> Option<usize> {
    let mut ends = [0; 4];
    for (_, end) in (Tokens { text, at: 0 }) {
        ends.rotate_left(1);
        ends[3] = end;
        if end > offset {
            break;
        }
    }
    // Where the first one is refused, the mistake is before it: the position is that of another text.
    let first = ends.iter().position(|&end| refuses(&text[..end]));
    first.filter(|&it| it > 0).map(|it| ends[it])
}

impl Trail {
    /// The path of the token with this end.
    fn to(text: &str, place: usize) -> String {
        let mut trail = Trail::default();
        let tokens = Tokens { text, at: 0 };
        for (start, end) in tokens.take_while(|&(_, end)| end <= place) {
            trail.pass(text, start, end);
        }
        trail.path(text)
    }

    /// The path of a token that is not JSON where it stands. A bracket stands in what it would close.
    fn to_broken(text: &str, place: usize) -> String {
        let mut trail = Trail::default();
        for (start, end) in (Tokens { text, at: 0 }) {
            let is_last = end >= place;
            if !is_last || !matches!(text.as_bytes()[start], b'}' | b']') {
                trail.pass(text, start, end);
            }
            if is_last {
                break;
            }
        }
        trail.path(text)
    }

    fn pass(&mut self, text: &str, start: usize, end: usize) {
        match text.as_bytes()[start] {
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'{' | b'[' if self.deeper > 0 => self.deeper += 1,
            _ if self.deeper > 0 => {}
            b'}' | b']' => drop(self.levels.pop()),
            b',' => match self.levels.last_mut() {
                Some(Level::Array { index, is_inside }) => {
                    *index += 1;
                    *is_inside = false;
                }
                Some(Level::Object { key }) => *key = None,
                None => {}
            },
            b':' => {}
            first => {
                match self.levels.last_mut() {
                    Some(Level::Array { is_inside, .. }) => *is_inside = true,
                    Some(Level::Object { key }) => drop(key.get_or_insert((start, end))),
                    None => {}
                }
                match first {
                    b'{' => self.enter(Level::Object { key: None }),
                    b'[' => self.enter(Level::Array {
                        index: 0,
                        is_inside: false,
                    }),
                    _ => {}
                }
            }
        }
    }

    fn enter(&mut self, level: Level) {
        match self.levels.len() < MOST {
            true => self.levels.push(level),
            false => self.deeper = 1,
        }
    }

    fn path(&self, text: &str) -> String {
        let mut path = String::new();
        for level in &self.levels {
            match level {
                Level::Array {
                    index,
                    is_inside: true,
                } => drop(write!(path, "[{index}]")),
                Level::Object {
                    key: Some((start, end)),
                } => {
                    // What is no text was not read as a key.
                    if let Ok(key) = serde_json::from_str::<String>(&text[*start..*end]) {
                        let separator = if path.is_empty() { "" } else { "." };
                        path.push_str(separator);
                        path.push_str(&key);
                    }
                }
                _ => {}
            }
        }
        path
    }
}

impl Iterator for Tokens<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let is_space = |it: u8| matches!(it, b' ' | b'\t' | b'\n' | b'\r');
        let is_mark = |it: u8| matches!(it, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
        let bytes = self.text.as_bytes();
        let start = self.at + bytes[self.at..].iter().position(|&it| !is_space(it))?;
        let rest = &bytes[start + 1..];
        let length = match bytes[start] {
            b'"' => closing(rest).map_or(rest.len(), |it| it + 1),
            first if is_mark(first) => 0,
            _ => {
                let end = rest.iter().position(|&it| is_space(it) || is_mark(it));
                end.unwrap_or(rest.len())
            }
        };
        self.at = start + 1 + length;
        Some((start, self.at))
    }
}

/// The place of the quote that ends a text.
fn closing(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|&it| {
        let is_end = it == b'"' && !is_escaped;
        is_escaped = it == b'\\' && !is_escaped;
        is_end
    })
}
