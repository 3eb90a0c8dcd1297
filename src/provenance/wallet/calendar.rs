//! When a wallet's grant vests, period by period.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::account::{self, overflow};
use crate::provenance::address::Address;
use crate::provenance::amount::Coin;
use crate::provenance::upstreams::EXPLORER;
use crate::provenance::vesting::{self, Grid};

/// The maximum number of rows of one answer.
const MAX_ROWS: u64 = 1_000;

/// When the nhash grant of one wallet vests: for each period what vests, what has vested by then and what is left.
/// Periods count from the start of the schedule; a month has 30 days and 10 hours.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct VestingCalendar {
    /// Bech32 address of the wallet.
    wallet_address: Address,
    /// First date and time of rows; all by default.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Last date and time of rows; all by default.
    #[serde(default)]
    to: Option<Timestamp>,
    /// Length of a period.
    #[serde(default)]
    period: Period,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Period {
    Day,
    Week,
    #[default]
    Month,
    Quarter,
    Year,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Calendar {
    wallet_address: String,
    /// Whether the wallet has a vesting schedule.
    has_schedule: bool,
    /// Oldest first.
    periods: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    /// The end of the period.
    date: Timestamp,
    vests: Coin,
    vested_so_far: Coin,
    unvested_after: Coin,
}

pub(in crate::provenance) async fn calendar(
    cx: Context,
    arguments: VestingCalendar,
) -> Result<Calendar> {
    let wallet = arguments.wallet_address.on_network(&cx)?;
    let (from, to) = (arguments.from, arguments.to);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Error::invalid_argument("from", "must not be after `to`"));
    }
    let (schedule, record) =
        tokio::join!(vesting::schedule(&cx, wallet), account::record(&cx, wallet));
    let (has_schedule, periods) = match schedule? {
        None => (false, Vec::new()),
        Some(schedule) => {
            let account_type = record?.account_type.unwrap_or_default();
            let grid = schedule.grid(&account_type, arguments.period.seconds())?;
            (true, rows(&grid, from, to, arguments.period)?)
        }
    };
    Ok(Calendar {
        wallet_address: wallet.to_owned(),
        has_schedule,
        periods,
    })
}

/// The rows whose date is in the range.
fn rows(
    grid: &Grid,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    period: Period,
) -> Result<Vec<Row>> {
    let numbers = grid.between(from, to);
    let count = numbers.end.saturating_sub(numbers.start);
    if count > MAX_ROWS {
        let advice = match period.next() {
            Some(longer) => format!("; ask with period `{longer}`, or for a shorter range"),
            None => "; ask for a shorter range".to_owned(),
        };
        let problem = format!("there are {count} periods, of at most {MAX_ROWS}{advice}");
        return Err(Error::invalid_argument("period", problem));
    }
    numbers.map(|number| row(grid, number)).collect()
}

fn row(grid: &Grid, number: u64) -> Result<Row> {
    let computed = || {
        let before = grid.vested(number.checked_sub(1)?)?;
        let after = grid.vested(number)?;
        Some(Row {
            date: grid.date(number)?,
            vests: Coin::nhash(after.checked_sub(before)?),
            vested_so_far: Coin::nhash(after),
            unvested_after: Coin::nhash(grid.whole().checked_sub(after)?),
        })
    };
    computed().ok_or_else(|| overflow(EXPLORER.name))
}

impl Period {
    fn seconds(self) -> u32 {
        match self {
            Period::Day => 86_400,
            Period::Week => 604_800,
            Period::Month => 2_628_000,
            Period::Quarter => 7_884_000,
            Period::Year => 31_536_000,
        }
    }

    /// The next longer period.
    fn next(self) -> Option<&'static str> {
        match self {
            Period::Day => Some("week"),
            Period::Week => Some("month"),
            Period::Month => Some("quarter"),
            Period::Quarter => Some("year"),
            Period::Year => None,
        }
    }
}
