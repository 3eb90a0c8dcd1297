//! Delegation: what a wallet has staked, earned, moved and is unstaking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::overflow;
use super::address::Address;
use super::amount::{Coin, NHASH, sum_of};
use super::number::Integer;
use super::partial::{MissingPart, PartCollector};
use super::progress::PartProgress;
use super::upstreams::EXPLORER;
use crate::context::Context;
use crate::error::Result;

/// The parts of a delegation: staked, rewards, unbonding and redelegated.
pub(super) const PARTS: u32 = 4;

/// Everything one wallet has delegated to validators: staked, redelegated, rewards and unbonding, with totals.
/// Redelegated stake is already inside the staked amount and is reported beside it, not added.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalDelegation {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The staking rewards that one wallet has earned and not yet claimed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rewards {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The nhash that one wallet has staked, and with how many validators.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Staked {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The nhash that one wallet is taking back from validators; it earns nothing and arrives after 21 days.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unbonding {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The nhash that one wallet has moved between validators in the last 21 days; it is still staked and earning.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redelegation {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Total {
    /// Validators that the wallet has staked with.
    staking_validators: Option<Integer>,
    pub(super) delegated_staked_amount: Option<Coin>,
    delegated_redelegated_amount: Option<Coin>,
    pub(super) delegated_rewards_amount: Option<Coin>,
    pub(super) delegated_unbonding_amount: Option<Coin>,
    /// Staked, rewards and unbonding together.
    delegated_total_delegated_amount: Option<Coin>,
    /// What earns rewards: the staked amount.
    delegated_earning_amount: Option<Coin>,
    /// What earns no rewards: rewards and unbonding.
    delegated_not_earning_amount: Option<Coin>,
    /// The parts that could not be fetched; values that depend on them are null.
    pub(super) incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct StakedAmount {
    /// Validators that the wallet has staked with.
    staking_validators: Integer,
    delegated_staked_amount: Coin,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RewardsAmount {
    delegated_rewards_amount: Coin,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct UnbondingAmount {
    delegated_unbonding_amount: Coin,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RedelegationAmount {
    delegated_redelegated_amount: Coin,
}

/// The explorer's pages of delegations, unbondings and redelegations: rows, and their totals.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rows {
    #[serde(alias = "records")]
    results: Vec<Row>,
    total: Option<Integer>,
    rollup_totals: Option<Rollup>,
}

#[derive(Deserialize)]
struct Row {
    amount: Coin,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rollup {
    #[serde(alias = "unbondingTotal", alias = "redelegationTotal")]
    bonded_total: Option<Coin>,
}

#[derive(Deserialize)]
struct Earned {
    total: Vec<Coin>,
}

pub(super) async fn total(
    cx: Context,
    TotalDelegation { wallet_address }: TotalDelegation,
) -> Result<Total> {
    gather(
        &cx,
        wallet_address.on_network(&cx)?,
        &PartProgress::new(&cx, PARTS),
    )
    .await
}

pub(super) async fn rewards(
    cx: Context,
    Rewards { wallet_address }: Rewards,
) -> Result<RewardsAmount> {
    let delegated_rewards_amount = earned(&cx, wallet_address.on_network(&cx)?).await?;
    Ok(RewardsAmount {
        delegated_rewards_amount,
    })
}

pub(super) async fn staked(cx: Context, Staked { wallet_address }: Staked) -> Result<StakedAmount> {
    let (staking_validators, delegated_staked_amount) =
        bonded(&cx, wallet_address.on_network(&cx)?).await?;
    Ok(StakedAmount {
        staking_validators,
        delegated_staked_amount,
    })
}

pub(super) async fn unbonding(
    cx: Context,
    Unbonding { wallet_address }: Unbonding,
) -> Result<UnbondingAmount> {
    let delegated_unbonding_amount =
        moving(&cx, wallet_address.on_network(&cx)?, "unbonding").await?;
    Ok(UnbondingAmount {
        delegated_unbonding_amount,
    })
}

pub(super) async fn redelegation(
    cx: Context,
    Redelegation { wallet_address }: Redelegation,
) -> Result<RedelegationAmount> {
    let delegated_redelegated_amount =
        moving(&cx, wallet_address.on_network(&cx)?, "redelegations").await?;
    Ok(RedelegationAmount {
        delegated_redelegated_amount,
    })
}

/// Fetches all parts concurrently.
pub(super) async fn gather(
    cx: &Context,
    wallet: &str,
    progress: &PartProgress<'_>,
) -> Result<Total> {
    let (staked, rewards, unbonding, redelegated) = tokio::join!(
        progress.part("staked", bonded(cx, wallet)),
        progress.part("rewards", earned(cx, wallet)),
        progress.part("unbonding", moving(cx, wallet, "unbonding")),
        progress.part("redelegated", moving(cx, wallet, "redelegations")),
    );
    let mut parts = PartCollector::default();
    let staked = parts.take("staked", staked);
    let rewards = parts.take("rewards", rewards);
    let unbonding = parts.take("unbonding", unbonding);
    let redelegated = parts.take("redelegated", redelegated);
    let (staking_validators, staked) = staked.unzip();
    let not_earning = add([&rewards, &unbonding]);
    Ok(Total {
        staking_validators,
        delegated_total_delegated_amount: add([&staked, &not_earning]),
        delegated_earning_amount: staked.clone(),
        delegated_not_earning_amount: not_earning,
        delegated_staked_amount: staked,
        delegated_redelegated_amount: redelegated,
        delegated_rewards_amount: rewards,
        delegated_unbonding_amount: unbonding,
        incomplete: parts.finish(cx)?,
    })
}

/// The sum; null if a summand is missing.
pub(super) fn add<const N: usize>(coins: [&Option<Coin>; N]) -> Option<Coin> {
    let coins = coins
        .into_iter()
        .map(Option::as_ref)
        .collect::<Option<Vec<&Coin>>>()?;
    sum_of(NHASH, coins).map(Coin::nhash)
}

async fn bonded(cx: &Context, wallet: &str) -> Result<(Integer, Coin)> {
    let path = format!("/api/v2/accounts/{wallet}/delegations?count=10&page=1");
    let rows: Rows = cx.get_json(&EXPLORER, &path).await?;
    let validators = rows.total.unwrap_or(Integer(rows.results.len() as u128));
    // Without a total, the first page is complete only if it is the only one.
    let is_whole = validators.0 <= rows.results.len() as u128;
    match rows.rolled_up() {
        Some(coin) => Ok((validators, coin)),
        None if is_whole => Ok((validators, rows.summed()?)),
        None => Err(overflow(EXPLORER.name)),
    }
}

async fn moving(cx: &Context, wallet: &str, what: &str) -> Result<Coin> {
    let rows: Rows = cx
        .get_json(&EXPLORER, &format!("/api/v2/accounts/{wallet}/{what}"))
        .await?;
    rows.rolled_up().map_or_else(|| rows.summed(), Ok)
}

async fn earned(cx: &Context, wallet: &str) -> Result<Coin> {
    let earned: Earned = cx
        .get_json(&EXPLORER, &format!("/api/v2/accounts/{wallet}/rewards"))
        .await?;
    sum_of(NHASH, &earned.total)
        .map(Coin::nhash)
        .ok_or_else(|| overflow(EXPLORER.name))
}

impl Rows {
    fn rolled_up(&self) -> Option<Coin> {
        self.rollup_totals.as_ref()?.bonded_total.clone()
    }

    fn summed(&self) -> Result<Coin> {
        sum_of(NHASH, self.results.iter().map(|row| &row.amount))
            .map(Coin::nhash)
            .ok_or_else(|| overflow(EXPLORER.name))
    }
}
