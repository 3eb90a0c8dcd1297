//! The beginning of a text of somebody else's, as errors and the log repeat it.

use std::borrow::Cow;
use std::fmt::Write;

/// The most characters that are repeated of one text.
const MOST: usize = 200;

/// The most characters of a sentence in which it cannot be told which part is somebody else's; room enough for an
/// excerpt in a sentence of this server's.
const MOST_OF_SENTENCE: usize = 400;

const UNKNOWN_FIELD: &str = "unknown field `";

/// How serde begins and goes on around a text that it repeats.
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

/// The first 200 characters of `text`, and `…` where there are more. What could begin another line, steer a terminal or
/// change the direction of writing is escaped.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    cut(text, MOST, is_harmful)
}

/// As much of a text that programs read, who get it in JSON, where nothing needs another escape.
pub fn beginning(text: &str) -> Cow<'_, str> {
    cut(text, MOST, |_| false)
}

/// What serde says of an input, without the line and column in a text that the caller never saw.
pub fn said(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if text.ends_with(&place) {
        text.truncate(text.len() - place.len());
    }
    text
}

/// A sentence of serde's or of a type's own, with an excerpt of what it repeats of the input.
pub fn sentence(said: &str) -> Cow<'_, str> {
    let quoted = QUOTES.iter().find_map(|(opening, closings)| {
        let rest = said.strip_prefix(opening)?;
        let end = closings.iter().filter_map(|it| rest.rfind(it)).max()?;
        Some((*opening, rest.split_at(end)))
    });
    match quoted {
        // What follows is a list of the server's own names, which may be long.
        Some((opening, (theirs, ours))) => match (opening, excerpt(theirs)) {
            // The error has the field beside this, so a long one is not repeated here too.
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
    // Counted as they are shown: an escape has several characters.
    let mut count = 0;
    for character in text.chars() {
        let start = shown.len();
        match is_harmful(character) {
            // Nothing fails that writes into a string.
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
    fn what_is_short_and_harmless_stays_as_it_is() {
        for text in ["", "fetch_account_info", "größe", "`\"\\", &"ä".repeat(100)] {
            assert_eq!(excerpt(text), text);
        }
        let exact = "ä".repeat(200);
        assert_eq!(excerpt(&exact), exact);
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let long = format!("{}…", "ä".repeat(200));
        assert_eq!(excerpt(&"ä".repeat(201)), long);
        assert_eq!(excerpt(&"ä".repeat(1_000_000)), long);
    }

    #[test]
    fn what_would_forge_a_line_is_escaped() {
        assert_eq!(
            excerpt("a\r\n\u{1b}[31m\u{2028}\u{202e}b"),
            r"a\r\n\u{1b}[31m\u{2028}\u{202e}b"
        );
        assert!(excerpt(&"\0".repeat(1000)).chars().count() <= 201);
    }

    #[test]
    fn a_sentence_keeps_what_is_the_servers_own() {
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
