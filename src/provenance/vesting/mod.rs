//! Vesting: how much of a wallet's grant has vested.

mod grid;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::{self, overflow};
use super::address::Address;
use super::amount::{Coin, NHASH, sum_of};
use super::decimal::divide_half_even;
use super::upstreams::EXPLORER;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Kind, Result};

pub(super) use grid::Grid;

/// How much of one wallet's vesting grant has vested and how much has not, at a given time.
/// A wallet without a vesting schedule has `has_schedule` false and nothing unvested.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalUnvested {
    /// Bech32 address of the wallet.
    wallet_address: Address,
    /// The time of the amounts: an RFC 3339 date and time, by default now. A missing zone is UTC, seconds are
    /// optional; in a query, write the `+` of a zone as `%2B`.
    #[serde(default)]
    date_time: Option<Timestamp>,
}

#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Vesting {
    wallet_address: String,
    /// The time of the amounts.
    date_time: Timestamp,
    /// Whether the wallet has a vesting schedule.
    has_schedule: bool,
    /// The granted amount.
    vesting_original_amount: Coin,
    vesting_total_vested_amount: Coin,
    pub(super) vesting_total_unvested_amount: Coin,
    /// When vesting begins; null for grants that vest at once, at the end or never.
    start_time: Option<Timestamp>,
    /// When vesting ends; null for grants that never vest.
    end_time: Option<Timestamp>,
    /// Grants in other denoms than nhash.
    other_denoms: Vec<Grant>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Grant {
    original: Coin,
    vested: Coin,
    unvested: Coin,
}

/// The explorer's schedule (`GET /api/v3/accounts/{address}/vesting`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schedule {
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    original_vesting_list: Vec<Coin>,
    #[serde(default)]
    periodic_vesting_list: Vec<Period>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    #[serde(default)]
    coins: Vec<Coin>,
    vesting_date: Option<Timestamp>,
}

/// The rule by which a schedule vests.
#[derive(Clone, Copy)]
enum Rule {
    /// In proportion to the time between two moments.
    Continuous(Timestamp, Timestamp),
    /// Each period's coins on its date.
    Periodic,
    /// All of it at one time.
    Delayed(Timestamp),
    /// Never.
    Permanent,
}

pub(super) async fn total_unvested(cx: Context, arguments: TotalUnvested) -> Result<Vesting> {
    let wallet = arguments.wallet_address.on_network(&cx)?;
    let at = arguments.date_time.unwrap_or_else(|| cx.now());
    let (schedule, record) = tokio::join!(schedule(&cx, wallet), account::record(&cx, wallet));
    vesting(
        wallet,
        at,
        schedule?,
        record.map(|record| record.account_type),
    )
}

/// Reads the schedule from the explorer; `None` if the wallet has none.
pub(super) async fn schedule(cx: &Context, wallet: &str) -> Result<Option<Schedule>> {
    // By default there is a row per day. The rows are needed only for periodic accounts, which have a row per period.
    let path = format!("/api/v3/accounts/{wallet}/vesting?continuousPeriod=MONTH");
    match cx.get_json(&EXPLORER, &path).await {
        Ok(schedule) => Ok(Some(schedule)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The amounts at a given time. The account type is fetched only if there is a schedule.
pub(super) fn vesting(
    wallet: &str,
    at: Timestamp,
    schedule: Option<Schedule>,
    account_type: Result<Option<String>>,
) -> Result<Vesting> {
    let Some(schedule) = schedule else {
        return Ok(Vesting::none(wallet, at));
    };
    let rule = schedule.rule(account_type?.as_deref().unwrap_or(""))?;
    let grants = schedule
        .original_vesting_list
        .iter()
        .map(|original| schedule.grant(rule, at, original));
    let (own, other): (Vec<Grant>, Vec<Grant>) = grants
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .partition(|it| it.original.denom == NHASH);
    let own = own.into_iter().next().unwrap_or_else(Grant::nothing);
    let (start_time, end_time) = match rule {
        Rule::Continuous(start, end) => (Some(start), Some(end)),
        Rule::Periodic => (schedule.start_time, schedule.end_time),
        Rule::Delayed(end) => (None, Some(end)),
        Rule::Permanent => (None, None),
    };
    Ok(Vesting {
        has_schedule: true,
        vesting_original_amount: own.original,
        vesting_total_vested_amount: own.vested,
        vesting_total_unvested_amount: own.unvested,
        start_time,
        end_time,
        other_denoms: other,
        ..Vesting::none(wallet, at)
    })
}

impl Vesting {
    fn none(wallet: &str, at: Timestamp) -> Vesting {
        let Grant {
            original,
            vested,
            unvested,
        } = Grant::nothing();
        Vesting {
            wallet_address: wallet.to_owned(),
            date_time: at,
            has_schedule: false,
            vesting_original_amount: original,
            vesting_total_vested_amount: vested,
            vesting_total_unvested_amount: unvested,
            start_time: None,
            end_time: None,
            other_denoms: Vec::new(),
        }
    }
}

impl Grant {
    fn nothing() -> Grant {
        Grant {
            original: Coin::nhash(0),
            vested: Coin::nhash(0),
            unvested: Coin::nhash(0),
        }
    }
}

impl Schedule {
    /// The account type determines the rule: the bodies of continuous and of evenly periodic accounts look the same.
    fn rule(&self, account_type: &str) -> Result<Rule> {
        let named = |word: &str| account_type.contains(word);
        match (self.start_time, self.end_time) {
            // The explorer writes 1970-01-01 as the end of a grant that never vests.
            (_, Some(end)) if named("Permanent") || end.unix() <= 0 => Ok(Rule::Permanent),
            (Some(start), Some(end)) if named("Continuous") => Ok(Rule::Continuous(start, end)),
            (_, Some(end)) if named("Delayed") => Ok(Rule::Delayed(end)),
            _ if named("Permanent") => Ok(Rule::Permanent),
            _ if named("Periodic") => Ok(Rule::Periodic),
            _ => Err(Error::invalid_response(
                EXPLORER.name,
                "answered with a vesting schedule whose rule is unknown",
            )),
        }
    }

    fn grant(&self, rule: Rule, at: Timestamp, original: &Coin) -> Result<Grant> {
        let whole = original.amount.0;
        let vested = match rule {
            Rule::Permanent => 0,
            Rule::Delayed(end) => {
                if at >= end {
                    whole
                } else {
                    0
                }
            }
            Rule::Continuous(start, end) => {
                continuous(whole, start, end, at).ok_or_else(|| overflow(EXPLORER.name))?
            }
            Rule::Periodic => {
                let come = self
                    .periodic_vesting_list
                    .iter()
                    .filter(|it| it.vesting_date.is_some_and(|date| date <= at));
                let sum = sum_of(&original.denom, come.flat_map(|it| &it.coins))
                    .ok_or_else(|| overflow(EXPLORER.name))?;
                sum.min(whole)
            }
        };
        let coin = |amount| Coin {
            amount: super::amount::Amount(amount),
            denom: original.denom.clone(),
        };
        Ok(Grant {
            original: original.clone(),
            vested: coin(vested),
            unvested: coin(whole - vested),
        })
    }
}

/// The vested part, in proportion to whole seconds, rounded half to even.
fn continuous(whole: u128, start: Timestamp, end: Timestamp, at: Timestamp) -> Option<u128> {
    if at >= end {
        return Some(whole);
    }
    let length = u128::try_from(end.unix() - start.unix()).ok()?;
    let passed = u128::try_from(at.unix() - start.unix()).unwrap_or(0);
    divide_half_even(whole.checked_mul(passed)?, length)
}
