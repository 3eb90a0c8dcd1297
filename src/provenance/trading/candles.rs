//! The candles of a market, and the change over them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;
use crate::provenance::market::{Pair, known};
use crate::provenance::moment::Moment;
use crate::provenance::order;
use crate::provenance::upstreams::EXCHANGE;

/// The maximum number of candles of one answer.
const MAX_CANDLES: i64 = 1_000;
/// The number of intervals before `to` where `from` is by default.
const DEFAULT_INTERVALS: i64 = 100;

/// Candles of one market (open, high, low, close, volume), oldest first, and the change of the price over them.
/// Intervals without a trade have no candle.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct MarketCandles {
    /// Symbol of the market, as fetch_current_fm_data lists it; case-sensitive.
    token_pair: Pair,
    /// Length of a candle.
    #[serde(default)]
    interval: Interval,
    /// First start of candles; 100 intervals before `to` by default.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Last start of candles; now by default.
    #[serde(default)]
    to: Option<Timestamp>,
    /// Price of trades, or half-way between bid and ask.
    #[serde(default)]
    price: Source,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
enum Interval {
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "4h")]
    FourHours,
    #[default]
    #[serde(rename = "1d")]
    Day,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    #[default]
    Trade,
    Mid,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Candles {
    token_pair: String,
    interval: Interval,
    /// Oldest first.
    candles: Vec<Candle>,
    /// From the first open to the last close, a fraction to eight digits.
    change: Option<Decimal>,
}

/// Prices in the quote denom.
#[derive(Serialize, JsonSchema)]
struct Candle {
    start: Moment,
    open: Option<Decimal>,
    high: Option<Decimal>,
    low: Option<Decimal>,
    close: Option<Decimal>,
    /// In the base denom.
    volume: Option<Decimal>,
}

/// The exchange's `GET /markets/{symbol}/candles`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    match_history_data: Vec<CandleRow>,
}

#[derive(Deserialize)]
struct CandleRow {
    date: Moment,
    open: Option<Decimal>,
    high: Option<Decimal>,
    low: Option<Decimal>,
    close: Option<Decimal>,
    volume: Option<Decimal>,
}

pub(in crate::provenance) async fn candles(
    cx: Context,
    arguments: MarketCandles,
) -> Result<Candles> {
    let range = Range::of(&cx, &arguments)?;
    let pair = arguments.token_pair.symbol();
    let path = format!(
        "/markets/{pair}/candles?start_date={}&end_date={}&interval_in_minutes={}&candle_type={}&size={MAX_CANDLES}",
        range.from,
        range.to,
        arguments.interval.minutes(),
        arguments.price.word(),
    );
    let cx = cx.in_sequence();
    let history: History = known(&cx, pair, cx.get_json(&EXCHANGE, &path)).await?;
    let is_asked = |row: &CandleRow| {
        let at = row.date.at();
        arguments.from.is_none_or(|from| from <= at) && arguments.to.is_none_or(|to| at <= to)
    };
    let rows = history.match_history_data.into_iter().filter(is_asked);
    let mut candles: Vec<Candle> = rows.map(Candle::from).collect();
    order::sort(&mut candles, |a, b| a.start.at().cmp(&b.start.at()));
    let surplus = candles.len().saturating_sub(MAX_CANDLES as usize);
    candles.drain(..surplus);
    Ok(Candles {
        token_pair: pair.to_owned(),
        interval: arguments.interval,
        change: change(
            candles.first().and_then(|it| it.open.as_ref()),
            candles.last().and_then(|it| it.close.as_ref()),
        ),
        candles,
    })
}

/// The change from the first open to the last close; null where one is missing or the open is zero.
pub(in crate::provenance) fn change(
    open: Option<&Decimal>,
    close: Option<&Decimal>,
) -> Option<Decimal> {
    Exact::of(open?)?.change_to(&Exact::of(close?)?)
}

/// The times that are asked for.
struct Range {
    from: Timestamp,
    to: Timestamp,
}

impl Range {
    fn of(cx: &Context, arguments: &MarketCandles) -> Result<Range> {
        let seconds = arguments.interval.minutes() * 60;
        let to = arguments.to.unwrap_or_else(|| cx.now());
        let from = match arguments.from {
            Some(from) => from,
            None => Timestamp::from_unix(to.unix() - DEFAULT_INTERVALS * seconds)
                .ok_or_else(|| Error::invalid_argument("to", "is too early"))?,
        };
        if from > to {
            return Err(Error::invalid_argument("from", "must not be after `to`"));
        }
        let count = (to.unix() - from.unix()) / seconds + 1;
        if count > MAX_CANDLES {
            let problem = format!(
                "there are {count} candles up to `to`, of at most {MAX_CANDLES}; ask for a shorter range or a longer `interval`"
            );
            return Err(Error::invalid_argument("from", problem));
        }
        Ok(Range { from, to })
    }
}

impl Interval {
    fn minutes(self) -> i64 {
        match self {
            Interval::Hour => 60,
            Interval::FourHours => 240,
            Interval::Day => 1_440,
        }
    }
}

impl Source {
    /// The exchange's word for it.
    fn word(self) -> &'static str {
        match self {
            Source::Trade => "TRADE",
            Source::Mid => "MID_MARKET",
        }
    }
}

impl From<CandleRow> for Candle {
    fn from(row: CandleRow) -> Candle {
        Candle {
            start: row.date,
            open: row.open,
            high: row.high,
            low: row.low,
            close: row.close,
            volume: row.volume,
        }
    }
}
