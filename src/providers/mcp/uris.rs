//! URIs in results of a mounted server, in the form in which they can be read back here.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::names::Names;
use crate::registry::Entries;

/// The result with our URIs. Only what has a URI is parsed, so that everything else is the same, byte for byte.
pub(super) fn rewritten(result: Box<RawValue>, names: &Names) -> Box<RawValue> {
    if !names.has_prefix() || !result.get().contains("\"uri\"") {
        return result;
    }
    let Ok(entries) = serde_json::from_str::<Entries<'_>>(result.get()) else {
        return result;
    };
    let changed = entries.map(|key, value| match key {
        "content" | "contents" | "messages" => list(value, names),
        _ => None,
    });
    match to_raw_value(&changed) {
        Ok(changed) => changed,
        Err(_) => result,
    }
}

/// The list with our URIs; `None` if it has none.
fn list(list: &RawValue, names: &Names) -> Option<Box<RawValue>> {
    if !list.get().contains("\"uri\"") {
        return None;
    }
    let blocks: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let blocks: Vec<Box<RawValue>> = blocks
        .into_iter()
        .map(|block| match block.get().contains("\"uri\"") {
            true => self::block(block, names).unwrap_or_else(|| block.to_owned()),
            false => block.to_owned(),
        })
        .collect();
    to_raw_value(&blocks).ok()
}

fn block(block: &RawValue, names: &Names) -> Option<Box<RawValue>> {
    let mut block: Value = serde_json::from_str(block.get()).ok()?;
    // A block of a result, a document, or the message of a prompt around a block.
    for place in [
        "/uri",
        "/resource/uri",
        "/content/uri",
        "/content/resource/uri",
    ] {
        if let Some(uri) = block.pointer_mut(place)
            && let Some(ours) = uri.as_str().and_then(|it| names.uri(it))
        {
            *uri = ours.into();
        }
    }
    to_raw_value(&block).ok()
}
