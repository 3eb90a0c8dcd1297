//! Everything that a wallet holds, the most valuable first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spendable::Balance;
use crate::context::Context;
use crate::error::Result;
use crate::provenance::address::Address;
use crate::provenance::amount::Amount;
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;
use crate::provenance::order;
use crate::provenance::pages::List;
use crate::provenance::partial::{MissingPart, PartCollector};

/// What one wallet holds in every denom: total, spendable, locked and value, the most valuable first, and the value of all.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct WalletBalances {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Balances {
    /// By value, those without a price last.
    balances: Vec<Row>,
    /// Of the whole wallet.
    total_usd: Decimal,
    /// `balances` where not all could be read.
    incomplete: Vec<MissingPart>,
}

/// Amounts in base units of the denom.
#[derive(Serialize, JsonSchema)]
struct Row {
    denom: String,
    total: Amount,
    spendable: Amount,
    locked: Amount,
    /// Of the total; null without a price.
    usd_value: Option<Decimal>,
}

pub(in crate::provenance) async fn balances(
    cx: Context,
    WalletBalances { wallet_address }: WalletBalances,
) -> Result<Balances> {
    let wallet = wallet_address.on_network(&cx)?;
    let list = List {
        path: &format!("/api/v3/accounts/{wallet}/balances"),
        query: "",
        count: 100,
        most: 10,
    };
    let mut read = list.read::<Balance>(&cx).await?;
    // A row can move to the next page while the pages are read.
    order::sort(&mut read.rows, |a, b| a.total.denom.cmp(&b.total.denom));
    read.rows.dedup_by(|a, b| a.total.denom == b.total.denom);
    let mut rows: Vec<(Option<Exact>, Row)> = read.rows.into_iter().map(valued).collect();
    // The sort is stable: equal values stay by denom.
    order::sort(&mut rows, |a, b| b.0.cmp(&a.0));
    let values = rows.iter().filter_map(|it| it.0.as_ref());
    let total = values.fold(Exact::default(), |sum, value| sum.plus(value));
    let mut parts = PartCollector::with_one_part();
    if let Some(error) = read.missing {
        parts.take::<()>("balances", Err(error));
    }
    Ok(Balances {
        balances: rows.into_iter().map(|it| it.1).collect(),
        total_usd: total.trimmed(),
        incomplete: parts.finish(&cx)?,
    })
}

/// The row, and its value exactly.
fn valued(balance: Balance) -> (Option<Exact>, Row) {
    let usd_value = balance.total.usd();
    let row = Row {
        denom: balance.total.denom,
        total: balance.total.amount,
        spendable: balance.spendable.amount,
        locked: balance.locked.amount,
        usd_value,
    };
    (row.usd_value.as_ref().and_then(Exact::of), row)
}
