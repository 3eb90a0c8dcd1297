//! HASH statistics: supply and circulation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::Coin;
use super::decimal::Decimal;
use super::upstreams::EXPLORER;
use crate::context::Context;
use crate::error::{Error, Result};

/// Supply statistics of HASH in nhash: maximum, current, circulating, community pool, bonded, burned, locked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HashStatistics {}

/// The supply and its parts. `circulation` is the explorer's figure; its meaning changed on 2025-07-29, therefore
/// both differences are given: `locked` and `not_in_circulation`.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statistics {
    /// The maximum supply.
    max_supply: Coin,
    /// The current supply: the maximum less the burned amount.
    current_supply: Coin,
    circulation: Coin,
    /// The community pool, which governance may spend.
    community_pool: Coin,
    /// The amount that is staked with validators.
    bonded: Coin,
    burned: Coin,
    /// Current supply less circulation, community pool and bonded.
    locked: Coin,
    /// Current supply less circulation.
    #[serde(rename = "not_in_circulation")]
    not_in_circulation: Coin,
    /// Bonded divided by current supply, to eight digits.
    #[serde(rename = "bonded_share_of_supply")]
    bonded_share_of_supply: Option<Decimal>,
}

/// The explorer's `GET /api/v3/utility_token/stats`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    max_supply: Coin,
    current_supply: Coin,
    circulation: Coin,
    community_pool: Coin,
    bonded: Coin,
    burned: Coin,
}

pub(super) async fn statistics(
    cx: Context,
    HashStatistics {}: HashStatistics,
) -> Result<Statistics> {
    fetch(&cx).await
}

pub(super) async fn fetch(cx: &Context) -> Result<Statistics> {
    let stats: Stats = cx
        .get_json(&EXPLORER, "/api/v3/utility_token/stats")
        .await
        .map_err(Error::must_exist)?;
    stats.complete().ok_or_else(|| {
        Error::invalid_response(
            EXPLORER.name,
            "answered with parts that are larger than the supply",
        )
    })
}

impl Stats {
    /// Adds the derived figures; `None` if the parts are larger than the whole.
    fn complete(self) -> Option<Statistics> {
        let supply = self.current_supply.amount.0;
        let outside = supply.checked_sub(self.circulation.amount.0)?;
        let locked = outside
            .checked_sub(self.community_pool.amount.0)?
            .checked_sub(self.bonded.amount.0)?;
        Some(Statistics {
            locked: Coin::nhash(locked),
            not_in_circulation: Coin::nhash(outside),
            bonded_share_of_supply: Decimal::ratio(self.bonded.amount.0, supply, 8),
            max_supply: self.max_supply,
            current_supply: self.current_supply,
            circulation: self.circulation,
            community_pool: self.community_pool,
            bonded: self.bonded,
            burned: self.burned,
        })
    }
}
