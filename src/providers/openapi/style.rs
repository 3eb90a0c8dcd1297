//! How values of parameters are written in paths, queries, headers and cookies (OpenAPI 3.1, "Style Values").

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use super::parameter::Style;

/// The most levels of an object in a query.
const MAX_DEPTH: usize = 8;

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same with reserved characters that neither end a parameter nor begin a fragment.
const RESERVED: &AsciiSet = &ENCODED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';');

/// A value as texts.
enum Parts {
    One(String),
    List(Vec<String>),
    Fields(Vec<(String, String)>),
}

/// The text of a scalar; JSON of anything else.
pub(super) fn text(raw: &RawValue) -> String {
    match raw.get().starts_with('"') {
        true => serde_json::from_str(raw.get()).unwrap_or_default(),
        false => raw.get().to_owned(),
    }
}

/// The items of a list.
pub(super) fn items(raw: &RawValue) -> Option<Vec<&RawValue>> {
    raw.get()
        .starts_with('[')
        .then(|| serde_json::from_str(raw.get()).unwrap_or_default())
}

/// The fields of an object.
pub(super) fn fields(raw: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    raw.get()
        .starts_with('{')
        .then(|| serde_json::from_str(raw.get()).unwrap_or_default())
}

fn parts(raw: &RawValue) -> Parts {
    let given = |it: &&RawValue| it.get() != "null";
    if let Some(items) = items(raw) {
        return Parts::List(items.into_iter().filter(given).map(text).collect());
    }
    if let Some(fields) = fields(raw) {
        let fields = fields.into_iter().filter(|it| given(&it.1));
        return Parts::Fields(
            fields
                .map(|(name, it)| (name.into_owned(), text(it)))
                .collect(),
        );
    }
    Parts::One(text(raw))
}

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The part of a path.
pub(super) fn in_path(name: &str, raw: &RawValue, style: Style, explode: bool) -> String {
    let (start, divider) = match style {
        Style::Label if explode => (".".to_owned(), "."),
        Style::Label => (".".to_owned(), ","),
        Style::Matrix if explode => (";".to_owned(), ";"),
        Style::Matrix => (format!(";{}=", encode(name)), ","),
        _ => (String::new(), ","),
    };
    let named = |it: &str| match style == Style::Matrix && explode {
        true => format!("{}={}", encode(name), encode(it)),
        false => encode(it),
    };
    let texts: Vec<String> = match parts(raw) {
        Parts::One(text) => vec![named(&text)],
        Parts::List(items) => items.iter().map(|it| named(it)).collect(),
        Parts::Fields(fields) => fields
            .iter()
            .map(|(key, it)| pair(key, it, explode))
            .collect(),
    };
    start + &texts.join(divider)
}

/// The value of a header.
pub(super) fn in_header(raw: &RawValue, style: Style, explode: bool) -> String {
    match parts(raw) {
        _ if style == Style::Json => raw.get().to_owned(),
        Parts::One(text) => text,
        Parts::List(items) => items.join(","),
        Parts::Fields(fields) => {
            let divider = if explode { "=" } else { "," };
            let fields = fields.iter().map(|(key, it)| format!("{key}{divider}{it}"));
            fields.collect::<Vec<_>>().join(",")
        }
    }
}

/// The pairs of a query, of a form or of a cookie, encoded.
pub(super) fn pairs(
    name: &str,
    raw: &RawValue,
    style: Style,
    explode: bool,
    is_reserved: bool,
) -> Vec<String> {
    let set = if is_reserved { RESERVED } else { ENCODED };
    let encoded = |it: &str| utf8_percent_encode(it, set).to_string();
    let own = |value: String| format!("{}={value}", encode(name));
    if style == Style::Json {
        return vec![own(encoded(raw.get()))];
    }
    if style == Style::Deep {
        let mut out = Vec::new();
        deep(&encode(name), raw, &encoded, &mut out, 0);
        return out;
    }
    let divider = match style {
        Style::Spaces => "%20",
        Style::Pipes => "%7C",
        Style::Tabs => "%09",
        _ => ",",
    };
    match parts(raw) {
        Parts::One(text) => vec![own(encoded(&text))],
        Parts::List(items) if items.is_empty() => Vec::new(),
        Parts::List(items) if explode => items.iter().map(|it| own(encoded(it))).collect(),
        Parts::List(items) => {
            let items: Vec<String> = items.iter().map(|it| encoded(it)).collect();
            vec![own(items.join(divider))]
        }
        Parts::Fields(fields) if fields.is_empty() => Vec::new(),
        Parts::Fields(fields) if explode => {
            let fields = fields.iter();
            fields
                .map(|(key, it)| format!("{}={}", encode(key), encoded(it)))
                .collect()
        }
        Parts::Fields(fields) => {
            let texts = fields
                .iter()
                .flat_map(|(key, it)| [encode(key), encoded(it)]);
            vec![own(texts.collect::<Vec<_>>().join(divider))]
        }
    }
}

/// `name[key]=value`, for objects in objects, too.
fn deep(
    name: &str,
    raw: &RawValue,
    encoded: &impl Fn(&str) -> String,
    out: &mut Vec<String>,
    depth: usize,
) {
    if raw.get() == "null" {
        return;
    }
    if let (Some(fields), true) = (fields(raw), depth < MAX_DEPTH) {
        for (key, value) in fields {
            let name = format!("{name}%5B{}%5D", encode(&key));
            deep(&name, value, encoded, out, depth + 1);
        }
        return;
    }
    match items(raw) {
        Some(items) => {
            for item in items {
                out.push(format!("{name}={}", encoded(&text(item))));
            }
        }
        None => out.push(format!("{name}={}", encoded(&text(raw)))),
    }
}

fn pair(key: &str, value: &str, explode: bool) -> String {
    let divider = if explode { "=" } else { "," };
    format!("{}{divider}{}", encode(key), encode(value))
}
