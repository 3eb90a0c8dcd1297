//! What a wallet can send now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::provenance::address::Address;
use crate::provenance::amount::{Amount, Coin};
use crate::provenance::decimal::Decimal;
use crate::provenance::upstreams::EXPLORER;

/// The nhash of one wallet: all of its bank balance, what it can send now, what vesting and holds lock, and the value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct WalletSpendable {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Spendable {
    total: Coin,
    /// Can be sent now.
    spendable: Coin,
    /// Kept back by vesting and holds.
    locked: Coin,
    /// Of the total; null without a price.
    usd_value: Option<Decimal>,
}

/// The explorer's balance of one denom.
#[derive(Deserialize)]
pub(super) struct Balance {
    pub(super) total: Priced,
    pub(super) spendable: Priced,
    pub(super) locked: Priced,
}

/// A coin with its value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Priced {
    pub(super) amount: Amount,
    pub(super) denom: String,
    total_balance_price: Option<Price>,
}

#[derive(Deserialize)]
struct Price {
    amount: Option<Decimal>,
    #[serde(default)]
    denom: Option<String>,
}

pub(in crate::provenance) async fn spendable(
    cx: Context,
    WalletSpendable { wallet_address }: WalletSpendable,
) -> Result<Spendable> {
    let wallet = wallet_address.on_network(&cx)?;
    let path = format!("/api/v3/accounts/{wallet}/balances/utility_token");
    let balance: Balance = cx.get_json(&EXPLORER, &path).await?;
    Ok(Spendable {
        usd_value: balance.total.usd(),
        total: balance.total.into(),
        spendable: balance.spendable.into(),
        locked: balance.locked.into(),
    })
}

impl Priced {
    /// The value, where the explorer gives it in US dollars.
    pub(super) fn usd(&self) -> Option<Decimal> {
        let price = self.total_balance_price.as_ref()?;
        let is_usd = price.denom.as_deref().is_none_or(|it| it == "USD");
        price.amount.clone().filter(|_| is_usd)
    }
}

impl From<Priced> for Coin {
    fn from(priced: Priced) -> Coin {
        Coin {
            amount: priced.amount,
            denom: priced.denom,
        }
    }
}
