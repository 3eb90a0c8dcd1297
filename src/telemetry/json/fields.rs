//! The fields of an event or a span, encoded as members of a JSON object.

use std::fmt::{Debug, Write};

use serde::Serialize;
use tracing::field::{Field, Visit};

/// Encoded fields, each with a comma before it.
pub(super) struct Fields {
    json: Vec<u8>,
    /// Where each one ends.
    ends: Vec<(&'static str, usize)>,
}

impl Fields {
    /// No fields, with room for this many bytes and names, because a buffer that grows is copied.
    pub(super) fn with_room(bytes: usize, names: usize) -> Fields {
        Fields {
            json: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(names),
        }
    }

    /// All of them.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.ends.iter().map(|it| it.0)
    }

    /// Each with its name, the last one first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let start = |index: usize| index.checked_sub(1).map_or(0, |it| self.ends[it].1);
        let ends = self.ends.iter().enumerate().rev();
        ends.map(move |(index, (name, end))| (*name, &self.json[start(index)..*end]))
    }

    /// Adds those of another.
    pub(super) fn append(&mut self, other: &Fields) {
        let before = self.json.len();
        self.json.extend_from_slice(&other.json);
        let ends = other.ends.iter().map(|(name, end)| (*name, before + end));
        self.ends.extend(ends);
    }

    fn add(&mut self, field: &Field, value: impl Serialize) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        let before = self.json.len();
        self.json.push(b',');
        text(&mut self.json, name);
        self.json.push(b':');
        if serde_json::to_writer(&mut self.json, &value).is_err() {
            self.json.truncate(before);
            return;
        }
        self.ends.push((name, self.json.len()));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // A value that cannot be written is cut off where it fails.
        let _ = write!(text, "{value:?}");
        self.add(field, text);
    }
}

/// A text as JSON.
pub(super) fn text(json: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(json, text).expect("memory takes any text");
}
