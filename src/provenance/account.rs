//! Wallets: account, balance and commitments.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::amount::{Coin, NHASH, sum_of};
use super::decimal::Decimal;
use super::number::{Integer, lenient_text};
use super::upstreams::{EXPLORER, LCD};
use crate::context::Context;
use crate::error::{Error, Kind, Result};

/// The Figure Markets exchange's market on chain.
const MARKET: u128 = 1;
/// Rows of one page of balances.
const PAGE: u128 = 100;
/// The maximum number of pages that are read; no wallet has more denoms than they contain.
const MAX_PAGES: u128 = 100;

/// Account type, vesting state and assets under management of one wallet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountInfo {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// Whether one wallet is a vesting account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountIsVesting {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The nhash that one wallet has committed to the Figure Markets exchange (market 1), available for trading there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AvailableCommitted {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// The nhash in one wallet's bank balance: spendable, locked by vesting and held by commitments, but not delegated.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiquidBalance {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// An account.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Account {
    wallet_address: String,
    /// The kind of account, e.g. `Base Account` or `Continuous Vesting Account`.
    account_type: Option<String>,
    /// Whether the account has a vesting schedule.
    account_is_vesting: bool,
    /// The account's number on chain; null for an address that was never used.
    account_number: Option<Integer>,
    /// Transactions signed so far; null for an address that was never used.
    sequence: Option<Integer>,
    /// Value of all its assets.
    account_aum: Option<Value>,
}

/// A value in money.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
struct Value {
    /// Decimal string.
    amount: Decimal,
    /// The currency, `USD`.
    denom: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct IsVesting {
    wallet_address: String,
    /// Whether the account has a vesting schedule.
    wallet_is_vesting: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Committed {
    /// The market that the coins are committed to.
    market_id: u32,
    pub(super) available_committed_amount: Coin,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Liquid {
    wallet_liquid_balance: Coin,
}

/// The explorer's account (`GET /api/v2/accounts/{address}`). Each field may be missing or null, but not all of them.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountRecord {
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) account_type: Option<String>,
    account_number: Option<Integer>,
    sequence: Option<Integer>,
    account_aum: Option<Value>,
    is_vesting: Option<bool>,
    flags: Option<Flags>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flags {
    is_vesting: Option<bool>,
}

#[derive(Deserialize)]
struct Commitments {
    commitments: Vec<Commitment>,
}

#[derive(Deserialize)]
struct Commitment {
    market_id: Integer,
    #[serde(default)]
    amount: Vec<Coin>,
}

#[derive(Deserialize)]
struct Page {
    pages: Option<Integer>,
    results: Vec<Coin>,
}

pub(super) async fn info(
    cx: Context,
    AccountInfo { wallet_address }: AccountInfo,
) -> Result<Account> {
    let wallet = wallet_address.on_network(&cx)?;
    Ok(record(&cx, wallet).await?.account(wallet))
}

pub(super) async fn is_vesting(
    cx: Context,
    AccountIsVesting { wallet_address }: AccountIsVesting,
) -> Result<IsVesting> {
    let wallet = wallet_address.on_network(&cx)?;
    let wallet_is_vesting = record(&cx, wallet).await?.is_vesting();
    Ok(IsVesting {
        wallet_address: wallet.to_owned(),
        wallet_is_vesting,
    })
}

pub(super) async fn committed(
    cx: Context,
    AvailableCommitted { wallet_address }: AvailableCommitted,
) -> Result<Committed> {
    commitment(&cx, wallet_address.on_network(&cx)?).await
}

pub(super) async fn liquid_balance(
    cx: Context,
    LiquidBalance { wallet_address }: LiquidBalance,
) -> Result<Liquid> {
    let wallet = wallet_address.on_network(&cx)?;
    let cx = cx.in_sequence();
    let mut number = 1;
    loop {
        let path = format!("/api/v2/accounts/{wallet}/balances?count={PAGE}&page={number}");
        let page: Page = cx.get_json(&EXPLORER, &path).await?;
        // A bank balance has one row per denom, so the search can stop at the first match.
        if let Some(coin) = page.results.iter().find(|coin| coin.denom == NHASH) {
            return Ok(Liquid {
                wallet_liquid_balance: coin.clone(),
            });
        }
        if page.results.is_empty() || page.pages.is_none_or(|pages| pages.0 <= number) {
            return Ok(Liquid {
                wallet_liquid_balance: Coin::nhash(0),
            });
        }
        if number == MAX_PAGES {
            let problem = format!("answered with more than {MAX_PAGES} pages of balances");
            return Err(Error::invalid_response(EXPLORER.name, problem));
        }
        number += 1;
    }
}

/// Reads the account from the explorer.
pub(super) async fn record(cx: &Context, wallet: &str) -> Result<AccountRecord> {
    let record: Result<AccountRecord> = cx
        .get_json(&EXPLORER, &format!("/api/v2/accounts/{wallet}"))
        .await;
    match record {
        Ok(record) if record.is_empty() => {
            let problem = "answered with JSON that contains nothing about an account";
            Err(Error::invalid_response(EXPLORER.name, problem))
        }
        Err(error) if error.kind() == Kind::NotFound => {
            Err(Error::not_found("the explorer does not have this account").with_source(error))
        }
        record => record,
    }
}

/// Reads from the node what the wallet has committed to the exchange.
pub(super) async fn commitment(cx: &Context, wallet: &str) -> Result<Committed> {
    let path = format!("/provenance/exchange/v1/commitments/account/{wallet}");
    let answer: Commitments = cx.get_json(&LCD, &path).await.map_err(refused)?;
    let own = answer
        .commitments
        .iter()
        .filter(|it| it.market_id.0 == MARKET)
        .flat_map(|it| &it.amount);
    let sum = sum_of(NHASH, own).ok_or_else(|| overflow(LCD.name))?;
    Ok(Committed {
        market_id: MARKET as u32,
        available_committed_amount: Coin::nhash(sum),
    })
}

/// The node answers 400 only to an address that it cannot decode.
fn refused(error: Error) -> Error {
    match error.upstream_status().and_then(|origin| origin.status) {
        Some(400) => Error::invalid_argument(
            "wallet_address",
            "the node does not accept this as an address",
        )
        .with_source(error),
        _ => error,
    }
}

/// The error for amounts whose sum has more than 128 bits.
pub(super) fn overflow(upstream: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid_response(upstream, "answered with amounts that cannot be added up")
}

impl AccountRecord {
    /// The result of the function.
    pub(super) fn account(self, wallet: &str) -> Account {
        Account {
            wallet_address: wallet.to_owned(),
            account_is_vesting: self.is_vesting(),
            account_type: self.account_type,
            account_number: self.account_number,
            sequence: self.sequence,
            account_aum: self.account_aum,
        }
    }

    /// Whether all fields are missing: then the JSON is not an account.
    fn is_empty(&self) -> bool {
        self.account_type.is_none()
            && self.account_number.is_none()
            && self.account_aum.is_none()
            && self.is_vesting.is_none()
            && self.flags.is_none()
    }

    fn is_vesting(&self) -> bool {
        self.flags
            .as_ref()
            .and_then(|flags| flags.is_vesting)
            .or(self.is_vesting)
            .unwrap_or(false)
    }
}
