//! The state of the chain and of the node that tells it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latest::Latest;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::amount::{Amount, Coin};
use crate::provenance::date::Date;
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::{explorer, lcd};

/// The maximum number of message types whose gas is listed.
const MAX_TYPES: usize = 200;

/// The state of the chain: height, delay, whether its node is syncing, bonded ratio, inflation, version, gas by message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct ChainStatus {}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Status {
    chain_id: Option<String>,
    height: Option<Integer>,
    block_time: Option<Moment>,
    /// Since the time of the block.
    seconds_behind: Option<u64>,
    is_syncing: Option<bool>,
    /// Bonded of all staked tokens, to eight digits.
    bonded_ratio: Option<Decimal>,
    bonded_tokens: Option<Coin>,
    not_bonded_tokens: Option<Coin>,
    /// A fraction of a year.
    inflation: Option<Decimal>,
    node_version: Option<String>,
    /// Average gas of transactions with one message, by its type, of the last day.
    gas: Option<BTreeMap<String, Integer>>,
    /// `block`, `node`, `sync`, `pool`, `inflation` or `gas` where they failed.
    incomplete: Vec<MissingPart>,
}

#[derive(Deserialize)]
struct NodeInfo {
    default_node_info: Option<Network>,
    application_version: Option<Version>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(default, deserialize_with = "lenient_text")]
    network: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default, deserialize_with = "lenient_text")]
    version: Option<String>,
}

#[derive(Deserialize)]
struct Syncing {
    syncing: bool,
}

#[derive(Deserialize)]
struct PoolAnswer {
    pool: Pool,
}

#[derive(Deserialize)]
struct Pool {
    bonded_tokens: Amount,
    not_bonded_tokens: Amount,
}

#[derive(Deserialize)]
struct Inflation {
    inflation: Decimal,
}

/// A row of the explorer's `GET /api/v2/gas/stats`, oldest first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GasRow {
    #[serde(default, deserialize_with = "lenient_text")]
    message_type: Option<String>,
    avg_gas_used: Option<Integer>,
}

pub(in crate::provenance) async fn status(
    cx: Context,
    ChainStatus {}: ChainStatus,
) -> Result<Status> {
    let base = "/cosmos/base/tendermint/v1beta1";
    let (node, syncing) = (format!("{base}/node_info"), format!("{base}/syncing"));
    let (block, node, syncing, pool, inflation, gas) = tokio::join!(
        Latest::fetch(&cx),
        lcd::<NodeInfo>(&cx, &node),
        lcd::<Syncing>(&cx, &syncing),
        lcd::<PoolAnswer>(&cx, "/cosmos/staking/v1beta1/pool"),
        lcd::<Inflation>(&cx, "/cosmos/mint/v1beta1/inflation"),
        gas(&cx),
    );
    let mut parts = PartCollector::default();
    let header = parts.take("block", block).map(|it| it.block.header);
    let node = parts.take("node", node.map_err(Error::must_exist));
    let syncing = parts.take("sync", syncing.map_err(Error::must_exist));
    let pool = parts.take("pool", pool.map_err(Error::must_exist));
    let pool = pool.map(|it| it.pool);
    let inflation = parts.take("inflation", inflation.map_err(Error::must_exist));
    let gas = parts.take("gas", gas.map_err(Error::must_exist));
    let (network, version) = node
        .map(|it| (it.default_node_info, it.application_version))
        .unwrap_or_default();
    let (chain_id, height, block_time) = match header {
        Some(header) => (header.chain_id, Some(header.height), header.time),
        None => (None, None, None),
    };
    let behind = |time: &Moment| cx.now().unix() - time.at().unix();
    Ok(Status {
        chain_id: chain_id.or_else(|| network?.network),
        height,
        seconds_behind: block_time
            .as_ref()
            .map(|it| u64::try_from(behind(it)).unwrap_or(0)),
        block_time,
        is_syncing: syncing.map(|it| it.syncing),
        bonded_ratio: pool.as_ref().and_then(Pool::ratio),
        bonded_tokens: pool.as_ref().map(|it| Coin::nhash(it.bonded_tokens.0)),
        not_bonded_tokens: pool.map(|it| Coin::nhash(it.not_bonded_tokens.0)),
        inflation: inflation.map(|it| it.inflation),
        node_version: version.and_then(|it| it.version),
        gas,
        incomplete: parts.finish(&cx)?,
    })
}

/// The newest average of each type of message; the explorer has a row per day and type.
async fn gas(cx: &Context) -> Result<BTreeMap<String, Integer>> {
    let today = Date::of(cx.now()).ok_or_else(|| Error::internal("the clock has no date"))?;
    let yesterday = today.before(1);
    let path = format!("/api/v2/gas/stats?fromDate={yesterday}&toDate={today}");
    let rows: Vec<GasRow> = explorer(cx, &path).await?;
    let mut gas = BTreeMap::new();
    for row in rows {
        if let (Some(kind), Some(average)) = (row.message_type, row.avg_gas_used)
            && (gas.len() < MAX_TYPES || gas.contains_key(&kind))
        {
            gas.insert(kind, average);
        }
    }
    Ok(gas)
}

impl Pool {
    fn ratio(&self) -> Option<Decimal> {
        let bonded = Exact::whole(self.bonded_tokens.0);
        bonded.share_of(&bonded.plus(&Exact::whole(self.not_bonded_tokens.0)))
    }
}
