//! Coins: exact amounts of a denom. An amount has 128 bits, because supplies exceed 2^64.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::number;

/// The base unit of HASH: 1 HASH is 10^9 nhash.
pub(super) const NHASH: &str = "nhash";

/// An amount in base units; a decimal string in JSON, because JavaScript's integers are exact only up to 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount(pub(super) u128);

// An amount of one denom, in its base units. Results have hundreds of coins, so that their schema has no descriptions:
// the instructions of the server say what a coin is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub(super) struct Coin {
    pub(super) amount: Amount,
    pub(super) denom: String,
}

impl Coin {
    /// An amount of nhash.
    pub(super) fn nhash(amount: u128) -> Coin {
        Coin {
            amount: Amount(amount),
            denom: NHASH.to_owned(),
        }
    }
}

/// The sum of the coins of one denom; `None` if it exceeds 128 bits.
pub(super) fn sum_of<'a>(denom: &str, coins: impl IntoIterator<Item = &'a Coin>) -> Option<u128> {
    let mut own = coins.into_iter().filter(|coin| coin.denom == denom);
    own.try_fold(0u128, |sum, coin| sum.checked_add(coin.amount.0))
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        number::whole(&number::text(deserializer)?)
            .map(Amount)
            .map_err(D::Error::custom)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
