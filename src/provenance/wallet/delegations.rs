//! What a wallet has delegated, validator by validator.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::provenance::account::overflow;
use crate::provenance::address::Address;
use crate::provenance::amount::{Coin, NHASH, sum_of};
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;
use crate::provenance::moment::Moment;
use crate::provenance::number::lenient_text;
use crate::provenance::order;
use crate::provenance::pages::{List, Rows};
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::{EXPLORER, explorer};

/// What one wallet has delegated, validator by validator, with rewards and shares, what it is unbonding and redelegating,
/// and how concentrated it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct WalletDelegations {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Delegations {
    /// The largest first.
    delegations: Vec<Delegation>,
    unbonding: Vec<Unbonding>,
    redelegations: Vec<Redelegation>,
    totals: Totals,
    /// Number of validators.
    validators: Option<usize>,
    /// The largest share.
    largest_share: Option<Decimal>,
    /// Sum of the squared shares, to eight digits: 1 is one validator.
    herfindahl: Option<Decimal>,
    /// `delegations`, `unbonding`, `redelegations` or `rewards` where they failed; then their lists are empty or cut.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct Delegation {
    operator_address: Option<String>,
    amount: Coin,
    /// Earned there and not claimed; null where the rewards failed.
    rewards: Option<Coin>,
    /// Of all that is staked, to eight digits.
    share: Option<Decimal>,
}

#[derive(Serialize, JsonSchema)]
struct Unbonding {
    operator_address: Option<String>,
    amount: Coin,
    completes_at: Option<Moment>,
}

#[derive(Serialize, JsonSchema)]
struct Redelegation {
    from: Option<String>,
    to: Option<String>,
    amount: Coin,
    completes_at: Option<Moment>,
}

#[derive(Serialize, JsonSchema)]
struct Totals {
    staked: Option<Coin>,
    rewards: Option<Coin>,
    unbonding: Option<Coin>,
}

/// A row of the explorer's delegations, unbondings and redelegations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default, deserialize_with = "lenient_text")]
    validator_src_addr: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    validator_dst_addr: Option<String>,
    amount: Coin,
    end_time: Option<Moment>,
}

#[derive(Deserialize)]
struct Records {
    records: Vec<Row>,
}

