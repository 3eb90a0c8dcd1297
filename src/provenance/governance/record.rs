//! A proposal as the explorer writes it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tally::{Params, TallyRecord};
use super::{short_type, status};
use crate::provenance::amount::Amount;
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};

/// The fields of a message, as they came.
pub(super) type Fields = BTreeMap<String, Box<RawValue>>;

/// The explorer's `GET /api/v2/gov/proposals/{id}`, and a row of `GET /api/v3/gov/proposals`.
#[derive(Deserialize)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) timings: Option<Timings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) proposal_id: Integer,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) status: Option<String>,
    pub(super) proposer: Option<Proposer>,
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) title: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) description: Option<String>,
    pub(super) details: Option<Vec<Fields>>,
}

#[derive(Deserialize)]
pub(super) struct Proposer {
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) address: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Timings {
    pub(super) deposit: Option<DepositRecord>,
    pub(super) voting: Option<Voting>,
    pub(super) submit_time: Option<Moment>,
    pub(super) deposit_end_time: Option<Moment>,
    pub(super) voting_time: Option<VotingTime>,
}

#[derive(Deserialize)]
pub(super) struct DepositRecord {
    pub(super) initial: Option<Amount>,
    pub(super) current: Option<Amount>,
    pub(super) needed: Option<Amount>,
    pub(super) denom: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Voting {
    pub(super) params: Option<Params>,
    pub(super) tally: Option<TallyRecord>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VotingTime {
    pub(super) start_time: Option<Moment>,
    pub(super) end_time: Option<Moment>,
}

impl Header {
    /// The state in lower case words.
    pub(super) fn status(&self) -> Option<String> {
        self.status.as_deref().map(status)
    }

    /// The last word of its type.
    pub(super) fn kind(&self) -> Option<String> {
        self.kind.as_deref().map(short_type)
    }
}
