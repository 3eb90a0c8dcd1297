//! Numbers as they are written, of any size and without rounding, and the rules for them.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use super::part::Part;
use super::violation::Violation;

/// The number `0.digits × 10^point`, the digits without zeros at either end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    digits: String,
    point: i64,
}

/// The range of a number.
#[derive(Default)]
pub(super) struct Range {
    least: Option<Bound>,
    most: Option<Bound>,
}

struct Bound {
    value: Decimal,
    /// As it is written in the schema.
    text: String,
    is_exclusive: bool,
}

/// What a number must be a multiple of.
pub(super) struct Multiple {
    digits: u128,
    exponent: i64,
    text: String,
}

impl Decimal {
    /// Of the text of a JSON number.
    pub(super) fn of(text: &str) -> Decimal {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{before}{after}");
        let digits = all.trim_start_matches('0');
        let zeros = (all.len() - digits.len()) as i64;
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Decimal {
                is_negative: false,
                digits: String::new(),
                point: 0,
            };
        }
        Decimal {
            is_negative,
            digits: digits.to_owned(),
            point: (before.len() as i64 - zeros).saturating_add(exponent_of(exponent)),
        }
    }

    /// Whether it has no fraction.
    pub(super) fn is_whole(&self) -> bool {
        self.exponent() >= 0
    }

    /// The power of ten by which the digits, as a whole number, are multiplied.
    fn exponent(&self) -> i64 {
        self.point.saturating_sub(self.digits.len() as i64)
    }

    fn size(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self
                .point
                .cmp(&other.point)
                .then_with(|| self.digits.cmp(&other.digits)),
            (mine, others) => others.cmp(&mine),
        }
    }
}

/// An exponent that no number of a computer has is as good as the largest.
fn exponent_of(text: &str) -> i64 {
    const MOST: i64 = i64::MAX / 4;
    let huge = match text.starts_with('-') {
        true => -MOST,
        false => MOST,
    };
    let exponent = text.parse::<i64>().unwrap_or(huge);
    exponent.clamp(-MOST, MOST)
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (mine, others) => others.cmp(&mine),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        write!(f, "{sign}{}e{}", self.digits, self.exponent())
    }
}

impl Range {
    /// Narrows the range from below.
    pub(super) fn at_least(&mut self, number: &str, is_exclusive: bool) {
        let bound = Bound::of(number, is_exclusive);
        let is_tighter = |old: &Bound| match bound.value.cmp(&old.value) {
            Ordering::Equal => is_exclusive,
            order => order == Ordering::Greater,
        };
        if self.least.as_ref().is_none_or(is_tighter) {
            self.least = Some(bound);
        }
    }

    /// Narrows the range from above.
    pub(super) fn at_most(&mut self, number: &str, is_exclusive: bool) {
        let bound = Bound::of(number, is_exclusive);
        let is_tighter = |old: &Bound| match bound.value.cmp(&old.value) {
            Ordering::Equal => is_exclusive,
            order => order == Ordering::Less,
        };
        if self.most.as_ref().is_none_or(is_tighter) {
            self.most = Some(bound);
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.least.is_none() && self.most.is_none()
    }

    pub(super) fn check(&self, part: &Part<'_>) -> Result<(), Violation> {
        let number = Decimal::of(part.raw());
        let is_below = |bound: &Bound| match number.cmp(&bound.value) {
            Ordering::Equal => bound.is_exclusive,
            order => order == Ordering::Less,
        };
        let is_above = |bound: &Bound| match number.cmp(&bound.value) {
            Ordering::Equal => bound.is_exclusive,
            order => order == Ordering::Greater,
        };
        match self.least.as_ref().is_some_and(is_below) || self.most.as_ref().is_some_and(is_above)
        {
            true => Err(Violation::new(self.sentence())),
            false => Ok(()),
        }
    }

    fn sentence(&self) -> String {
        let least = |it: &Bound| match it.is_exclusive {
            true => format!("more than {}", it.text),
            false => format!("at least {}", it.text),
        };
        let most = |it: &Bound| match it.is_exclusive {
            true => format!("less than {}", it.text),
            false => format!("at most {}", it.text),
        };
        match (&self.least, &self.most) {
            (Some(low), Some(high)) if !low.is_exclusive && !high.is_exclusive => {
                format!("must be from {} to {}", low.text, high.text)
            }
            (Some(low), Some(high)) => format!("must be {} and {}", least(low), most(high)),
            (Some(low), None) => format!("must be {}", least(low)),
            (None, Some(high)) => format!("must be {}", most(high)),
            (None, None) => String::new(),
        }
    }
}

impl Bound {
    fn of(text: &str, is_exclusive: bool) -> Bound {
        Bound {
            value: Decimal::of(text),
            text: text.to_owned(),
            is_exclusive,
        }
    }
}

impl Multiple {
    /// `None` for what is not a number above zero with at most 18 digits.
    pub(super) fn of(value: &Value) -> Option<Multiple> {
        let text = value.as_number()?.to_string();
        let unit = Decimal::of(&text);
        let is_good = !unit.is_negative && (1..=18).contains(&unit.digits.len());
        Some(Multiple {
            digits: unit.digits.parse().ok().filter(|_| is_good)?,
            exponent: unit.exponent(),
            text,
        })
    }

    pub(super) fn check(&self, part: &Part<'_>) -> Result<(), Violation> {
        match self.divides(&Decimal::of(part.raw())) {
            true => Ok(()),
            false => Err(Violation::new(format!(
                "must be a multiple of {}",
                self.text
            ))),
        }
    }

    fn divides(&self, number: &Decimal) -> bool {
        if number.digits.is_empty() {
            return true;
        }
        // The last digit is not zero, so nothing that ends before the unit's last digit can be made of units.
        let Ok(zeros) = u64::try_from(number.exponent() - self.exponent) else {
            return false;
        };
        let digits = number.digits.bytes().map(|it| u128::from(it - b'0'));
        let rest = digits.fold(0, |rest, digit| (rest * 10 + digit) % self.digits);
        (rest * self.power(zeros)).is_multiple_of(self.digits)
    }

    /// The rest of ten to this power; each factor is below 10^18, so that no product is too large.
    fn power(&self, mut exponent: u64) -> u128 {
        let (mut rest, mut factor) = (1 % self.digits, 10 % self.digits);
        while exponent > 0 {
            if exponent % 2 == 1 {
                rest = rest * factor % self.digits;
            }
            factor = factor * factor % self.digits;
            exponent /= 2;
        }
        rest
    }
}
