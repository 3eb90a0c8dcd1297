//! Trading: candles, the order book, and the average price of the last trades.

pub(super) mod candles;
pub(super) mod order_book;
mod quote;
pub(super) mod view;
pub(super) mod vwap;

use super::decimal::Decimal;
use super::exact::Exact;
use super::upstreams::EXCHANGE;
use crate::error::{Error, Result};

/// The exact value of a price or a quantity, which is not negative.
fn exact(decimal: &Decimal) -> Result<Exact> {
    let negative = || Error::invalid_response(EXCHANGE.name, "answered with a negative amount");
    Exact::of(decimal).ok_or_else(negative)
}
