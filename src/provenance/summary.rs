//! Aggregates of a wallet and of the market, with as few sequential upstream requests as possible.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::{self, Account, Committed};
use super::address::Address;
use super::amount::Coin;
use super::decimal::Decimal;
use super::delegation::{self, Total, add};
use super::hash::{self, Statistics};
use super::market::{self, Asset, Market};
use super::partial::{MissingPart, PartCollector};
use super::progress::PartProgress;
use super::upstreams::EXPLORER;
use super::vesting::{self, Vesting};
use crate::context::Context;
use crate::error::{Kind, Result};

/// The pairs whose last price is in the overview.
const KEY_PAIRS: [&str; 3] = ["HASH-USD", "BTC-USD", "ETH-USD"];

/// Everything about one wallet at once: account, vesting, delegation, commitments, balances, and totals.
/// Parts that could not be fetched are null and named in `incomplete`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WalletSummary {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The market at once: all markets, HASH statistics, assets, and the last prices of the key pairs.
/// Parts that could not be fetched are null and named in `incomplete`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MarketOverview {}

#[derive(Serialize, JsonSchema)]
pub(super) struct Wallet {
    wallet_address: String,
    account: Option<Account>,
    vesting: Option<Vesting>,
    delegation: Option<Total>,
    committed: Option<Committed>,
    balances: Option<Balances>,
    totals: Totals,
    /// The parts that could not be fetched; values that depend on them are null.
    incomplete: Vec<MissingPart>,
}

/// The bank balance of nhash. Committed amounts are inside it, so they are never added to it.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub(super) struct Balances {
    total: Coin,
    /// The amount that can be sent now.
    spendable: Coin,
    /// The amount that vesting and holds lock.
    locked: Coin,
}

