//! The known fields of a JSON object, parsed in one pass and borrowed.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The values of the `N` keys of type `K`; other keys are ignored.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a, K, const N: usize> {
    values: [Field<'a>; N],
    keys: PhantomData<K>,
}

#[derive(Clone, Copy)]
enum Field<'a> {
    Absent,
    Once(&'a RawValue),
    /// The key occurs twice, or the object is malformed.
    Unclear,
}

impl<'a, K: Into<usize>, const N: usize> Fields<'a, K, N> {
    /// The fields of an empty object.
    pub(crate) fn none() -> Self {
        Fields::all(Field::Absent)
    }

    /// Parses an object. In a malformed one every field is ambiguous.
    pub(crate) fn read(object: &'a str) -> Self
    where
        K: Deserialize<'a>,
    {
        serde_json::from_str(object).unwrap_or_else(|_| Fields::all(Field::Unclear))
    }

    fn all(field: Field<'a>) -> Self {
        Fields {
            values: [field; N],
            keys: PhantomData,
        }
    }

    /// Whether the key is present, with any value.
    pub(crate) fn has(&self, key: K) -> bool {
        !matches!(self.values[key.into()], Field::Absent)
    }

    /// The value of a field that occurs once; it may be `null`.
    pub(crate) fn raw(&self, key: K) -> Option<&'a RawValue> {
        match self.values[key.into()] {
            Field::Once(value) => Some(value),
            Field::Absent | Field::Unclear => None,
        }
    }

    /// The value of an optional field, where `null` means absent; `None` if it is ambiguous.
    pub(crate) fn optional(&self, key: K) -> Option<Option<&'a RawValue>> {
        match self.values[key.into()] {
            Field::Once(value) => Some(Some(value).filter(|it| it.get() != "null")),
            Field::Absent => Some(None),
            Field::Unclear => None,
        }
    }

    /// A required string.
    pub(crate) fn text(&self, key: K) -> Option<Cow<'a, str>> {
        text(self.raw(key)?)
    }

    /// A required field of type `T`.
    pub(crate) fn parsed<T: Deserialize<'a>>(&self, key: K) -> Option<T> {
        serde_json::from_str(self.raw(key)?.get()).ok()
    }

    /// An optional field of type `T`; `None` if its value has another type.
    pub(crate) fn optional_parsed<T: Deserialize<'a>>(&self, key: K) -> Option<Option<T>> {
        match self.optional(key)? {
            Some(value) => serde_json::from_str(value.get()).ok().map(Some),
            None => Some(None),
        }
    }
}

impl<'de, K: Deserialize<'de> + Into<usize>, const N: usize> Deserialize<'de>
    for Fields<'de, K, N>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

struct Reader<K, const N: usize>(PhantomData<K>);

impl<'de, K: Deserialize<'de> + Into<usize>, const N: usize> Visitor<'de> for Reader<K, N> {
    type Value = Fields<'de, K, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::none();
        while let Some(key) = map.next_key::<K>()? {
            let Some(field) = fields.values.get_mut(key.into()) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            *field = match field {
                Field::Absent => Field::Once(value),
                Field::Once(_) | Field::Unclear => Field::Unclear,
            };
        }
        Ok(fields)
    }
}

/// The value of a JSON string, borrowed if it has no escapes.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    match quoted.contains('\\') {
        false => Some(quoted.into()),
        true => serde_json::from_str::<String>(raw.get())
            .ok()
            .map(Cow::Owned),
    }
}
