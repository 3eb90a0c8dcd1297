//! What HASH cost day by day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::date::Date;
use crate::provenance::decimal::Decimal;
use crate::provenance::moment::Moment;
use crate::provenance::order;
use crate::provenance::trading::candles::change;
use crate::provenance::upstreams::EXPLORER;

/// The maximum number of days of one answer.
const MAX_DAYS: i64 = 366;
/// The number of days before `to` where `from` is by default.
const DEFAULT_DAYS: i64 = 30;

/// The price of HASH in US dollars day by day: open, high, low, close and volume, oldest first, and the change over them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct HashPriceHistory {
    /// First date; 30 days before `to` by default.
    #[serde(default)]
    from: Option<Date>,
    /// Last date; today by default. At most 366 days.
    #[serde(default)]
    to: Option<Date>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct PriceHistory {
    /// Oldest first.
    days: Vec<Day>,
    /// From the first open to the last close, a fraction to eight digits.
    change: Option<Decimal>,
}

/// Prices in US dollars.
#[derive(Serialize, JsonSchema)]
struct Day {
    date: Date,
    open: Option<Decimal>,
    high: Option<Decimal>,
    low: Option<Decimal>,
    close: Option<Decimal>,
    volume: Option<Decimal>,
}

/// A row of the explorer's `GET /api/v3/utility_token/historical_pricing`.
#[derive(Deserialize)]
struct DayRecord {
    time_open: Moment,
    quote: Option<Quotes>,
}

#[derive(Deserialize)]
struct Quotes {
    #[serde(rename = "USD")]
    usd: Option<Quote>,
}

#[derive(Default, Deserialize)]
struct Quote {
    open: Option<Decimal>,
    high: Option<Decimal>,
    low: Option<Decimal>,
    close: Option<Decimal>,
    volume: Option<Decimal>,
}

pub(in crate::provenance) async fn history(
    cx: Context,
    arguments: HashPriceHistory,
) -> Result<PriceHistory> {
    let today = Date::of(cx.now()).ok_or_else(|| Error::internal("the clock has no date"))?;
    let to = arguments.to.unwrap_or(today);
    let from = arguments.from.unwrap_or_else(|| to.before(DEFAULT_DAYS));
    if from > to {
        return Err(Error::invalid_argument("from", "must not be after `to`"));
    }
    let count = to.days_since(from);
    if count > MAX_DAYS {
        let problem = format!("there are {count} days up to `to`, of at most {MAX_DAYS}");
        return Err(Error::invalid_argument("from", problem));
    }
    let path = format!("/api/v3/utility_token/historical_pricing?fromDate={from}&toDate={to}");
    let rows: Vec<DayRecord> = cx
        .get_json(&EXPLORER, &path)
        .await
        .map_err(Error::must_exist)?;
    let mut days: Vec<Day> = rows.into_iter().filter_map(Day::of).collect();
    days.retain(|day| {
        arguments.from.is_none_or(|from| from <= day.date)
            && arguments.to.is_none_or(|to| day.date <= to)
    });
    order::sort(&mut days, |a, b| a.date.cmp(&b.date));
    let surplus = days.len().saturating_sub(MAX_DAYS as usize);
    days.drain(..surplus);
    Ok(PriceHistory {
        change: change(
            days.first().and_then(|it| it.open.as_ref()),
            days.last().and_then(|it| it.close.as_ref()),
        ),
        days,
    })
}

impl Day {
    fn of(record: DayRecord) -> Option<Day> {
        let quote = record.quote.and_then(|it| it.usd).unwrap_or_default();
        Some(Day {
            date: Date::of(record.time_open.at())?,
            open: quote.open,
            high: quote.high,
            low: quote.low,
            close: quote.close,
            volume: quote.volume,
        })
    }
}
