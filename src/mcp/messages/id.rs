//! Request ids and progress tokens: strings and integers that a client chooses and that are returned verbatim.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The maximum length in bytes, as written in the message: an id is repeated in each message about its request.
const MOST_BYTES: usize = 1024;

/// The decimal digits that every double can hold.
const MOST_DIGITS: usize = 308;

/// The parameters of `notifications/cancelled`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cancelled<'a> {
    #[serde(borrow)]
    pub(crate) request_id: &'a RawValue,
}

impl Cancelled<'_> {
    /// Reads the parameters; `None` if they are malformed.
    pub(crate) fn read(params: Option<&RawValue>) -> Option<Cancelled<'_>> {
        serde_json::from_str(params?.get()).ok()
    }
}

/// A number as sign, digits without zeros at either end, and power of ten.
struct Number {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

/// Whether the id exceeds the maximum length.
pub(crate) fn is_too_long(id: &RawValue) -> bool {
    id.get().len() > MOST_BYTES
}

/// Whether the id is a string or an integer in any notation: `2.0` is an integer. It is returned verbatim, so ids that
/// many clients cannot parse are refused: an escaped lone surrogate, and a number beyond the range of a double.
pub(crate) fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    let is_plain = |it: u8| it.is_ascii_digit() || it == b'-';
    if text.starts_with('"') {
        return !text.contains("\\u") || serde_json::from_str::<String>(text).is_ok();
    }
    if text.bytes().all(is_plain) && text.len() <= MOST_DIGITS {
        return true;
    }
    let is_finite = text.parse().is_ok_and(f64::is_finite);
    is_finite && Number::read(text).is_some_and(|it| it.exponent >= 0)
}

/// The canonical form of an id, the same for all notations.
pub fn same(id: &RawValue) -> String {
    let text: Option<String> = serde_json::from_str(id.get()).ok();
    match (text, Number::read(id.get())) {
        (Some(text), _) => Value::from(text).to_string(),
        (None, Some(number)) => number.canonical(),
        (None, None) => id.get().to_owned(),
    }
}

impl Number {
    /// Parses a JSON number, which may have more digits than any Rust number.
    fn read(text: &str) -> Option<Number> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        if !text.starts_with(|it: char| it.is_ascii_digit()) {
            return None;
        }
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let all = digits.trim_start_matches('0').len();
        if all == 0 {
            // Negative zero equals zero.
            return Some(Number {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let significant = digits.trim_matches('0');
        let zeros = all - significant.len();
        let power: i64 = power.parse().ok()?;
        let exponent = power
            .checked_add(zeros as i64)?
            .checked_sub(fraction.len() as i64)?;
        Some(Number {
            is_negative,
            digits: significant.to_owned(),
            exponent,
        })
    }

    fn canonical(&self) -> String {
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{}e{}", self.digits, self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_number_is_an_integer_by_its_value_and_not_by_its_spelling() {
        for text in [
            "0", "-0", "0.0", "0e-9", "1", "-7", "1.0", "2.50e1", "1e0", "1E+3", "100e-2", "1e300",
        ] {
            assert!(is_id(&raw(text)), "{text}");
        }
        for text in [
            "0.5",
            "1e-1",
            "-2.5",
            "12.5e0",
            "1e-999999",
            "1e99999999999999999999",
            "1e309",
            "11E+400",
            "true",
            "null",
            "{}",
            "[1]",
        ] {
            assert!(!is_id(&raw(text)), "{text}");
        }
    }

    #[test]
    fn two_ways_to_write_an_id_are_one_id() {
        for (one, other) in [
            ("2", "2.0"),
            ("2", "2e0"),
            ("20", "2e1"),
            ("-20", "-0.2E+2"),
            ("0", "-0.0"),
            ("12345678901234567890123", "12345678901234567890123.000"),
            (r#""a""#, r#""\u0061""#),
        ] {
            assert_eq!(same(&raw(one)), same(&raw(other)), "{one} {other}");
        }
        for (one, other) in [
            ("2", "20"),
            ("2", "-2"),
            ("2", r#""2""#),
            ("9007199254740993", "9007199254740992"),
        ] {
            assert_ne!(same(&raw(one)), same(&raw(other)), "{one} {other}");
        }
    }
}
