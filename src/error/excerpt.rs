//! Excerpts of untrusted text, for errors and the log.

use std::borrow::Cow;
use std::fmt::Write;

/// The most characters of an excerpt.
const MOST: usize = 200;

/// The most characters of a message that may contain untrusted text anywhere: enough for a message with one excerpt.
const MOST_OF_SENTENCE: usize = 400;

const UNKNOWN_FIELD: &str = "unknown field `";

/// The text before and after a value that serde repeats in an error.
const QUOTES: [(&str, [&str; 2]); 4] = [
    (UNKNOWN_FIELD, ["`, expected ", "`, there are no "]),
    ("unknown variant `", ["`, expected ", "`, there are no "]),
    (
        "invalid type: string \"",
        ["\", expected ", "\", expected "],
    ),
    (
        "invalid value: string \"",
        ["\", expected ", "\", expected "],
    ),
];

/// The first 200 characters of `text`, with `…` where there are more. Characters that could begin a new line, control a
/// terminal or change the writing direction are escaped.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    cut(text, MOST, is_harmful)
}

/// The first 200 characters of a text for programs, which get it as JSON and need no further escapes.
pub fn beginning(text: &str) -> Cow<'_, str> {
    cut(text, MOST, |_| false)
}

/// The message of a serde error, without line and column: they refer to a text that the caller never saw.
pub fn said(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if text.ends_with(&place) {
        text.truncate(text.len() - place.len());
    }
    text
}

/// An error message of serde or of a type, in which the repeated input is shortened to an excerpt.
pub fn sentence(said: &str) -> Cow<'_, str> {
    let quoted = QUOTES.iter().find_map(|(opening, closings)| {
        let rest = said.strip_prefix(opening)?;
        let end = closings.iter().filter_map(|it| rest.rfind(it)).max()?;
        Some((*opening, rest.split_at(end)))
    });
    match quoted {
        // The rest is a list of the server's own names, which may be long.
        Some((opening, (theirs, ours))) => match (opening, excerpt(theirs)) {
            // The error already names the field, so a long name is not repeated here.
            (UNKNOWN_FIELD, Cow::Owned(_)) => {
                format!("unknown field{}", ours.trim_start_matches('`')).into()
            }
            (opening, theirs) => format!("{opening}{theirs}{ours}").into(),
        },
        None => cut(said, MOST_OF_SENTENCE, is_harmful),
    }
}

fn cut(text: &str, most: usize, is_harmful: fn(char) -> bool) -> Cow<'_, str> {
    if text.len() <= most && !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    // Counts the characters that are shown: an escape has several.
    let mut count = 0;
    for character in text.chars() {
        let start = shown.len();
        match is_harmful(character) {
            // Writing into a string cannot fail.
            true => drop(write!(shown, "{}", character.escape_default())),
            false => shown.push(character),
        }
        count += shown[start..].chars().count();
        if count > most {
            shown.truncate(start);
            shown.push('…');
            break;
        }
    }
    shown.into()
}

fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{excerpt, sentence};

    #[test]
    fn a_short_and_harmless_text_is_unchanged() {
        for text in ["", "fetch_account_info", "größe", "`\"\\", &"ä".repeat(100)] {
            assert_eq!(excerpt(text), text);
        }
        let exact = "ä".repeat(200);
        assert_eq!(excerpt(&exact), exact);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = format!("{}…", "ä".repeat(200));
        assert_eq!(excerpt(&"ä".repeat(201)), long);
        assert_eq!(excerpt(&"ä".repeat(1_000_000)), long);
    }

    #[test]
    fn characters_that_could_forge_a_log_line_are_escaped() {
        assert_eq!(
            excerpt("a\r\n\u{1b}[31m\u{2028}\u{202e}b"),
            r"a\r\n\u{1b}[31m\u{2028}\u{202e}b"
        );
        assert!(excerpt(&"\0".repeat(1000)).chars().count() <= 201);
    }

    #[test]
    fn a_message_keeps_the_servers_own_text() {
        let long = "x".repeat(100_000);
        let names = "`name`, ".repeat(100);
        let cut = format!("{}…", "x".repeat(200));
        for (opening, closing) in [
            ("unknown variant `", format!("`, expected one of {names}")),
            ("invalid type: string \"", "\", expected u32".to_owned()),
            ("invalid value: string \"", "\", expected u32".to_owned()),
        ] {
            let said = format!("{opening}{long}{closing}");
            assert_eq!(sentence(&said), format!("{opening}{cut}{closing}"));
        }
        for ours in [
            ", there are no fields",
            &format!(", expected one of {names}"),
        ] {
            let said = format!("unknown field `{long}`{ours}");
            assert_eq!(sentence(&said), format!("unknown field{ours}"));
            let said = format!("unknown field `colour`{ours}");
            assert_eq!(sentence(&said), said);
        }
        assert!(sentence(&format!("no colour `{long}`")).chars().count() <= 401);
        assert_eq!(sentence("missing field `name`"), "missing field `name`");
    }
}
