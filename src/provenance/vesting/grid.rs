//! A schedule in periods of equal length, counted from its start.

use std::ops::Range;

use super::{Rule, Schedule, continuous};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::provenance::account::overflow;
use crate::provenance::amount::{NHASH, sum_of};
use crate::provenance::upstreams::EXPLORER;

/// The nhash of a schedule, in periods. Period `n`, from 1, ends at `date(n)`; the last one ends with the schedule.
pub(in crate::provenance) struct Grid {
    whole: u128,
    start: Timestamp,
    end: Timestamp,
    /// Seconds of a period.
    step: i64,
    count: u64,
    /// For schedules with dates of their own: what has vested by each date, oldest first.
    dates: Option<Vec<(Timestamp, u128)>>,
}

impl Schedule {
    /// The schedule in periods of this many seconds.
    pub(in crate::provenance) fn grid(&self, account_type: &str, seconds: u32) -> Result<Grid> {
        let whole = sum_of(NHASH, &self.original_vesting_list);
        let whole = whole.ok_or_else(|| overflow(EXPLORER.name))?;
        let grid = |start, end, dates| Grid::new(whole, start, end, seconds, dates);
        Ok(match self.rule(account_type)? {
            Rule::Permanent => {
                let never = self
                    .end_time
                    .or(self.start_time)
                    .ok_or_else(|| impossible("without a date"))?;
                Grid {
                    count: 0,
                    ..grid(never, never, Some(Vec::new()))
                }
            }
            Rule::Delayed(end) => grid(end, end, Some(vec![(end, whole)])),
            Rule::Continuous(start, end) if start < end => grid(start, end, None),
            Rule::Continuous(..) => return Err(impossible("whose end is not after its start")),
            Rule::Periodic => {
                let dates = self.dates(whole).ok_or_else(|| overflow(EXPLORER.name))?;
                let start = self.start_time;
                let start = start.ok_or_else(|| impossible("that has no start"))?;
                let last = dates.last().map(|it| it.0);
                let end = last.max(self.end_time).unwrap_or(start);
                grid(start, end, Some(dates))
            }
        })
    }

    /// What has vested by each date; `None` beyond 128 bits.
    fn dates(&self, whole: u128) -> Option<Vec<(Timestamp, u128)>> {
        let mut dates = Vec::new();
        for period in &self.periodic_vesting_list {
            if let Some(date) = period.vesting_date {
                dates.push((date, sum_of(NHASH, &period.coins)?));
            }
        }
        dates.sort_by_key(|it| it.0);
        let mut sum = 0u128;
        for (_, amount) in &mut dates {
            sum = sum.checked_add(*amount)?;
            *amount = sum.min(whole);
        }
        Some(dates)
    }
}

impl Grid {
    fn new(
        whole: u128,
        start: Timestamp,
        end: Timestamp,
        seconds: u32,
        dates: Option<Vec<(Timestamp, u128)>>,
    ) -> Grid {
        let length = u64::try_from(end.unix() - start.unix()).unwrap_or(0);
        Grid {
            whole,
            start,
            end,
            step: seconds.into(),
            count: length.div_ceil(seconds.into()).max(1),
            dates,
        }
    }

    /// The granted amount.
    pub(in crate::provenance) fn whole(&self) -> u128 {
        self.whole
    }

    /// The periods that end within these times, both included.
    pub(in crate::provenance) fn between(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Range<u64> {
        let since = |at: Timestamp| at.unix() - self.start.unix();
        let first = match from {
            Some(from) if self.end < from => self.count + 1,
            // The period in which `from` lies ends at it or later.
            Some(from) => {
                let periods = (since(from) + self.step - 1).div_euclid(self.step);
                u64::try_from(periods)
                    .unwrap_or(0)
                    .clamp(1, self.count.max(1))
            }
            None => 1,
        };
        let last = match to {
            Some(to) if to < self.end => {
                let periods = since(to).div_euclid(self.step);
                u64::try_from(periods)
                    .unwrap_or(0)
                    .min(self.count.saturating_sub(1))
            }
            _ => self.count,
        };
        first..last + 1
    }

    /// The end of a period.
    pub(in crate::provenance) fn date(&self, number: u64) -> Option<Timestamp> {
        if number >= self.count {
            return Some(self.end);
        }
        let seconds = i64::try_from(number).ok()?.checked_mul(self.step)?;
        Timestamp::from_unix(self.start.unix().checked_add(seconds)?)
    }

    /// What has vested at the end of a period; `None` beyond 128 bits.
    pub(in crate::provenance) fn vested(&self, number: u64) -> Option<u128> {
        if number == 0 {
            return Some(0);
        }
        let at = self.date(number)?;
        let Some(dates) = &self.dates else {
            return continuous(self.whole, self.start, self.end, at);
        };
        let passed = dates.partition_point(|it| it.0 <= at);
        Some(passed.checked_sub(1).map_or(0, |last| dates[last].1))
    }
}

fn impossible(how: &str) -> Error {
    let problem = format!("answered with a vesting schedule {how}");
    Error::invalid_response(EXPLORER.name, problem)
}
