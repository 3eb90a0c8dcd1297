//! A value in a text, read one level deep and not before it is looked into.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::Kind;
use super::violation::Violation;

/// The fields of an object in their order, those among them that stand twice.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value, of which several schemas may look at the same parts.
pub(super) struct Part<'a> {
    raw: &'a str,
    fields: OnceCell<Option<Fields<'a>>>,
    items: OnceCell<Option<Vec<&'a RawValue>>>,
    text: OnceCell<Option<Cow<'a, str>>>,
}

impl<'a> Part<'a> {
    pub(super) fn new(raw: &'a str) -> Part<'a> {
        Part {
            raw,
            fields: OnceCell::new(),
            items: OnceCell::new(),
            text: OnceCell::new(),
        }
    }

    pub(super) fn raw(&self) -> &'a str {
        self.raw
    }

    pub(super) fn kind(&self) -> Kind {
        match self.raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The fields of an object.
    pub(super) fn fields(&self) -> Result<&[(Cow<'a, str>, &'a RawValue)], Violation> {
        let fields = self
            .fields
            .get_or_init(|| serde_json::from_str(self.raw).ok());
        fields.as_ref().map(|it| &*it.0).ok_or_else(unreadable)
    }

    /// The items of an array.
    pub(super) fn items(&self) -> Result<&[&'a RawValue], Violation> {
        let items = self
            .items
            .get_or_init(|| serde_json::from_str(self.raw).ok());
        items.as_deref().ok_or_else(unreadable)
    }

    /// The characters of a string.
    pub(super) fn text(&self) -> Result<&str, Violation> {
        let text = self.text.get_or_init(|| {
            let read = serde_json::from_str::<Key<'a>>(self.raw);
            read.ok().map(|it| it.0)
        });
        text.as_deref().ok_or_else(unreadable)
    }
}

/// Half of a surrogate pair is JSON and no text.
fn unreadable() -> Violation {
    Violation::form("has characters that are not Unicode")
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields<'a>, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Vec::new();
                while let Some((name, raw)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    fields.push((name.0, raw));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
