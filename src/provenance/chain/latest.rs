//! The newest block that the node has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bech32::{Bech32, Hrp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::address::network;
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::upstreams::LCD;

/// The node's `GET /cosmos/base/tendermint/v1beta1/blocks/latest`.
#[derive(Deserialize)]
pub(super) struct Latest {
    block_id: Option<BlockId>,
    pub(super) block: Block,
}

#[derive(Deserialize)]
struct BlockId {
    #[serde(default, deserialize_with = "lenient_text")]
    hash: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) header: Header,
    data: Option<Data>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) chain_id: Option<String>,
    pub(super) height: Integer,
    pub(super) time: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_text")]
    proposer_address: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    txs: Option<Vec<IgnoredAny>>,
}

impl Latest {
    pub(super) async fn fetch(cx: &Context) -> Result<Latest> {
        let path = "/cosmos/base/tendermint/v1beta1/blocks/latest";
        let latest = cx.get_json(&LCD, path).await;
        latest.map_err(Error::must_exist)
    }

    pub(super) fn hash(&self) -> Option<&str> {
        self.block_id.as_ref()?.hash.as_deref()
    }

    pub(super) fn tx_count(&self) -> Option<u128> {
        let txs = self.block.data.as_ref()?.txs.as_ref();
        Some(txs.map_or(0, |it| it.len() as u128))
    }

    /// The consensus address of the proposer, which the node writes in base64.
    pub(super) fn proposer(&self, cx: &Context) -> Option<String> {
        let written = self.block.header.proposer_address.as_deref()?;
        let encoded = || {
            let bytes = STANDARD.decode(written).ok().filter(|it| it.len() == 20)?;
            let prefix = Hrp::parse(&format!("{}valcons", network(cx))).ok()?;
            bech32::encode::<Bech32>(prefix, &bytes).ok()
        };
        Some(encoded().unwrap_or_else(|| written.to_owned()))
    }
}