#[derive(Serialize, JsonSchema)]
struct Totals {
    /// The bank balance.
    liquid: Option<Coin>,
    spendable: Option<Coin>,
    locked: Option<Coin>,
    committed: Option<Coin>,
    staked: Option<Coin>,
    rewards: Option<Coin>,
    unbonding: Option<Coin>,
    unvested: Option<Coin>,
    /// Liquid, staked, rewards and unbonding together.
    wallet_total: Option<Coin>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Overview {
    markets: Option<Vec<Market>>,
    hash_statistics: Option<Statistics>,
    assets: Option<Vec<Asset>>,
    /// By symbol; null if the price could not be fetched.
    key_token_prices: BTreeMap<&'static str, Option<KeyPrice>>,
    /// Key pairs that the exchange does not list.
    unavailable: Vec<&'static str>,
    /// The parts that could not be fetched.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct KeyPrice {
    /// Null if the pair has never traded.
    last_price: Option<Decimal>,
    /// When it was traded, RFC 3339.
    created: Option<String>,
}

pub(super) async fn wallet(
    cx: Context,
    WalletSummary { wallet_address }: WalletSummary,
) -> Result<Wallet> {
    let wallet = wallet_address.on_network(&cx)?;
    // The delegation counts as four parts of the progress.
    let progress = PartProgress::new(&cx, 5 + delegation::PARTS);
    let (record, schedule, delegation, committed, balances) = tokio::join!(
        progress.part("account", account::record(&cx, wallet)),
        progress.part("vesting", vesting::schedule(&cx, wallet)),
        progress.part("delegation", delegation::gather(&cx, wallet, &progress)),
        progress.part("committed", account::commitment(&cx, wallet)),
        progress.part("balances", balances(&cx, wallet)),
    );
    let mut parts = PartCollector::default();
    let account_type = record
        .as_ref()
        .map(|it| it.account_type.clone())
        .map_err(|error| error.again());
    let account = parts.take("account", record.map(|it| it.account(wallet)));
    let schedule =
        schedule.and_then(|schedule| vesting::vesting(wallet, cx.now(), schedule, account_type));
    let vesting = parts.take("vesting", schedule);
    let delegation = parts.take("delegation", delegation);
    parts.nest(
        "delegation",
        delegation
            .as_ref()
            .map_or(&[], |it| it.incomplete.as_slice()),
    );
    let committed = parts.take("committed", committed);
    let balances = parts.take("balances", balances);
    let totals = Totals::of(&vesting, &delegation, &committed, &balances);
    let incomplete = parts.finish(&cx)?;
    Ok(Wallet {
        wallet_address: wallet.to_owned(),
        account,
        vesting,
        delegation,
        committed,
        balances,
        totals,
        incomplete,
    })
}

pub(super) async fn market(cx: Context, MarketOverview {}: MarketOverview) -> Result<Overview> {
    // The prices depend on the list of markets.
    let cx = cx.in_sequence();
    let progress = PartProgress::new(&cx, 3 + KEY_PAIRS.len() as u32);
    let prices = async {
        let markets = progress.part("markets", market::list_markets(&cx)).await;
        // Without the list every key pair is requested; its own answer tells whether it exists.
        let is_listed = |pair: &str| match &markets {
            Ok(list) => list
                .markets
                .iter()
                .any(|it| it.symbol.as_deref() == Some(pair)),
            Err(_) => true,
        };
        let [hash, btc, eth] =
            KEY_PAIRS.map(|pair| progress.part(pair, key_price(&cx, pair, is_listed(pair))));
        let (hash, btc, eth) = tokio::join!(hash, btc, eth);
        (markets, [hash, btc, eth])
    };
    let ((markets, prices), statistics, assets) = tokio::join!(
        prices,
        progress.part("hash_statistics", hash::fetch(&cx)),
        progress.part("assets", market::list_assets(&cx)),
    );
    let mut parts = PartCollector::default();
    let markets = parts.take("markets", markets).map(|it| it.markets);
    let hash_statistics = parts.take("hash_statistics", statistics);
    let assets = parts.take("assets", assets).map(|it| it.assets);
    let mut key_token_prices = BTreeMap::new();
    let mut unavailable = Vec::new();
    for (pair, price) in KEY_PAIRS.into_iter().zip(prices) {
        match price {
            Ok(None) => unavailable.push(pair),
            Ok(Some(price)) => drop(key_token_prices.insert(pair, parts.take(pair, Ok(price)))),
            Err(error) => drop(
                key_token_prices.insert(pair, parts.take(&format!("prices.{pair}"), Err(error))),
            ),
        }
    }
    Ok(Overview {
        markets,
        hash_statistics,
        assets,
        key_token_prices,
        unavailable,
        incomplete: parts.finish(&cx)?,
    })
}

/// The last price of a pair; `None` if the exchange does not list it.
async fn key_price(cx: &Context, pair: &'static str, is_listed: bool) -> Result<Option<KeyPrice>> {
    if !is_listed {
        return Ok(None);
    }
    match market::trades(cx, pair, 1).await {
        Ok(price) => Ok(Some(KeyPrice {
            created: price.trades.first().map(|it| it.created.clone()),
            last_price: price.last_price,
        })),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn balances(cx: &Context, wallet: &str) -> Result<Balances> {
    cx.get_json(
        &EXPLORER,
        &format!("/api/v3/accounts/{wallet}/balances/utility_token"),
    )
    .await
}

impl Totals {
    fn of(
        vesting: &Option<Vesting>,
        delegation: &Option<Total>,
        committed: &Option<Committed>,
        balances: &Option<Balances>,
    ) -> Totals {
        let liquid = balances.as_ref().map(|it| it.total.clone());
        let part =
            |of: fn(&Total) -> &Option<Coin>| delegation.as_ref().and_then(|it| of(it).clone());
        let staked = part(|it| &it.delegated_staked_amount);
        let rewards = part(|it| &it.delegated_rewards_amount);
        let unbonding = part(|it| &it.delegated_unbonding_amount);
        Totals {
            wallet_total: add([&liquid, &staked, &rewards, &unbonding]),
            liquid,
            spendable: balances.as_ref().map(|it| it.spendable.clone()),
            locked: balances.as_ref().map(|it| it.locked.clone()),
            committed: committed
                .as_ref()
                .map(|it| it.available_committed_amount.clone()),
            staked,
            rewards,
            unbonding,
            unvested: vesting
                .as_ref()
                .map(|it| it.vesting_total_unvested_amount.clone()),
        }
    }
}
