//! The words of a text, as search compares them.

/// The most words of one text.
const MAX_WORDS: usize = 400;
/// The longest word.
const MAX_LENGTH: usize = 40;

/// The words of a text in lower case, in the singular: those of `listPets` and of `list_pets` are the same.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut last = ' ';
    for it in text.chars() {
        let is_new = it.is_uppercase() && last.is_lowercase();
        if !it.is_alphanumeric() || is_new {
            take(&mut word, &mut found);
        }
        if it.is_alphanumeric() {
            word.extend(it.to_lowercase());
        }
        last = it;
        if found.len() >= MAX_WORDS {
            return found;
        }
    }
    take(&mut word, &mut found);
    found
}

fn take(word: &mut String, found: &mut Vec<String>) {
    let taken = std::mem::take(word);
    if !taken.is_empty() && taken.len() <= MAX_LENGTH {
        found.push(singular(taken));
    }
}

/// English plurals: `entries` and `entry`, `boxes` and `box`, `pets` and `pet`.
fn singular(word: String) -> String {
    let has_end = |end: &str| word.len() > end.len() + 2 && word.ends_with(end);
    if has_end("ies") {
        return format!("{}y", &word[..word.len() - 3]);
    }
    if ["sses", "shes", "ches", "xes"].iter().any(|it| has_end(it)) {
        return word[..word.len() - 2].to_owned();
    }
    if has_end("s") && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is") {
        return word[..word.len() - 1].to_owned();
    }
    word
}
