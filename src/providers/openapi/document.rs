//! One file of a document: its JSON text, of which only what is asked for is decoded.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::yaml;

/// A part of the text of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

/// The fields of an object, in the order of their names.
pub(super) type Fields = BTreeMap<String, Span>;

/// The text of one file. A document of megabytes is never decoded as a whole.
pub(super) struct Document {
    text: String,
    /// The objects that were looked into.
    known: RefCell<HashMap<Span, Option<Rc<Fields>>>>,
}

impl Document {
    /// Reads JSON, or YAML if the text is not a JSON object.
    ///
    /// # Errors
    /// What is wrong, and the line.
    pub(super) fn read(text: String) -> Result<Document, String> {
        let is_marked = text.starts_with('\u{feff}');
        let text = match is_marked {
            true => text['\u{feff}'.len_utf8()..].to_owned(),
            false => text,
        };
        let json = match serde_json::from_str::<&RawValue>(&text) {
            Ok(_) => text,
            // The message about JSON is better for a text that was meant to be JSON. YAML does not allow tabs.
            Err(error) if text.trim_start().starts_with('{') => {
                yaml::to_json(&text).map_err(|_| error.to_string())?
            }
            Err(_) => yaml::to_json(&text)?,
        };
        Ok(Document {
            text: json,
            known: RefCell::default(),
        })
    }

    /// The whole text.
    pub(super) fn root(&self) -> Span {
        Span {
            start: 0,
            end: self.text.len(),
        }
    }

    /// The JSON text of a part.
    pub(super) fn text(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("null")
    }

    /// Decodes a part.
    ///
    /// # Errors
    /// It is nested too deeply.
    pub(super) fn value(&self, span: Span) -> Result<Value, String> {
        serde_json::from_str(self.text(span)).map_err(|error| error.to_string())
    }

    /// The fields of an object; `None` where the part is none.
    pub(super) fn fields(&self, span: Span) -> Option<Rc<Fields>> {
        if let Some(known) = self.known.borrow().get(&span) {
            return known.clone();
        }
        let text = self.text(span);
        let parts: Option<BTreeMap<Cow<'_, str>, &RawValue>> = serde_json::from_str(text).ok();
        let fields = parts.map(|parts| {
            let fields = parts.into_iter();
            let fields = fields.map(|(name, part)| (name.into_owned(), self.span_of(part)));
            Rc::new(fields.collect::<Fields>())
        });
        self.known.borrow_mut().insert(span, fields.clone());
        fields
    }

    /// The field of an object.
    pub(super) fn field(&self, span: Span, name: &str) -> Option<Span> {
        self.fields(span)?.get(name).copied()
    }

    /// The part at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<Span> {
        let mut span = self.root();
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            span = match self.text(span).starts_with('[') {
                true => self.item(span, step.parse().ok()?)?,
                false => self.field(span, &step)?,
            };
        }
        Some(span)
    }

    fn item(&self, span: Span, index: usize) -> Option<Span> {
        let items: Vec<&RawValue> = serde_json::from_str(self.text(span)).ok()?;
        items.get(index).map(|it| self.span_of(it))
    }

    /// Where a part stands that borrows from the text.
    fn span_of(&self, part: &RawValue) -> Span {
        let start = part.get().as_ptr() as usize - self.text.as_ptr() as usize;
        Span {
            start,
            end: start + part.get().len(),
        }
    }
}
