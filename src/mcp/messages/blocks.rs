//! Content blocks in the form of the client's revision.

use std::borrow::Cow;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::mcp::messages::version::Shape;

/// Replaces blocks that the revision does not know by text. From 2025-06-18 on all blocks are known, and the bytes are
/// passed on unparsed.
pub(crate) fn known(blocks: &RawValue, shape: Shape) -> Cow<'_, RawValue> {
    if shape >= Shape::Structured {
        return Cow::Borrowed(blocks);
    }
    let mut blocks: Vec<Map<String, Value>> =
        serde_json::from_str(blocks.get()).unwrap_or_default();
    for block in &mut blocks {
        if let Some(text) = instead(block, shape) {
            block.retain(|key, _| key == "annotations");
            block.insert("type".to_owned(), json!("text"));
            block.insert("text".to_owned(), Value::String(text));
        }
        if let Some(annotations) = block.get_mut("annotations") {
            abridge(annotations, shape);
        }
    }
    Cow::Owned(to_raw_value(&blocks).expect("what was JSON is JSON"))
}

/// One block of text.
pub(crate) fn text(text: &str) -> Box<RawValue> {
    let blocks = json!([{ "type": "text", "text": text }]);
    to_raw_value(&blocks).expect("a JSON value is JSON")
}

/// Removes annotations that the revision does not know.
pub(crate) fn abridge(annotations: &mut Value, shape: Shape) {
    if let Some(fields) = annotations
        .as_object_mut()
        .filter(|_| shape < Shape::Structured)
    {
        fields.remove("lastModified");
    }
}

/// The text that replaces an unknown block.
fn instead(block: &Map<String, Value>, shape: Shape) -> Option<String> {
    let text = |key: &str| block.get(key).and_then(Value::as_str);
    match text("type") {
        Some("resource_link") => {
            let name = text("title").or(text("name")).unwrap_or_default();
            Some(format!("{name}: {}", text("uri").unwrap_or_default()))
        }
        Some("audio") if shape < Shape::Hinted => {
            let kind = text("mimeType").unwrap_or("audio");
            Some(format!(
                "A sound ({kind}), which this revision of the protocol cannot carry."
            ))
        }
        _ => None,
    }
}
