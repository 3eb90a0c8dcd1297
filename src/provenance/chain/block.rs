//! One block: by its height, or the newest.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::hash;
use super::latest::Latest;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::upstreams::EXPLORER;

/// One block of the chain: hash, time, proposer and number of transactions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct BlockByHeight {
    /// Height of the block, from 1, or `latest`.
    height: Height,
}

#[derive(Clone, Copy)]
enum Height {
    Latest,
    Number(u64),
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Block {
    height: Integer,
    /// Upper case hexadecimal.
    hash: Option<String>,
    time: Option<Moment>,
    proposer_address: Option<String>,
    proposer_moniker: Option<String>,
    tx_count: Option<Integer>,
}

/// The explorer's `GET /api/v2/blocks/height/{height}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    height: Integer,
    #[serde(default, deserialize_with = "lenient_text")]
    hash: Option<String>,
    time: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_text")]
    proposer_address: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    moniker: Option<String>,
    tx_num: Option<Integer>,
}

pub(in crate::provenance) async fn block(
    cx: Context,
    BlockByHeight { height }: BlockByHeight,
) -> Result<Block> {
    match height {
        Height::Latest => latest(&cx).await,
        Height::Number(number) => at(&cx, number).await,
    }
}

async fn latest(cx: &Context) -> Result<Block> {
    let latest = Latest::fetch(cx).await?;
    Ok(Block {
        hash: latest.hash().and_then(hash::upper),
        proposer_address: latest.proposer(cx),
        proposer_moniker: None,
        tx_count: latest.tx_count().map(Integer),
        height: latest.block.header.height,
        time: latest.block.header.time,
    })
}

async fn at(cx: &Context, number: u64) -> Result<Block> {
    let path = format!("/api/v2/blocks/height/{number}");
    let none = || Error::not_found(format!("the chain has no block {number} yet"));
    let record: Record = match cx.get_json(&EXPLORER, &path).await {
        Ok(record) => record,
        // The explorer answers 400 to a number that is too large for its heights.
        Err(error) if error.kind() == Kind::NotFound || is_refused(&error) => {
            return Err(none().with_source(error));
        }
        Err(error) => return Err(error),
    };
    if record.height.0 != number.into() {
        cx.invalidate_cache();
        return Err(none());
    }
    Ok(Block {
        height: record.height,
        hash: record.hash.as_deref().and_then(hash::upper),
        time: record.time,
        proposer_address: record.proposer_address,
        proposer_moniker: record.moniker,
        tx_count: record.tx_num,
    })
}

fn is_refused(error: &Error) -> bool {
    let status = error.upstream_status().and_then(|it| it.status);
    status == Some(400)
}

impl<'de> Deserialize<'de> for Height {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Height, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let is_number = !text.starts_with('0') && text.bytes().all(|it| it.is_ascii_digit());
        match &*text {
            "latest" => Ok(Height::Latest),
            number if is_number && number.len() <= 18 => {
                number.parse().map(Height::Number).map_err(D::Error::custom)
            }
            _ => Err(D::Error::custom(
                "expected the height of a block, a whole number from 1, or `latest`",
            )),
        }
    }
}

impl JsonSchema for Height {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Height".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(latest|[1-9][0-9]{0,17})$",
            "examples": ["latest", "25000000"],
        })
    }
}
