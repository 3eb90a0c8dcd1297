//! Cuts text at a line, with a note.

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

/// What the note and its block take.
const NOTE: usize = 150;

/// A block of text, with what else it has.
#[derive(Serialize, Deserialize)]
struct Block {
    r#type: String,
    text: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// The lines of a text that are kept.
struct Kept<'a> {
    text: &'a str,
    lines: usize,
}

/// The JSON of a text, or of a list of content blocks, within this many bytes; `None` where it fits or is something else.
pub(super) fn cut(json: &str, bytes: usize) -> Option<String> {
    if json.len() <= bytes {
        return None;
    }
    match json.as_bytes().first()? {
        b'"' => text(json, bytes),
        b'[' => blocks(json, bytes),
        _ => None,
    }
}

fn text(json: &str, bytes: usize) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    let kept = Kept::of(&text, bytes.saturating_sub(NOTE));
    let note = note(kept.lines, text.lines().count(), bytes);
    let separator = if kept.text.is_empty() || kept.text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    serde_json::to_string(&format!("{}{separator}{note}", kept.text)).ok()
}

/// Blocks that fit are kept whole; of the first text that does not, the lines that do. A note is the last block.
fn blocks(json: &str, bytes: usize) -> Option<String> {
    let blocks: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let mut left = bytes.saturating_sub(NOTE);
    let (mut kept, mut shown, mut all) = (Vec::new(), 0, 0);
    let mut is_full = false;
    for block in blocks {
        let size = block.get().len() + 1;
        let text = serde_json::from_str::<Block>(block.get());
        let mut text = text.ok().filter(|it| it.r#type == "text");
        let lines = text.as_ref().map_or(0, |it| it.text.lines().count());
        all += lines;
        if !is_full && size <= left {
            left -= size;
            shown += lines;
            kept.push(block.get().to_owned());
            continue;
        }
        if let Some(block) = text.as_mut().filter(|_| !is_full) {
            let around = size - serde_json::to_string(&block.text).ok()?.len();
            let part = Kept::of(&block.text, left.saturating_sub(around + 2));
            shown += part.lines;
            block.text = part.text.to_owned();
            if !block.text.is_empty() {
                kept.push(serde_json::to_string(block).ok()?);
            }
        }
        is_full = true;
    }
    kept.push(json!({ "type": "text", "text": note(shown, all, bytes) }).to_string());
    Some(format!("[{}]", kept.join(",")))
}

impl<'a> Kept<'a> {
    /// The first lines whose JSON takes at most this number of bytes.
    fn of(text: &'a str, bytes: usize) -> Kept<'a> {
        let (mut size, mut end, mut lines) = (0, 0, 0);
        for line in text.split_inclusive('\n') {
            // Without its quotes.
            size += serde_json::to_string(line).map_or(usize::MAX, |it| it.len() - 2);
            if size > bytes {
                break;
            }
            end += line.len();
            lines += 1;
        }
        let text = &text[..end];
        Kept { text, lines }
    }
}

fn note(shown: usize, all: usize, bytes: usize) -> String {
    format!("[cut: {shown} of {all} lines fit into {bytes} bytes; a larger `max_bytes` shows more]")
}
