//! One proposal: its messages, deposit and votes, and whether it would pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{DepositRecord, Fields, Record, Voting};
use super::short_type;
use super::tally::{Tally, TallyRecord};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::amount::{Amount, Coin, NHASH};
use crate::provenance::moment::Moment;
use crate::provenance::number::Integer;
use crate::provenance::upstreams::EXPLORER;
use crate::registry::count::Count;
use crate::registry::object::Object;

/// One governance proposal: messages, deposit, voting times, votes with their shares, and whether it would pass now.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct ProposalById {
    /// Number of the proposal.
    proposal_id: Count<1, { u32::MAX }>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Proposal {
    id: Integer,
    title: Option<String>,
    /// Type of its first message, e.g. `SoftwareUpgrade`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// `deposit`, `voting`, `passed`, `rejected` or `failed`.
    status: Option<String>,
    description: Option<String>,
    /// Account that proposed it.
    proposer: Option<String>,
    messages: Vec<Message>,
    deposit: Option<Deposit>,
    submit_time: Option<Moment>,
    deposit_end_time: Option<Moment>,
    voting_start_time: Option<Moment>,
    voting_end_time: Option<Moment>,
    tally: Option<Tally>,
    /// Null while unknown.
    quorum_reached: Option<bool>,
    /// By quorum, threshold and veto rule with the votes so far; null while unknown.
    would_pass: Option<bool>,
}

/// A message that runs if the proposal passes.
#[derive(Serialize, JsonSchema)]
struct Message {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The plan of an upgrade.
    plan: Option<Object>,
    /// The parameters that it sets.
    params: Option<Object>,
}

#[derive(Serialize, JsonSchema)]
struct Deposit {
    initial: Option<Coin>,
    current: Option<Coin>,
    needed: Option<Coin>,
}

pub(in crate::provenance) async fn proposal(
    cx: Context,
    ProposalById { proposal_id }: ProposalById,
) -> Result<Proposal> {
    let path = format!("/api/v2/gov/proposals/{}", proposal_id.0);
    let record: Result<Record> = cx.get_json(&EXPLORER, &path).await;
    match record {
        Ok(record) => Ok(record.into()),
        Err(error) if error.kind() == Kind::NotFound => {
            let problem = format!("there is no proposal {}", proposal_id.0);
            Err(Error::not_found(problem).with_source(error))
        }
        Err(error) => Err(error),
    }
}

impl From<Record> for Proposal {
    fn from(Record { header, timings }: Record) -> Proposal {
        let timings = timings.unwrap_or_default();
        let Voting { params, tally } = timings.voting.unwrap_or_default();
        let (kind, status) = (header.kind(), header.status());
        let votes = timings.voting_time.unwrap_or_default();
        let (tally, count) = tally.and_then(TallyRecord::counted).unzip();
        // Before the voting period there is nothing to judge.
        let judged = count
            .zip(params)
            .filter(|_| status.as_deref() != Some("deposit"));
        let judged = judged.as_ref();
        Proposal {
            id: header.proposal_id,
            title: header.title,
            kind,
            description: header.description,
            proposer: header.proposer.and_then(|it| it.address),
            messages: header
                .details
                .unwrap_or_default()
                .into_iter()
                .map(Message::from)
                .collect(),
            deposit: timings.deposit.map(Deposit::from),
            submit_time: timings.submit_time,
            deposit_end_time: timings.deposit_end_time,
            voting_start_time: votes.start_time,
            voting_end_time: votes.end_time,
            quorum_reached: judged.and_then(|(count, params)| count.reaches_quorum(params)),
            would_pass: judged.and_then(|(count, params)| count.passes(params)),
            status,
            tally,
        }
    }
}

impl From<Fields> for Message {
    fn from(fields: Fields) -> Message {
        let text = |name: &str| fields.get(name).map(|it| it.get());
        let object = |name: &str| serde_json::from_str(text(name)?).ok();
        let url: Option<String> = text("@type").and_then(|it| serde_json::from_str(it).ok());
        Message {
            kind: url.as_deref().map(short_type),
            plan: object("plan"),
            params: object("params"),
        }
    }
}

impl From<DepositRecord> for Deposit {
    fn from(record: DepositRecord) -> Deposit {
        let denom = record.denom.unwrap_or_else(|| NHASH.to_owned());
        let coin = |amount: Option<Amount>| {
            amount.map(|amount| Coin {
                amount,
                denom: denom.clone(),
            })
        };
        Deposit {
            initial: coin(record.initial),
            current: coin(record.current),
            needed: coin(record.needed),
        }
    }
}
