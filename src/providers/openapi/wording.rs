//! Descriptions for agents: the first sentence and what fits behind it, as plain text.

/// The most characters of the description of a tool.
pub(super) const OF_TOOL: usize = 400;
/// The most characters of the description of an argument.
pub(super) const OF_ARGUMENT: usize = 200;

/// The beginning of a description in one line: whole sentences where they fit, or else whole words.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    let cut: String = text.chars().take(most - 1).collect();
    let sentence = [". ", "! ", "? "]
        .iter()
        .filter_map(|end| cut.rfind(end))
        .max();
    if let Some(end) = sentence {
        return cut[..=end].to_owned();
    }
    let words = cut.rfind(' ').map_or(&*cut, |end| &cut[..end]);
    format!("{words}…")
}

/// The text without line breaks, tags of HTML and control characters.
fn plain(text: &str) -> String {
    // What is cut away anyway is not looked at.
    let text: String = text.chars().take(4_000).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let is_tag = tag[1..].starts_with(|it: char| it.is_ascii_alphabetic() || it == '/');
        match tag.find('>').filter(|end| is_tag && *end < 200) {
            Some(end) => {
                out.push(' ');
                rest = &tag[end + 1..];
            }
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    let words = out.split(|it: char| it.is_whitespace() || it.is_control());
    let words: Vec<&str> = words.filter(|it| !it.is_empty()).collect();
    words.join(" ")
}

/// Puts a remark behind a description.
pub(super) fn and(description: &mut String, remark: &str) {
    if !description.is_empty() {
        let is_sentence = description.ends_with(['.', '!', '?', '…', ':', ')']);
        description.push_str(if is_sentence { " " } else { ". " });
    }
    description.push_str(remark);
}
