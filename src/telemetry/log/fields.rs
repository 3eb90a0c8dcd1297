//! The fields of an event or a span, written as they stand in a line.

use std::fmt::{Debug, Write};

use serde::Serialize;
use tracing::field::{Field, Visit};

use super::style::Style;

/// Written fields, each with its separator before it.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) style: Style,
    /// The fields; in the line of an event, the whole line.
    pub(super) text: Vec<u8>,
    /// The end of each field in the text.
    ends: Vec<(&'static str, usize)>,
}

impl Fields {
    /// No fields, with capacity for this many bytes and names, because a buffer that grows is copied.
    pub(super) fn with_room(style: Style, bytes: usize, names: usize) -> Fields {
        Fields {
            style,
            text: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(names),
        }
    }

    /// Removes all fields, and keeps the allocated memory.
    pub(super) fn clear(&mut self, style: Style) {
        self.style = style;
        self.text.clear();
        self.ends.clear();
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.ends.iter().map(|it| it.0)
    }

    /// The fields with their names, the last one first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let start = |index: usize| index.checked_sub(1).map_or(0, |it| self.ends[it].1);
        let ends = self.ends.iter().enumerate().rev();
        ends.map(move |(index, (name, end))| (*name, &self.text[start(index)..*end]))
    }

    /// Adds the fields of another.
    pub(super) fn append(&mut self, other: &Fields) {
        let before = self.text.len();
        self.text.extend_from_slice(&other.text);
        let ends = other.ends.iter().map(|(name, end)| (*name, before + end));
        self.ends.extend(ends);
    }

    fn add(&mut self, field: &Field, write: impl FnOnce(Style, &mut Vec<u8>, &str)) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.style.name(&mut self.text, name);
        write(self.style, &mut self.text, name);
        self.ends.push((name, self.text.len()));
    }

    /// A number or a boolean, which both styles write as JSON does.
    fn add_plain(&mut self, field: &Field, value: impl Serialize) {
        self.add(field, |_, text, _| {
            serde_json::to_writer(text, &value).expect("memory takes any number");
        });
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add_plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_plain(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |style, text, name| style.text(text, name, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut description = String::new();
        // A value that cannot be written is cut off where it fails.
        let _ = write!(description, "{value:?}");
        self.add(field, |style, text, _| {
            style.description(text, &description)
        });
    }
}
