//! Exact decimals: prices and ratios keep all digits of the upstream, without an exponent.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::number;

/// The maximum number of digits, so that a large exponent cannot produce gigabytes of zeros.
const MAX_DIGITS: usize = 80;

/// A decimal number as text, without an exponent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Decimal(String);

impl Decimal {
    /// Parses plain or exponent notation.
    pub(super) fn parse(text: &str) -> Result<Decimal, String> {
        plain(text)
            .map(Decimal)
            .ok_or_else(|| "expected a decimal number".to_owned())
    }

    /// `numerator / denominator` with `digits` digits after the point, rounded half to even; `None` beyond 128 bits,
    /// or if the denominator is zero.
    pub(super) fn ratio(numerator: u128, denominator: u128, digits: u32) -> Option<Decimal> {
        let scale = 10u128.checked_pow(digits)?;
        let scaled = divide_half_even(numerator.checked_mul(scale)?, denominator)?;
        Some(Decimal(format!(
            "{}.{:0width$}",
            scaled / scale,
            scaled % scale,
            width = digits as usize
        )))
    }

    /// The number of these digits before and after the point.
    pub(super) fn of_parts(whole: &str, fraction: &str) -> Decimal {
        Decimal(match fraction {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The number without zeros at the end of its fraction.
    pub(super) fn trimmed(self) -> Decimal {
        match self.0.contains('.') {
            true => Decimal(
                self.0
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned(),
            ),
            false => self,
        }
    }

    /// The number with the other sign; zero has none.
    pub(super) fn negated(self) -> Decimal {
        match self.0.strip_prefix('-') {
            Some(positive) => Decimal(positive.to_owned()),
            None if self.is_zero() => self,
            None => Decimal(format!("-{}", self.0)),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0
            .bytes()
            .all(|byte| matches!(byte, b'0' | b'.' | b'-'))
    }
}

/// The quotient, rounded half to even; `None` if the divisor is zero.
pub(super) fn divide_half_even(dividend: u128, divisor: u128) -> Option<u128> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend % divisor;
    let is_up = match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    quotient.checked_add(is_up.into())
}

/// The number without its exponent; all given digits stay, including trailing zeros.
fn plain(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = !whole.is_empty()
        && mantissa.bytes().all(|it| it.is_ascii_digit() || it == b'.')
        && !fraction.contains('.');
    if !is_number
        || mantissa.ends_with('.')
        || mantissa.len() > MAX_DIGITS
        || exponent.unsigned_abs() as usize > MAX_DIGITS
    {
        return None;
    }
    if exponent == 0 {
        let trimmed = mantissa.trim_start_matches('0');
        let zero = if trimmed.is_empty() || trimmed.starts_with('.') {
            "0"
        } else {
            ""
        };
        let is_nothing = trimmed.bytes().all(|it| matches!(it, b'0' | b'.'));
        return Some(format!(
            "{}{zero}{trimmed}",
            if is_nothing { "" } else { sign }
        ));
    }
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i32 + exponent;
    let shifted = match point {
        ..=0 => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ if point as usize >= digits.len() => {
            format!("{digits}{}", "0".repeat(point as usize - digits.len()))
        }
        _ => format!(
            "{}.{}",
            &digits[..point as usize],
            &digits[point as usize..]
        ),
    };
    plain(&format!("{sign}{shifted}"))
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        Decimal::parse(&number::text(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, divide_half_even, plain};

    #[test]
    fn writes_plain_notation_and_keeps_digits() {
        for (given, expected) in [
            ("0.024", "0.024"),
            ("400", "400"),
            ("7374.0", "7374.0"),
            ("-0.050000", "-0.050000"),
            ("-8E-06", "-0.000008"),
            ("1e-9", "0.000000001"),
            ("1.25e3", "1250"),
            ("1.2345e2", "123.45"),
            ("0", "0"),
            ("-0", "0"),
            ("0.000", "0.000"),
            ("007.5", "7.5"),
            ("1.059900000100000000", "1.059900000100000000"),
        ] {
            assert_eq!(plain(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            "abc",
            "1,5",
            "1.2.3",
            "1e",
            "1e999999999",
            "NaN",
            "+1",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn rounds_half_to_even() {
        let quotients: Vec<_> = [(5, 10), (15, 10), (25, 10), (26, 10), (1, 0)]
            .map(|(a, b)| divide_half_even(a, b))
            .into();
        assert_eq!(quotients, [Some(0), Some(2), Some(2), Some(3), None]);
        assert_eq!(Decimal::ratio(1, 8, 2).unwrap(), Decimal("0.12".into()));
        assert_eq!(
            Decimal::ratio(1, 4, 8).unwrap(),
            Decimal("0.25000000".into())
        );
    }
}
