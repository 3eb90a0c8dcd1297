//! How HASH is distributed over its holders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::amount::Coin;
use crate::provenance::decimal::Decimal;
use crate::provenance::number::lenient_text;
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::EXPLORER;
use crate::registry::count::Count;

/// The maximum supply of HASH in nhash.
const MAX_SUPPLY: u128 = 100_000_000_000_000_000_000;

/// How HASH is distributed over its holders, by rank, and on request its richest accounts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct HashDistribution {
    /// Number of richest accounts to list.
    #[serde(default = "none")]
    rich_list: Count<0, 1000>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Distribution {
    ranges: Option<Vec<Range>>,
    richest: Option<Vec<Holder>>,
    /// `distribution` or `rich_list` where they failed.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct Range {
    /// Ranks of the holders, e.g. `6-10`; `1001-` is the rest.
    holders: Option<String>,
    amount: Option<Coin>,
    /// A fraction.
    share: Option<Decimal>,
}

#[derive(Serialize, JsonSchema)]
struct Holder {
    address: Option<String>,
    amount: Coin,
    /// Of the maximum supply, to eight digits.
    share: Option<Decimal>,
}

/// A row of the explorer's `GET /api/v3/utility_token/distribution`.
#[derive(Deserialize)]
struct RangeRecord {
    #[serde(default, deserialize_with = "lenient_text")]
    range: Option<String>,
    amount: Option<Coin>,
    percent: Option<Decimal>,
}

/// A row of the explorer's `GET /api/v3/utility_token/rich_list`.
#[derive(Deserialize)]
struct HolderRecord {
    #[serde(default, deserialize_with = "lenient_text")]
    address: Option<String>,
    amount: Coin,
}

pub(in crate::provenance) async fn distribution(
    cx: Context,
    HashDistribution { rich_list }: HashDistribution,
) -> Result<Distribution> {
    let (ranges, richest) = tokio::join!(ranges(&cx), richest(&cx, rich_list.0));
    let mut parts = PartCollector::default();
    let ranges = parts.take("distribution", ranges.map_err(Error::must_exist));
    let richest = match rich_list.0 {
        // Nothing was asked, so that it is not a part that succeeded.
        0 => Some(Vec::new()),
        _ => parts.take("rich_list", richest.map_err(Error::must_exist)),
    };
    Ok(Distribution {
        ranges,
        richest,
        incomplete: parts.finish(&cx)?,
    })
}

async fn ranges(cx: &Context) -> Result<Vec<Range>> {
    let path = "/api/v3/utility_token/distribution";
    let rows: Vec<RangeRecord> = cx.get_json(&EXPLORER, path).await?;
    let rows = rows.into_iter().map(|row| Range {
        holders: row.range,
        amount: row.amount,
        share: row.percent,
    });
    Ok(rows.collect())
}

async fn richest(cx: &Context, count: u32) -> Result<Vec<Holder>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let path = format!("/api/v3/utility_token/rich_list?limit={count}");
    let rows: Vec<HolderRecord> = cx.get_json(&EXPLORER, &path).await?;
    let mut holders: Vec<Holder> = rows
        .into_iter()
        .map(|row| Holder {
            address: row.address,
            share: Decimal::ratio(row.amount.amount.0, MAX_SUPPLY, 8),
            amount: row.amount,
        })
        .collect();
    holders.truncate(count as usize);
    Ok(holders)
}

fn none() -> Count<0, 1000> {
    Count(0)
}
