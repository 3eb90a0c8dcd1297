//! What trading a size would cost: the orders of one side of the book, from the best price on.

use schemars::JsonSchema;
use serde::Serialize;

use crate::provenance::decimal::Decimal;
use crate::provenance::exact::{Exact, PRICE};

/// A price and its quantity, exactly.
pub(super) struct Depth {
    pub(super) price: Exact,
    pub(super) quantity: Exact,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Quote {
    /// Null where nothing is filled.
    average_price: Option<Decimal>,
    /// Quote units paid or received.
    cost: Decimal,
    /// The loss against the mid price, a fraction to eight digits.
    slippage: Option<Decimal>,
    /// Base units that the book fills.
    filled: Decimal,
    unfilled: Decimal,
}

impl Quote {
    /// Takes orders, the best first, until the size is filled.
    pub(super) fn of(book: &[Depth], size: &Exact, mid: Option<&Exact>, is_buy: bool) -> Quote {
        let (mut left, mut cost) = (size.clone(), Exact::default());
        for depth in book {
            if left.is_zero() {
                break;
            }
            let taken = left.clone().min(depth.quantity.clone());
            cost = cost.plus(&taken.times(&depth.price));
            left = left.minus(&taken).unwrap_or_default();
        }
        let filled = size.minus(&left).unwrap_or_default();
        let average = cost.divided(&filled, PRICE);
        Quote {
            slippage: mid.and_then(|mid| slippage(&cost, &filled, mid, is_buy)),
            average_price: average.as_ref().map(Exact::trimmed),
            cost: cost.trimmed(),
            filled: filled.trimmed(),
            unfilled: left.trimmed(),
        }
    }
}

/// How much worse than at the mid price the trade is. `None` where nothing is filled.
fn slippage(cost: &Exact, filled: &Exact, mid: &Exact, is_buy: bool) -> Option<Decimal> {
    let fair = filled.times(mid);
    let change = fair.change_to(cost)?;
    // Who sells loses by what is received less.
    Some(if is_buy { change } else { change.negated() })
}
