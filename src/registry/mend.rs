//! Accepts what JSON Schema allows and serde does not: `null` for an optional field, `2.0` for an integer. Also accepts
//! strings that hold JSON, which models send although the schema does not allow them.

use std::borrow::Cow;
use std::cell::Cell;

use serde_json::Value;
use serde_json::value::RawValue;

use super::place::{Place, Type};
use crate::schema::Fields;

/// The maximum depth to search; schemas of structs are less deep.
const MAX_DEPTH: usize = 32;

/// The maximum number of values to search: what needs mending comes from models and forms, and is small.
const MAX_VALUES: usize = 20_000;

/// The maximum number of digits of an integer, as many as the largest of 128 bits has.
const MAX_DIGITS: usize = 39;

/// Rewrites arguments so that serde accepts what their schema allows.
pub(super) struct Mender<'s> {
    schema: &'s Value,
    reads_texts: bool,
    /// The number of values that may still be searched.
    left: Cell<usize>,
}

impl<'s> Mender<'s> {
    /// Mends by this schema. With `reads_texts`, a string is decoded as JSON where the schema allows no string.
    pub(super) fn new(schema: &'s Value, reads_texts: bool) -> Mender<'s> {
        Mender {
            schema,
            reads_texts,
            left: Cell::new(MAX_VALUES),
        }
    }

    /// The mended arguments; `None` if there is nothing to mend.
    pub(super) fn mend(&self, arguments: &str) -> Option<String> {
        let raw: &RawValue = serde_json::from_str(arguments).ok()?;
        self.value(&Place::root(self.schema), raw.get(), 0)
    }

    fn value(&self, place: &Place<'s>, text: &str, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH || place.is_free() {
            return None;
        }
        self.left.set(self.left.get().checked_sub(1)?);
        match text.as_bytes().first()? {
            b'{' => self.object(place, text, depth),
            b'[' => self.array(place, text, depth),
            b'"' => self.text(place, text, depth),
            b'-' | b'0'..=b'9' if place.admits(Type::Integer) && !place.admits(Type::Number) => {
                whole(text).filter(|it| it != text)
            }
            _ => None,
        }
    }

    fn object(&self, place: &Place<'s>, text: &str, depth: usize) -> Option<String> {
        let Fields(fields) = serde_json::from_str(text).ok()?;
        if fields.len() > self.left.get() {
            return None;
        }
        let place = place.of_object(&fields);
        let mut is_mended = false;
        let mut kept = Vec::with_capacity(fields.len());
        for (name, raw) in &fields {
            if raw.get() == "null" && place.may_lack(name) {
                is_mended = true;
                continue;
            }
            let mended = self.value(&place.field(name), raw.get(), depth + 1);
            is_mended |= mended.is_some();
            let value = mended.map_or(Cow::Borrowed(raw.get()), Cow::Owned);
            kept.push(format!("{}:{value}", Value::from(&**name)));
        }
        is_mended.then(|| format!("{{{}}}", kept.join(",")))
    }

    fn array(&self, place: &Place<'s>, text: &str, depth: usize) -> Option<String> {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        if items.len() > self.left.get() {
            return None;
        }
        let place = place.of_array();
        let mut is_mended = false;
        let mut kept = Vec::with_capacity(items.len());
        for (index, raw) in items.iter().enumerate() {
            let mended = self.value(&place.item(index), raw.get(), depth + 1);
            is_mended |= mended.is_some();
            kept.push(mended.map_or(Cow::Borrowed(raw.get()), Cow::Owned));
        }
        is_mended.then(|| format!("[{}]", kept.join(",")))
    }

    /// The JSON in a string, if it has a type that is expected here.
    fn text(&self, place: &Place<'s>, text: &str, depth: usize) -> Option<String> {
        if !self.reads_texts || place.admits(Type::String) {
            return None;
        }
        let held: String = serde_json::from_str(text).ok()?;
        let raw: &RawValue = serde_json::from_str(&held).ok()?;
        let inner = raw.get();
        let fits = match inner.as_bytes().first()? {
            b'{' => place.admits(Type::Object),
            b'[' => place.admits(Type::Array),
            // Programs do not write spaces around a number or a word.
            _ if inner.len() < held.len() => false,
            b't' | b'f' => place.admits(Type::Boolean),
            b'-' | b'0'..=b'9' => {
                place.admits(Type::Number) || place.admits(Type::Integer) && whole(inner).is_some()
            }
            _ => false,
        };
        if !fits {
            return None;
        }
        let mended = self.value(place, inner, depth + 1);
        Some(mended.unwrap_or_else(|| inner.to_owned()))
    }
}

