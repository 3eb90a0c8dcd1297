//! Fields of an event as the platform, emulators and test events write them: `null` counts as absent, and a number in
//! place of a text is read as its digits.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;

use memchr::memchr;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A field that is not parsed yet.
pub(crate) type Field<'a> = Option<&'a RawValue>;

/// A map of names, each with one value or a list of values.
pub(crate) type Fields<'a> = BTreeMap<Name<'a>, &'a RawValue>;

/// The name of a field, borrowed from the event where nothing in it is escaped.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Reads names with values, of which an empty list or an empty text has none: some languages write an empty map so.
///
/// # Errors
/// It is something else.
pub(crate) fn names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Fields<'de>>, D::Error> {
    deserializer.deserialize_any(Names)
}

/// Reads names in one pass.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Option<Fields<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with values")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text.is_empty() {
            true => Ok(None),
            false => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        match list.next_element::<IgnoredAny>()? {
            None => Ok(None),
            Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, value)) = map.next_entry()? {
            fields.insert(name, value);
        }
        Ok(Some(fields))
    }
}

/// The text of a field; for any other type, its JSON.
pub(crate) fn text(field: Field<'_>) -> Option<Cow<'_, str>> {
    let json = field?.get();
    match json.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inside) if memchr(b'\\', inside.as_bytes()).is_none() => Some(inside.into()),
        // Only half of a surrogate pair fails here; such a string is kept as it was written.
        Some(inside) => Some(serde_json::from_str(json).map_or(inside.into(), Cow::Owned)),
        None => (json != "null").then_some(json.into()),
    }
}

/// The texts of a field that may be one text or a list of texts.
pub(crate) fn texts(field: &RawValue) -> impl Iterator<Item = Cow<'_, str>> {
    let json = field.get();
    let list = || serde_json::from_str::<Vec<&RawValue>>(json).ok();
    let list = json.starts_with('[').then(list).flatten();
    let only = text(Some(field)).filter(|_| list.is_none());
    let items = list.into_iter().flatten();
    only.into_iter()
        .chain(items.filter_map(|it| text(Some(it))))
}

/// Whether a field is `true`, as a boolean or as text.
pub(crate) fn flag(field: Field<'_>) -> bool {
    text(field).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// Every name with each of its values. `second` is used only for names that have no value in `first`.
pub(crate) fn merged<'l>(
    first: Option<&'l Fields<'_>>,
    second: Option<&'l Fields<'_>>,
    are_same: fn(&str, &str) -> bool,
) -> impl Iterator<Item = (&'l str, Cow<'l, str>)> {
    let is_value = |field: &RawValue| !matches!(field.get(), "null" | "[]");
    let has = move |name: &str| {
        let exact = first.and_then(|it| it.get(name));
        let named =
            |(other, field): (&Name<'_>, &&RawValue)| are_same(name, &other.0) && is_value(field);
        exact.is_some_and(|field| is_value(field)) || first.is_some_and(|it| it.iter().any(named))
    };
    let second = second.into_iter().flatten();
    let second = second.filter(move |(name, _)| !has(&name.0));
    let all = first.into_iter().flatten().chain(second);
    all.flat_map(|(name, field)| {
        let name: &str = &name.0;
        texts(field).map(move |text| (name, text))
    })
}
