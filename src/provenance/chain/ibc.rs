//! The denoms that came from other chains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::amount::Amount;
use crate::provenance::moment::Moment;
use crate::provenance::order;
use crate::provenance::pages::List;
use crate::provenance::partial::{MissingPart, PartCollector};

/// The IBC denoms of the chain with their supply and the time of their last transaction, by denom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct IbcDenoms {}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Denoms {
    denoms: Vec<Denom>,
    /// `denoms` where not all could be read.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct Denom {
    denom: String,
    /// In base units.
    supply: Option<Amount>,
    last_transaction_at: Option<Moment>,
}

/// A row of the explorer's `GET /api/v2/ibc/denoms`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    marker: String,
    supply: Option<Amount>,
    last_tx_timestamp: Option<Moment>,
}

pub(in crate::provenance) async fn denoms(cx: Context, IbcDenoms {}: IbcDenoms) -> Result<Denoms> {
    let list = List {
        path: "/api/v2/ibc/denoms",
        query: "",
        count: 50,
        most: 20,
    };
    let read = list.read::<Row>(&cx).await.map_err(Error::must_exist)?;
    let rows = read.rows.into_iter().map(|row| Denom {
        denom: row.marker,
        supply: row.supply,
        last_transaction_at: row.last_tx_timestamp,
    });
    let mut denoms: Vec<Denom> = rows.collect();
    order::sort(&mut denoms, |a, b| a.denom.cmp(&b.denom));
    denoms.dedup_by(|a, b| a.denom == b.denom);
    let mut parts = PartCollector::with_one_part();
    if let Some(error) = read.missing {
        parts.take::<()>("denoms", Err(error));
    }
    Ok(Denoms {
        denoms,
        incomplete: parts.finish(&cx)?,
    })
}