/// The digits of an integer in any notation; `None` if it has a fraction or is too large for any type. Nothing is
/// rounded.
fn whole(number: &str) -> Option<String> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{before}{after}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let exponent: i64 = exponent.parse().ok()?;
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let point = i64::try_from(after.len()).ok()?;
    let zeros = exponent.checked_sub(point)?.checked_add(zeros)?;
    let zeros = usize::try_from(zeros).ok()?;
    let length = significant.len().checked_add(zeros)?;
    (length <= MAX_DIGITS).then(|| format!("{sign}{significant}{}", "0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Mender, whole};

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (number, expected) in [
            ("2", "2"),
            ("2.0", "2"),
            ("2.000", "2"),
            ("-2.0", "-2"),
            ("1e0", "1"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("1.5e1", "15"),
            ("120e-1", "12"),
            ("0.02e2", "2"),
            ("0.0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0e999999999999999999999", "0"),
            ("9007199254740993.0", "9007199254740993"),
            ("18446744073709551615.0", "18446744073709551615"),
            ("1e30", "1000000000000000000000000000000"),
            (
                "340282366920938463463374607431768211455.0",
                "340282366920938463463374607431768211455",
            ),
        ] {
            assert_eq!(whole(number).as_deref(), Some(expected), "{number}");
        }
    }

    #[test]
    fn a_fraction_is_never_lost_and_nothing_huge_is_written_out() {
        for number in [
            "1.5",
            "1e-1",
            "25e-1",
            "2.00000000000000000000000000000000000000000000001",
            "1e300",
            "1e39",
            "1e999999999",
            "1e9223372036854775807",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "10e-9223372036854775808",
        ] {
            assert_eq!(whole(number), None, "{number}");
        }
    }

    #[test]
    fn references_inside_a_schema_are_followed_and_circles_come_to_an_end() {
        let schema = json!({
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {
                        "size": {"$ref": "#/$defs/size"},
                        "next": {"$ref": "#/$defs/node"},
                    },
                },
                "size": {"allOf": [{"$ref": "#/$defs/whole"}]},
                "whole": {"type": "integer"},
                "circle": {"$ref": "#/$defs/circle"},
            },
            "$ref": "#/$defs/node",
            "properties": {"circle": {"$ref": "#/$defs/circle"}, "far": {"$ref": "other.json"}},
        });
        let mend = |text: &str| Mender::new(&schema, true).mend(text);
        assert_eq!(
            mend(r#"{"size":null,"next":{"size":"2.0","next":{"size":1e1}}}"#).as_deref(),
            Some(r#"{"next":{"size":2,"next":{"size":10}}}"#)
        );
        let deep = format!(
            r#"{}{{"size":2.0}}{}"#,
            r#"{"next":"#.repeat(1000),
            "}".repeat(1000)
        );
        for text in [r#"{"circle":"1","far":"1","next":{"size":1}}"#, &deep] {
            assert_eq!(mend(text), None);
        }
    }

    #[test]
    fn what_is_too_large_is_left_as_it_is_and_what_stands_beside_it_is_not() {
        let row = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
        let rows = json!({"type": "array", "items": row});
        let schema =
            json!({"properties": {"rows": rows, "more": rows, "size": {"type": "integer"}}});
        let mend = |text: String| Mender::new(&schema, true).mend(&text);
        let many = vec![r#"{"id":1}"#; 100_000].join(",");
        assert_eq!(mend(format!(r#"{{"rows":[{many}]}}"#)), None);
        assert_eq!(
            mend(format!(r#"{{"rows":[{many}],"size":2.0}}"#)),
            Some(format!(r#"{{"rows":[{many}],"size":2}}"#))
        );
        // Each alternative is searched with its fields, up to the limit.
        let some = vec![r#"{"id":1.0}"#; 15_000].join(",");
        let mended = mend(format!(r#"{{"rows":[{some}],"more":[{some}]}}"#)).unwrap();
        let count = mended.matches(r#"{"id":1}"#).count();
        assert!((9_000..15_000).contains(&count), "{count}");
    }

    #[test]
    fn what_is_no_json_is_not_mended() {
        let schema = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
        for text in ["", "{", r#"{"size":2.0"#, r#"{"size":2.0} x"#, "\u{feff}{}"] {
            assert_eq!(Mender::new(&schema, true).mend(text), None, "{text}");
        }
    }
}
