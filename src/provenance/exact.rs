//! Exact arithmetic on decimals: sums, products and quotients of prices and quantities, without rounding in between.

use std::cmp::Ordering;

use super::amount::Amount;
use super::decimal::Decimal;
use super::natural::Natural;

/// Digits of shares and changes.
pub(super) const SHARE: usize = 8;
/// Digits of computed prices.
pub(super) const PRICE: usize = 18;

/// A decimal that is not negative: this many units of ten to the power of minus `scale`.
#[derive(Clone, Debug, Default)]
pub(super) struct Exact {
    units: Natural,
    scale: usize,
}

impl Exact {
    /// The exact value; `None` if it is negative.
    pub(super) fn of(decimal: &Decimal) -> Option<Exact> {
        let text = decimal.as_str();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        Some(Exact {
            units: Natural::parse(&format!("{whole}{fraction}"))?,
            scale: fraction.len(),
        })
    }

    pub(super) fn whole(number: u128) -> Exact {
        Exact {
            units: number.into(),
            scale: 0,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.units.is_zero()
    }

    pub(super) fn plus(&self, other: &Exact) -> Exact {
        let (left, right, scale) = self.aligned(other);
        Exact {
            units: left.plus(&right),
            scale,
        }
    }

    /// The difference; `None` if it is negative.
    pub(super) fn minus(&self, other: &Exact) -> Option<Exact> {
        let (left, right, scale) = self.aligned(other);
        let units = left.minus(&right)?;
        Some(Exact { units, scale })
    }

    /// The difference without its sign.
    pub(super) fn distance(&self, other: &Exact) -> Decimal {
        let distance = self.minus(other).or_else(|| other.minus(self));
        distance.unwrap_or_default().trimmed()
    }

    pub(super) fn times(&self, other: &Exact) -> Exact {
        Exact {
            units: self.units.times(&other.units),
            scale: self.scale + other.scale,
        }
    }

    /// Half of the value.
    pub(super) fn halved(&self) -> Exact {
        let half = Exact {
            units: 5u128.into(),
            scale: 1,
        };
        self.times(&half)
    }

    /// The value times ten to this power.
    pub(super) fn shifted(&self, power: usize) -> Exact {
        Exact {
            units: self.units.shifted(power),
            scale: self.scale,
        }
    }

    /// The value divided by ten to this power.
    pub(super) fn scaled_down(&self, power: usize) -> Exact {
        Exact {
            units: self.units.clone(),
            scale: self.scale + power,
        }
    }

    /// The quotient with this many digits after the point, rounded half to even; `None` if the divisor is zero.
    pub(super) fn divided(&self, by: &Exact, digits: usize) -> Option<Exact> {
        let divisor = by.units.shifted(self.scale);
        let (quotient, rest) = self.units.shifted(by.scale + digits).divided(&divisor)?;
        let is_odd = quotient.to_string().ends_with(['1', '3', '5', '7', '9']);
        let is_up = match rest.plus(&rest).cmp(&divisor) {
            Ordering::Less => false,
            Ordering::Equal => is_odd,
            Ordering::Greater => true,
        };
        Some(Exact {
            units: quotient.plus(&u128::from(is_up).into()),
            scale: digits,
        })
    }

    /// The quotient rounded to a whole number, a half upwards; `None` if the divisor is zero or the result has more than
    /// 128 bits.
    pub(super) fn divided_half_up(&self, by: &Exact) -> Option<Amount> {
        let divisor = by.units.shifted(self.scale);
        let dividend = self.units.shifted(by.scale);
        // floor((2a + b) / 2b)
        let doubled = dividend.plus(&dividend).plus(&divisor);
        let (quotient, _) = doubled.divided(&divisor.plus(&divisor))?;
        quotient.small().map(Amount)
    }

    /// `self / whole` to eight digits; null where there is no whole.
    pub(super) fn share_of(&self, whole: &Exact) -> Option<Decimal> {
        Some(self.divided(whole, SHARE)?.decimal())
    }

    /// `(to − self) / self` to eight digits; `None` if `self` is zero.
    pub(super) fn change_to(&self, to: &Exact) -> Option<Decimal> {
        match to.minus(self) {
            Some(rise) => rise.share_of(self),
            None => Some(self.minus(to)?.share_of(self)?.negated()),
        }
    }

    /// All digits of the value.
    pub(super) fn decimal(&self) -> Decimal {
        let digits = self.units.to_string();
        let digits = format!("{digits:0>width$}", width = self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        Decimal::of_parts(whole, fraction)
    }

    /// The value without zeros at its end.
    pub(super) fn trimmed(&self) -> Decimal {
        self.decimal().trimmed()
    }

    /// Digits after the point that are needed to write the value.
    pub(super) fn digits(&self) -> usize {
        let text = self.trimmed();
        text.as_str().split_once('.').map_or(0, |it| it.1.len())
    }

    fn aligned(&self, other: &Exact) -> (Natural, Natural, usize) {
        let scale = self.scale.max(other.scale);
        let at = |of: &Exact| of.units.shifted(scale - of.scale);
        (at(self), at(other), scale)
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Exact {}

#[cfg(test)]
mod tests {
    use super::{Decimal, Exact};

    fn exact(text: &str) -> Exact {
        Exact::of(&Decimal::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn keeps_every_digit() {
        let (a, b) = (exact("0.030"), exact("0.0311"));
        assert_eq!(a.plus(&b).decimal().as_str(), "0.0611");
        assert_eq!(b.minus(&a).unwrap().decimal().as_str(), "0.0011");
        assert!(a.minus(&b).is_none());
        assert_eq!(a.times(&b).trimmed().as_str(), "0.000933");
        assert_eq!(a.plus(&b).halved().trimmed().as_str(), "0.03055");
        assert_eq!(exact("1.5").shifted(9).trimmed().as_str(), "1500000000");
        assert_eq!(exact("1").scaled_down(9).trimmed().as_str(), "0.000000001");
        assert_eq!(exact("100.00").trimmed().as_str(), "100");
        assert_eq!(exact("1.2300").digits(), 2);
        assert_eq!(exact("0.10"), exact("0.1"));
        assert!(Exact::of(&Decimal::parse("-1").unwrap()).is_none());
    }

    #[test]
    fn rounds_a_quotient_half_to_even() {
        for (a, b, digits, expected) in [
            ("1", "8", 2, "0.12"),
            ("3", "8", 2, "0.38"),
            ("2", "3", 8, "0.66666667"),
            ("1", "0.3", 3, "3.333"),
            ("2764.304758", "101101.000", 18, "0.027342012027576384"),
            ("5", "10", 0, "0"),
            ("15", "10", 0, "2"),
        ] {
            let quotient = exact(a).divided(&exact(b), digits).unwrap();
            assert_eq!(quotient.decimal().as_str(), expected, "{a} / {b}");
        }
        assert!(exact("1").divided(&exact("0.00"), 8).is_none());
    }

    #[test]
    fn rounds_half_up_to_a_whole_number() {
        for (a, b, expected) in [
            ("1", "2", 1),
            ("3", "2", 2),
            ("1", "3", 0),
            ("0.5", "0.1", 5),
        ] {
            let whole = exact(a).divided_half_up(&exact(b)).unwrap();
            assert_eq!(whole.0, expected, "{a} / {b}");
        }
        assert!(exact("1").divided_half_up(&exact("0")).is_none());
    }

    #[test]
    fn a_change_has_a_sign() {
        for (from, to, expected) in [
            ("0.031", "0.027", Some("-0.12903226")),
            ("0.02", "0.03", Some("0.50000000")),
            ("1", "1", Some("0.00000000")),
            ("1", "0", Some("-1.00000000")),
            ("0", "1", None),
        ] {
            let change = exact(from).change_to(&exact(to));
            assert_eq!(
                change.as_ref().map(Decimal::as_str),
                expected,
                "{from} {to}"
            );
        }
    }
}
