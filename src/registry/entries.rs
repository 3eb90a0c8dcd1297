//! A JSON object as its fields in their order, with their values unparsed, so that passing it on loses nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The fields of an object.
pub(crate) struct Entries<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

/// A key, without a copy where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Entries<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|it| it.0 == key)
    }

    /// The same fields, with other values where `change` gives some.
    pub(crate) fn map(mut self, change: impl Fn(&str, &RawValue) -> Option<Box<RawValue>>) -> Self {
        for (key, value) in &mut self.0 {
            if let Some(changed) = change(key, value) {
                *value = Cow::Owned(changed);
            }
        }
        self
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'a>, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Name(key), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
                    entries.push((key, Cow::Borrowed(value)));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
