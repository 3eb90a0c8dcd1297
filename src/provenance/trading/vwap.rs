//! The average price of the last trades, weighted by their quantities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact;
use crate::context::Context;
use crate::error::Result;
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::{Exact, PRICE};
use crate::provenance::market::{Pair, known, trades};
use crate::registry::count::Count;

/// Volume-weighted average price of the last trades of one market, with their volume and notional value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct RecentVwap {
    /// Symbol of the market, as fetch_current_fm_data lists it; case-sensitive.
    token_pair: Pair,
    /// The maximum number of trades to average.
    #[serde(default = "most")]
    last_number_of_trades: Count<1, 200>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Vwap {
    token_pair: String,
    /// To 18 digits; null without a trade.
    vwap: Option<Decimal>,
    /// Base units.
    volume: Decimal,
    /// Quote units.
    notional: Decimal,
    /// Time of the oldest trade.
    first_trade: Option<String>,
    /// Time of the newest trade.
    last_trade: Option<String>,
    trade_count: usize,
}

pub(in crate::provenance) async fn vwap(cx: Context, arguments: RecentVwap) -> Result<Vwap> {
    let pair = arguments.token_pair.symbol();
    let cx = cx.in_sequence();
    let count = arguments.last_number_of_trades.0;
    let trades = known(&cx, pair, trades(&cx, pair, count)).await?.trades;
    let (mut volume, mut notional) = (Exact::default(), Exact::default());
    for trade in &trades {
        let quantity = exact(&trade.quantity)?;
        notional = notional.plus(&exact(&trade.price)?.times(&quantity));
        volume = volume.plus(&quantity);
    }
    let time =
        |trade: Option<&crate::provenance::market::Trade>| trade.map(|it| it.created.clone());
    Ok(Vwap {
        token_pair: pair.to_owned(),
        vwap: notional.divided(&volume, PRICE).map(|it| it.decimal()),
        volume: volume.trimmed(),
        notional: notional.trimmed(),
        first_trade: time(trades.last()),
        last_trade: time(trades.first()),
        trade_count: trades.len(),
    })
}

fn most() -> Count<1, 200> {
    Count(200)
}