/// The explorer's `GET /api/v2/accounts/{address}/rewards`.
#[derive(Deserialize)]
struct Earned {
    #[serde(default)]
    rewards: Vec<Reward>,
    #[serde(default)]
    total: Vec<Coin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reward {
    #[serde(default, deserialize_with = "lenient_text")]
    validator_address: Option<String>,
    #[serde(default)]
    reward: Vec<Coin>,
}

pub(in crate::provenance) async fn delegations(
    cx: Context,
    WalletDelegations { wallet_address }: WalletDelegations,
) -> Result<Delegations> {
    let wallet = wallet_address.on_network(&cx)?;
    let base = format!("/api/v2/accounts/{wallet}");
    let [path, unbonding, redelegations, rewards] =
        ["delegations", "unbonding", "redelegations", "rewards"].map(|it| format!("{base}/{it}"));
    let list = List {
        path: &path,
        query: "",
        count: 100,
        most: 10,
    };
    let (staked, unbonding, redelegations, earned) = tokio::join!(
        list.read::<Row>(&cx),
        explorer::<Records>(&cx, &unbonding),
        explorer::<Records>(&cx, &redelegations),
        explorer::<Earned>(&cx, &rewards),
    );
    let mut parts = PartCollector::default();
    let mut staked = parts.take("delegations", staked);
    if let Some(error) = staked.as_mut().and_then(|it| it.missing.take()) {
        parts.take::<()>("delegations", Err(error));
    }
    let unbonding = parts.take("unbonding", unbonding.and_then(Records::summed));
    let redelegations = parts.take("redelegations", redelegations);
    let earned = parts.take("rewards", earned.and_then(Earned::summed));
    let incomplete = parts.finish(&cx)?;
    let (earned, rewards) = earned.unzip();
    let (unbonding, unbonding_total) = unbonding.unzip();
    let shared = match staked {
        Some(rows) => Some(Shared::of(rows, earned.as_ref())?),
        None => None,
    };
    let (redelegations, unbonding) = (rows_of(redelegations), unbonding.unwrap_or_default());
    Ok(Delegations {
        unbonding: unbonding.into_iter().map(Unbonding::from).collect(),
        redelegations: redelegations.into_iter().map(Redelegation::from).collect(),
        totals: Totals {
            staked: shared.as_ref().map(|it| Coin::nhash(it.staked)),
            rewards: rewards.map(Coin::nhash),
            unbonding: unbonding_total.map(Coin::nhash),
        },
        validators: shared.as_ref().map(|it| it.validators),
        largest_share: shared
            .as_ref()
            .and_then(|it| it.delegations.first()?.share.clone()),
        herfindahl: shared.as_ref().and_then(|it| it.herfindahl.clone()),
        delegations: shared.map(|it| it.delegations).unwrap_or_default(),
        incomplete,
    })
}

fn rows_of(records: Option<Records>) -> Vec<Row> {
    records.map(|it| it.records).unwrap_or_default()
}

/// The delegations with their shares.
struct Shared {
    delegations: Vec<Delegation>,
    staked: u128,
    validators: usize,
    herfindahl: Option<Decimal>,
}

impl Shared {
    fn of(list: Rows<Row>, earned: Option<&HashMap<String, u128>>) -> Result<Shared> {
        let mut rows = list.rows;
        // A row can move to the next page while the pages are read.
        let mut seen = HashSet::new();
        rows.retain(|it| {
            it.validator_src_addr.is_none() || seen.insert(it.validator_src_addr.clone())
        });
        order::sort(&mut rows, |a, b| {
            let by_amount = b.amount.amount.0.cmp(&a.amount.amount.0);
            by_amount.then_with(|| a.validator_src_addr.cmp(&b.validator_src_addr))
        });
        let told = list.rollup.and_then(|it| it.bonded_total);
        let staked = match told {
            Some(coin) => coin.amount.0,
            None => sum_of(NHASH, rows.iter().map(|it| &it.amount))
                .ok_or_else(|| overflow(EXPLORER.name))?,
        };
        let whole = Exact::whole(staked);
        let squares = rows.iter().fold(Exact::default(), |sum, row| {
            let amount = Exact::whole(row.amount.amount.0);
            sum.plus(&amount.times(&amount))
        });
        let validators = list.total.and_then(|it| usize::try_from(it.0).ok());
        Ok(Shared {
            validators: validators.unwrap_or(rows.len()),
            herfindahl: squares.share_of(&whole.times(&whole)),
            delegations: rows
                .into_iter()
                .map(|row| delegation(row, earned, &whole))
                .collect(),
            staked,
        })
    }
}

fn delegation(row: Row, earned: Option<&HashMap<String, u128>>, whole: &Exact) -> Delegation {
    let operator = row.validator_src_addr;
    let rewards = earned.map(|earned| {
        let own = operator.as_ref().and_then(|it| earned.get(it));
        Coin::nhash(own.copied().unwrap_or(0))
    });
    Delegation {
        share: Exact::whole(row.amount.amount.0).share_of(whole),
        operator_address: operator,
        amount: row.amount,
        rewards,
    }
}

impl Records {
    /// The rows and their sum.
    fn summed(self) -> Result<(Vec<Row>, u128)> {
        let sum = sum_of(NHASH, self.records.iter().map(|it| &it.amount));
        let sum = sum.ok_or_else(|| overflow(EXPLORER.name))?;
        Ok((self.records, sum))
    }
}

impl Earned {
    /// The nhash of each validator, and of all.
    fn summed(self) -> Result<(HashMap<String, u128>, u128)> {
        let computed = || {
            let mut by_operator: HashMap<String, u128> = HashMap::new();
            for reward in &self.rewards {
                let operator = reward.validator_address.clone().unwrap_or_default();
                let sum = by_operator.entry(operator).or_default();
                *sum = sum.checked_add(sum_of(NHASH, &reward.reward)?)?;
            }
            Some((by_operator, sum_of(NHASH, &self.total)?))
        };
        computed().ok_or_else(|| overflow(EXPLORER.name))
    }
}

impl From<Row> for Unbonding {
    fn from(row: Row) -> Unbonding {
        Unbonding {
            operator_address: row.validator_src_addr,
            amount: row.amount,
            completes_at: row.end_time,
        }
    }
}

impl From<Row> for Redelegation {
    fn from(row: Row) -> Redelegation {
        Redelegation {
            from: row.validator_src_addr,
            to: row.validator_dst_addr,
            amount: row.amount,
            completes_at: row.end_time,
        }
    }
}
