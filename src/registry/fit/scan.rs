//! Walks over the text of JSON without decoding it, so that parts of it can be copied as they stand.

use std::ops::Range;

/// A place in the text of a JSON value. The text is valid: it was encoded or read before. In any other text the scanner
/// comes to its end too.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// The first byte of what comes next; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte().unwrap_or(0)
    }

    /// Steps over this byte, if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// The name of the next field of an object, in its quotes; `None` behind the last one.
    pub(super) fn field(&mut self) -> Option<&'a str> {
        self.take(b',');
        if self.peek() != b'"' {
            self.take(b'}');
            return None;
        }
        let name = self.value();
        self.take(b':');
        Some(name)
    }

    /// Whether an array has another item; behind the last one, the array is left.
    pub(super) fn item(&mut self) -> bool {
        self.take(b',');
        !matches!(self.peek(), b']' | 0) || {
            self.take(b']');
            false
        }
    }

    /// The text of the next value.
    pub(super) fn value(&mut self) -> &'a str {
        let place = self.place();
        &self.text[place]
    }

    /// Where in the text the next value stands.
    pub(super) fn place(&mut self) -> Range<usize> {
        self.peek();
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth > 0 => self.at += 1,
                _ if depth > 0 || is_plain(byte) => self.plain(),
                // What stands behind a value of one word.
                _ => break,
            }
            if depth == 0 {
                break;
            }
        }
        start..self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += match byte {
                // An escape is ASCII, so that the text still ends between characters.
                b'\\' => 2,
                _ => 1,
            };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }

    /// A number, or one of the three words.
    fn plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|it| !is_plain(*it));
        self.at += length.unwrap_or(rest.len()).max(1);
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::Scanner;

    #[test]
    fn a_value_ends_where_it_ends() {
        for value in [
            "null",
            "-1.5e+3",
            r#""""#,
            r#""a \"]} , \\""#,
            "[]",
            "{}",
            r#"[1,[2,{"a":"]"}],"}"]"#,
            r#"{"a":{"b":[ 1 , 2 ]},"c":"{"}"#,
            r#""größe \u00e9 🦀""#,
        ] {
            for rest in ["", ",1", "]", " }"] {
                let text = format!(" {value}{rest}");
                let mut scanner = Scanner::new(&text);
                assert_eq!(scanner.value(), value);
                assert_eq!(scanner.text[scanner.at..].len(), rest.len());
            }
        }
    }

    #[test]
    fn what_is_not_json_has_an_end_too() {
        for text in [
            "", "\"", "\"\\", "[", "{\"a\"", "[[[", "]", "}", ":", ",", "ü", "[ü", "{,,",
        ] {
            let mut scanner = Scanner::new(text);
            scanner.value();
            for _ in 0..4 {
                scanner.take(b'{');
                scanner.take(b'[');
                scanner.field();
                scanner.item();
                scanner.value();
            }
        }
    }
}
