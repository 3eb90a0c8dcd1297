//! The order book of a market.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact;
use super::quote::{Depth, Quote};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;
use crate::provenance::market::{Pair, known};
use crate::provenance::moment::Moment;
use crate::provenance::order;
use crate::provenance::plain::Plain;
use crate::provenance::upstreams::EXCHANGE;
use crate::registry::count::Count;

/// The order book of one market: bids, asks, spread and mid price; with a size, what buying and selling it would cost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct OrderBook {
    /// Symbol of the market, as fetch_current_fm_data lists it; case-sensitive.
    token_pair: Pair,
    /// Prices to show of each side; a quote walks all of them.
    #[serde(default = "twenty")]
    depth: Count<1, 200>,
    /// Base units to quote, a positive decimal.
    #[serde(default)]
    quote_size: Option<Plain>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Book {
    token_pair: String,
    /// Highest price first.
    bids: Vec<Level>,
    /// Lowest price first.
    asks: Vec<Level>,
    best_bid: Option<Decimal>,
    best_ask: Option<Decimal>,
    spread: Option<Decimal>,
    mid_price: Option<Decimal>,
    as_of: Option<Moment>,
    /// Null without quote_size.
    buy: Option<Quote>,
    sell: Option<Quote>,
}

/// The orders of one price.
#[derive(Serialize, JsonSchema)]
struct Level {
    price: Decimal,
    quantity: Decimal,
    /// Of this and all better prices.
    total_quantity: Decimal,
}

/// The exchange's `GET /markets/{symbol}/orderbook`.
#[derive(Deserialize)]
struct Record {
    timestamp: Option<Moment>,
    asks: Vec<Order>,
    bids: Vec<Order>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    price: Decimal,
    quantity: Decimal,
    total_quantity: Option<Decimal>,
}

/// One side of the book, the best price first.
struct Side {
    orders: Vec<Order>,
    exact: Vec<Depth>,
}

pub(in crate::provenance) async fn order_book(cx: Context, arguments: OrderBook) -> Result<Book> {
    let size = arguments.quote_size.map(|it| it.exact());
    if size.as_ref().is_some_and(Exact::is_zero) {
        return Err(Error::invalid_argument("quote_size", "must be positive"));
    }
    let pair = arguments.token_pair.symbol();
    // Depth 0 is the whole book, which serves every depth and every quote from one cached response.
    let path = format!("/markets/{pair}/orderbook?level=2&depth=0");
    let cx = cx.in_sequence();
    let record: Record = known(&cx, pair, cx.get_json(&EXCHANGE, &path)).await?;
    let bids = Side::of(record.bids, true)?;
    let asks = Side::of(record.asks, false)?;
    let best = bids.best().zip(asks.best());
    let mid = best.map(|(bid, ask)| bid.plus(ask).halved());
    let quote = |side: &Side, is_buy| {
        let size = size.as_ref()?;
        Some(Quote::of(&side.exact, size, mid.as_ref(), is_buy))
    };
    let depth = arguments.depth.0 as usize;
    Ok(Book {
        token_pair: pair.to_owned(),
        best_bid: bids.orders.first().map(|it| it.price.clone()),
        best_ask: asks.orders.first().map(|it| it.price.clone()),
        spread: best.map(|(bid, ask)| bid.distance(ask)),
        mid_price: mid.as_ref().map(Exact::trimmed),
        as_of: record.timestamp,
        buy: quote(&asks, true),
        sell: quote(&bids, false),
        bids: bids.shown(depth),
        asks: asks.shown(depth),
    })
}

impl Side {
    /// Sorts the orders: bids with the highest price first, asks with the lowest.
    fn of(orders: Vec<Order>, is_bids: bool) -> Result<Side> {
        let mut rows = Vec::with_capacity(orders.len());
        for order in orders {
            let depth = Depth {
                price: exact(&order.price)?,
                quantity: exact(&order.quantity)?,
            };
            rows.push((depth, order));
        }
        match is_bids {
            true => order::sort(&mut rows, |a, b| b.0.price.cmp(&a.0.price)),
            false => order::sort(&mut rows, |a, b| a.0.price.cmp(&b.0.price)),
        }
        let (exact, orders) = rows.into_iter().unzip();
        Ok(Side { orders, exact })
    }

    fn best(&self) -> Option<&Exact> {
        self.exact.first().map(|it| &it.price)
    }

    /// The first rows, with the quantities added up where the exchange does not do so.
    fn shown(self, depth: usize) -> Vec<Level> {
        let mut sum = Exact::default();
        let rows = self.orders.into_iter().zip(self.exact).take(depth);
        rows.map(|(order, exact)| {
            sum = sum.plus(&exact.quantity);
            Level {
                price: order.price,
                quantity: order.quantity,
                total_quantity: order.total_quantity.unwrap_or_else(|| sum.decimal()),
            }
        })
        .collect()
    }
}

fn twenty() -> Count<1, 200> {
    Count(20)
}
