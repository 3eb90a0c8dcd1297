//! Names of tools and arguments: words with `_` between them, short, and each once.

use std::collections::HashSet;

use http::Method;

/// The longest name that every client takes.
pub(super) const MAX_NAME: usize = 64;

/// Gives each name once.
pub(super) struct Names {
    prefix: String,
    taken: HashSet<String>,
}

impl Names {
    /// Names that begin with `prefix`.
    pub(super) fn new(prefix: &str) -> Names {
        Names {
            prefix: prefix.to_owned(),
            taken: HashSet::new(),
        }
    }

    /// The name, shortened, and with a number where it was given before.
    pub(super) fn take(&mut self, name: &str) -> String {
        let whole = format!("{}{name}", self.prefix);
        let mut result = shorten(&whole, MAX_NAME);
        let mut number = 1;
        while !self.taken.insert(result.clone()) {
            number += 1;
            let ending = format!("_{number}");
            result = shorten(&whole, MAX_NAME - ending.len()) + &ending;
        }
        result
    }
}

/// The words of a name in lower case: `listPets` and `pets/list-all` become `list_pets` and `pets_list_all`.
pub(super) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 8);
    for (place, it) in letters.iter().enumerate() {
        if !it.is_ascii_alphanumeric() {
            divide(&mut out);
            continue;
        }
        let before = place.checked_sub(1).map(|it| letters[it]);
        let after = letters.get(place + 1);
        let begins_word = it.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins_word {
            divide(&mut out);
        }
        out.push(it.to_ascii_lowercase());
    }
    out.trim_matches('_').to_owned()
}

/// The name of an operation without an `operationId`.
pub(super) fn of_path(method: &Method, path: &str) -> String {
    let path = path.replace('{', "by_").replace('}', "");
    snake(&format!("{}_{path}", method.as_str().to_ascii_lowercase()))
}

/// The name of an argument: the name itself where every client takes it, or else its words.
pub(super) fn of_argument(name: &str) -> String {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_legal) {
        return name.to_owned();
    }
    let words: String = name
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '_' })
        .collect();
    let mut out = String::with_capacity(words.len());
    for it in words.chars() {
        match it {
            '_' => divide(&mut out),
            it => out.push(it),
        }
    }
    match out.trim_matches('_') {
        "" => "value".to_owned(),
        words => shorten(words, MAX_NAME),
    }
}

/// At most `most` characters, and whole words where that leaves half of them.
fn shorten(name: &str, most: usize) -> String {
    // Names are ASCII.
    if name.len() <= most {
        return name.to_owned();
    }
    let cut = &name[..most];
    let end = cut.rfind('_').filter(|end| *end > most / 2).unwrap_or(most);
    cut[..end].trim_end_matches('_').to_owned()
}

fn divide(out: &mut String) {
    if !out.is_empty() && !out.ends_with('_') {
        out.push('_');
    }
}
