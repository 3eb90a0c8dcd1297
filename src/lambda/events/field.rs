//! Fields of an event as the platform, emulators and test events write them: `null` is nothing, and a number where text
//! is meant is its text.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A field whose shape its reader decides.
pub(crate) type Field<'a> = Option<&'a RawValue>;

/// Names with a value or a list of values each.
pub(crate) type Fields<'a> = BTreeMap<Name<'a>, &'a RawValue>;

/// The name of a field, borrowed from the event where nothing in it is escaped.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The text of a field; of what is no string, its JSON.
pub(crate) fn text(field: Field<'_>) -> Option<Cow<'_, str>> {
    let json = field?.get();
    match json.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Some(inside.into()),
        // Only half of a surrogate pair fails here, and what has one is no text to anybody.
        Some(inside) => Some(serde_json::from_str(json).map_or(inside.into(), Cow::Owned)),
        None => (json != "null").then_some(json.into()),
    }
}

/// The texts of a field that may be a list of them.
pub(crate) fn texts(field: &RawValue) -> impl Iterator<Item = Cow<'_, str>> {
    let json = field.get();
    let list = || serde_json::from_str::<Vec<&RawValue>>(json).ok();
    let list = json.starts_with('[').then(list).flatten();
    let only = text(Some(field)).filter(|_| list.is_none());
    let items = list.into_iter().flatten();
    only.into_iter()
        .chain(items.filter_map(|it| text(Some(it))))
}

/// Whether a field says yes.
pub(crate) fn flag(field: Field<'_>) -> bool {
    text(field).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// Every name with each of its values: those of `first`, and of `second` what `first` has no value for.
pub(crate) fn lines<'l>(
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
