//! Amounts in other units of the same asset.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::amount::NHASH;
use super::decimal::Decimal;
use super::market::{Asset, list_assets};
use super::plain::Plain;
use super::upstreams::EXCHANGE;
use crate::context::Context;
use crate::error::{Error, Result, suggestion};

/// The unit of HASH, which has nine digits.
const HASH: &str = "hash";
const HASH_DIGITS: u32 = 9;
/// The maximum exponent of an asset.
const MAX_EXPONENT: u128 = 60;

/// Converts an amount between units of the same asset, exactly: hash and nhash, or an asset of
/// fetch_figure_markets_assets_info by its name (`BTC`) or its denom (`nbtc.figure.se`).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConvertAmount {
    /// A decimal, not negative.
    amount: Plain,
    /// Unit of the amount.
    from: Unit,
    /// Unit of the result.
    to: Unit,
}

/// The name of a unit.
#[derive(Clone, Debug)]
struct Unit(String);

#[derive(Serialize, JsonSchema)]
pub(super) struct Converted {
    amount: Decimal,
    /// Its unit.
    unit: String,
}

/// What a unit is: ten to the power of `digits` base units.
struct Known {
    /// The denom of the base unit.
    base: String,
    digits: u32,
}

pub(super) async fn amount(cx: Context, arguments: ConvertAmount) -> Result<Converted> {
    let ConvertAmount { amount, from, to } = arguments;
    let (from, to, unit) = match (from.of_hash(), to.of_hash()) {
        (Some(from), Some(to_known)) => (from, to_known, to.0),
        (None, None) => {
            let assets = list_assets(&cx).await?.assets;
            let found = from.among("from", &assets)?;
            (found, to.among("to", &assets)?, to.0)
        }
        _ => return Err(different()),
    };
    if from.base != to.base {
        return Err(different());
    }
    let base = amount.exact().shifted(from.digits as usize);
    let result = base.scaled_down(to.digits as usize);
    if result.digits() > to.digits as usize {
        let problem = format!(
            "the result has {} digits after the point, and `{unit}` has {}",
            result.digits(),
            to.digits
        );
        return Err(Error::invalid_argument("amount", problem));
    }
    Ok(Converted {
        amount: result.trimmed(),
        unit,
    })
}

fn different() -> Error {
    Error::invalid_argument("to", "must be a unit of the same asset as `from`")
}

impl Unit {
    /// The units of HASH need no list of assets.
    fn of_hash(&self) -> Option<Known> {
        let digits = match self.0.as_str() {
            NHASH => 0,
            unit if unit.eq_ignore_ascii_case(HASH) => HASH_DIGITS,
            _ => return None,
        };
        Some(Known {
            base: NHASH.to_owned(),
            digits,
        })
    }

    fn among(&self, field: &str, assets: &[Asset]) -> Result<Known> {
        let name = Some(self.0.as_str());
        let is_meant =
            |it: &&Asset| it.asset_denom.as_deref() == name || it.asset_name.as_deref() == name;
        let Some(asset) = assets.iter().find(is_meant) else {
            let names = assets
                .iter()
                .flat_map(|it| [it.asset_name.as_deref(), it.asset_denom.as_deref()]);
            let close = suggestion::closest(&self.0, names.flatten().chain([HASH, NHASH]));
            let problem = format!("there is no such unit{}", suggestion::hint(&close));
            return Err(Error::invalid_argument(field, problem));
        };
        let incomplete = || {
            let problem = "answered with an asset whose denom or exponent is missing or impossible";
            Error::invalid_response(EXCHANGE.name, problem)
        };
        let base = asset.asset_denom.clone().ok_or_else(incomplete)?;
        let exponent = asset.asset_exponent.map(|it| it.0);
        let exponent = exponent.filter(|it| *it <= MAX_EXPONENT);
        let exponent = exponent.ok_or_else(incomplete)? as u32;
        let is_base = asset.asset_denom.as_deref() == name;
        Ok(Known {
            base,
            digits: if is_base { 0 } else { exponent },
        })
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Unit, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        match (1..=128).contains(&text.len()) && text.bytes().all(is_legal) {
            true => Ok(Unit(text.into_owned())),
            false => Err(D::Error::custom("expected a unit such as `hash` or `BTC`")),
        }
    }
}

impl JsonSchema for Unit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._/-]{1,128}$", "examples": ["hash", "nhash"] })
    }
}
