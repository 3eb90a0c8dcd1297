//! JSON as it is printed: as the server wrote it, on one line, or indented for people.

use std::io::IsTerminal;
use std::process::ExitCode;

use crate::cli::{Failure, print};

/// Prints a JSON text: indented on a terminal, on one line elsewhere.
pub(super) fn show(json: &str) -> Result<ExitCode, Failure> {
    let is_indented = std::io::stdout().is_terminal();
    print(format(json, is_indented) + "\n")
}

/// The text with its numbers and the order of its fields unchanged; `json` must be valid. Characters that a terminal would
/// obey are escaped.
fn format(json: &str, is_indented: bool) -> String {
    let mut out = String::with_capacity(json.len());
    let mut depth = 0;
    let mut is_text = false;
    let mut is_escaped = false;
    let mut chars = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        if is_indented {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    while let Some(it) = chars.next() {
        if is_text {
            is_text = is_escaped || it != '"';
            is_escaped = !is_escaped && it == '\\';
            match it.is_control() {
                true => out.push_str(&format!("\\u{:04x}", u32::from(it))),
                false => out.push(it),
            }
            continue;
        }
        match it {
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                out.push(it);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|it| matches!(it, '}' | ']')) {
                    out.push(end);
                    continue;
                }
                depth += 1;
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(it);
            }
            ',' => {
                out.push(it);
                line(&mut out, depth);
            }
            ':' => out.push_str(if is_indented { ": " } else { ":" }),
            _ => {
                is_text = it == '"';
                out.push(it);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn json_is_printed_with_its_own_numbers_and_order() {
        let json = "{ \"b\": 1.00,\n\"a\": [ ],\"c\\\"{\": [1e2 , \"x: {}\"], \"d\":{}}";
        let line = "{\"b\":1.00,\"a\":[],\"c\\\"{\":[1e2,\"x: {}\"],\"d\":{}}";
        assert_eq!(format(json, false), line);
        let indented = "{\n  \"b\": 1.00,\n  \"a\": [],\n  \"c\\\"{\": [\n    1e2,\n    \"x: {}\"\n  ],\n  \"d\": {}\n}";
        assert_eq!(format(json, true), indented);
        assert_eq!(format("\"\u{9b}2J\u{7f}\"", false), "\"\\u009b2J\\u007f\"");
    }
}
