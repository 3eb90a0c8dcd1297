//! Fields of an event as the platform, emulators and test events write them: `null` counts as absent, and a number in
//! place of a text is read as its digits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A field that is not parsed yet.
pub(crate) type Field<'a> = Option<&'a RawValue>;

/// A map of names, each with one value or a list of values.
pub(crate) type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The text of a field; for any other type, its JSON.
pub(crate) fn text(field: Field<'_>) -> Option<Cow<'_, str>> {
    let json = field?.get();
    match json.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Some(inside.into()),
        // Only half of a surrogate pair fails here; such a string is kept as it was written.
        Some(inside) => Some(serde_json::from_str(json).map_or(inside.into(), Cow::Owned)),
        None => (json != "null").then_some(json.into()),
    }
}

/// The texts of a field that may be one text or a list of texts.
pub(crate) fn texts(field: &RawValue) -> Vec<Cow<'_, str>> {
    match serde_json::from_str::<Vec<&RawValue>>(field.get()) {
        Ok(list) => list.into_iter().filter_map(|it| text(Some(it))).collect(),
        Err(_) => text(Some(field)).into_iter().collect(),
    }
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
            |(other, field): (&Cow<'_, str>, &&RawValue)| are_same(name, other) && is_value(field);
        exact.is_some_and(|field| is_value(field)) || first.is_some_and(|it| it.iter().any(named))
    };
    let second = second.into_iter().flatten();
    let second = second.filter(move |(name, _)| !has(name));
    let all = first.into_iter().flatten().chain(second);
    all.flat_map(|(name, field)| {
        let name: &str = name;
        texts(field).into_iter().map(move |text| (name, text))
    })
}
