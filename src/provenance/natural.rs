//! Whole numbers of any size: the products and quotients of decimals exceed 128 bits.

use std::cmp::Ordering;
use std::fmt;

/// The base of the parts of a number.
const BASE: u32 = 1_000_000_000;
/// Decimal digits of one part.
const DIGITS: usize = 9;

/// A whole number that is not negative: parts of nine digits, the lowest first, the highest not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural(Vec<u32>);

impl Natural {
    /// Parses decimal digits; `None` for any other text.
    pub(super) fn parse(digits: &str) -> Option<Natural> {
        if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let parts = digits.as_bytes().rchunks(DIGITS).map(|part| {
            part.iter()
                .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        });
        Some(Natural(parts.collect()).trimmed())
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn plus(&self, other: &Natural) -> Natural {
        let part = |of: &Natural, index: usize| of.0.get(index).copied().unwrap_or(0);
        let mut sum = Vec::with_capacity(self.0.len().max(other.0.len()) + 1);
        let mut carry = 0;
        for index in 0..self.0.len().max(other.0.len()) {
            // Two parts and a carry are below 2^32.
            let whole = part(self, index) + part(other, index) + carry;
            sum.push(whole % BASE);
            carry = whole / BASE;
        }
        sum.push(carry);
        Natural(sum).trimmed()
    }

    /// The difference; `None` if it is negative.
    pub(super) fn minus(&self, other: &Natural) -> Option<Natural> {
        if *self < *other {
            return None;
        }
        let mut rest = self.0.clone();
        let mut borrow = 0;
        for (index, part) in rest.iter_mut().enumerate() {
            let taken = other.0.get(index).copied().unwrap_or(0) + borrow;
            borrow = u32::from(*part < taken);
            *part = *part + BASE * borrow - taken;
        }
        Some(Natural(rest).trimmed())
    }

    pub(super) fn times(&self, other: &Natural) -> Natural {
        let mut product = vec![0u32; self.0.len() + other.0.len()];
        for (at, left) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (index, part) in product[at..].iter_mut().enumerate() {
                let right = other.0.get(index).copied().unwrap_or(0);
                let whole = u64::from(*left) * u64::from(right) + u64::from(*part) + carry;
                *part = (whole % u64::from(BASE)) as u32;
                carry = whole / u64::from(BASE);
            }
        }
        Natural(product).trimmed()
    }

    /// The number times ten to this power.
    pub(super) fn shifted(&self, power: usize) -> Natural {
        if self.is_zero() {
            return Natural::default();
        }
        let mut parts = vec![0; power / DIGITS];
        parts.extend(&self.0);
        Natural(parts).times(&Natural(vec![10u32.pow((power % DIGITS) as u32)]))
    }

    /// The quotient and the remainder; `None` if the divisor is zero.
    pub(super) fn divided(&self, by: &Natural) -> Option<(Natural, Natural)> {
        if by.is_zero() {
            return None;
        }
        let mut quotient = vec![0; self.0.len()];
        let mut rest = Natural::default();
        for (index, part) in self.0.iter().enumerate().rev() {
            rest.0.insert(0, *part);
            rest = rest.trimmed();
            // The largest part of the quotient whose product is not above the rest.
            let (mut fits, mut exceeds) = (0, BASE);
            while exceeds - fits > 1 {
                let middle = fits + (exceeds - fits) / 2;
                match by.times(&Natural(vec![middle])) <= rest {
                    true => fits = middle,
                    false => exceeds = middle,
                }
            }
            rest = rest.minus(&by.times(&Natural(vec![fits])).trimmed())?;
            quotient[index] = fits;
        }
        Some((Natural(quotient).trimmed(), rest))
    }

    /// The number, if it has at most 128 bits.
    pub(super) fn small(&self) -> Option<u128> {
        let mut parts = self.0.iter().rev();
        parts.try_fold(0u128, |sum, part| {
            sum.checked_mul(BASE.into())?.checked_add((*part).into())
        })
    }

    fn trimmed(mut self) -> Natural {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

impl From<u128> for Natural {
    fn from(mut number: u128) -> Natural {
        let mut parts = Vec::new();
        while number > 0 {
            parts.push((number % u128::from(BASE)) as u32);
            number /= u128::from(BASE);
        }
        Natural(parts)
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Natural) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Natural) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Natural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.iter().rev();
        write!(f, "{}", parts.next().unwrap_or(&0))?;
        parts.try_for_each(|part| write!(f, "{part:09}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Natural;

    const NUMBERS: [u128; 9] = [
        0,
        1,
        9,
        999_999_999,
        1_000_000_000,
        4_294_967_296,
        99_978_477_857_646_380_000,
        123_456_789_012_345_678_901_234_567,
        u64::MAX as u128,
    ];

    #[test]
    fn computes_as_128_bits_do() {
        for left in NUMBERS {
            for right in NUMBERS {
                let (a, b) = (Natural::from(left), Natural::from(right));
                assert_eq!(a.plus(&b).small(), left.checked_add(right));
                assert_eq!(
                    a.minus(&b).and_then(|it| it.small()),
                    left.checked_sub(right)
                );
                if let Some(product) = left.checked_mul(right) {
                    assert_eq!(a.times(&b).small(), Some(product));
                }
                let quotient = a.divided(&b).map(|it| (it.0.small(), it.1.small()));
                let expected = left
                    .checked_div(right)
                    .map(|it| (Some(it), Some(left % right)));
                assert_eq!(quotient, expected, "{left} / {right}");
                assert_eq!(a.cmp(&b), left.cmp(&right));
            }
            assert_eq!(Natural::from(left).to_string(), left.to_string());
            assert_eq!(
                Natural::parse(&format!("000{left}")),
                Some(Natural::from(left))
            );
        }
    }

    #[test]
    fn exceeds_128_bits() {
        let most = Natural::from(u128::MAX);
        let square = most.times(&most);
        assert_eq!(square.small(), None);
        let (quotient, rest) = square.plus(&Natural::from(7)).divided(&most).unwrap();
        assert_eq!((quotient, rest.small()), (most, Some(7)));
        let shifted = Natural::from(25).shifted(40);
        assert_eq!(shifted.to_string(), format!("25{}", "0".repeat(40)));
        assert_eq!(Natural::default().shifted(40), Natural::default());
        for text in ["", "-1", "1.5", "1e3", " 1"] {
            assert_eq!(Natural::parse(text), None, "{text}");
        }
    }
}
