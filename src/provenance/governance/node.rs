//! Proposals as the node lists them.

use serde::Deserialize;

use super::list::{PAGE, Read, Row, Votes};
use super::{short_type, status};
use crate::context::Context;
use crate::error::Result;
use crate::provenance::amount::{Amount, Coin};
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::upstreams::LCD;

/// The node's `GET /cosmos/gov/v1/proposals`.
#[derive(Deserialize)]
struct Answer {
    proposals: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: Integer,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
    final_tally_result: Option<TallyResult>,
    submit_time: Option<Moment>,
    voting_end_time: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_text")]
    title: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, rename = "@type", deserialize_with = "lenient_text")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct TallyResult {
    yes_count: Option<Amount>,
    no_count: Option<Amount>,
    no_with_veto_count: Option<Amount>,
    abstain_count: Option<Amount>,
}

/// One page, the newest first.
pub(super) async fn page(cx: &Context, number: u32) -> Result<Read> {
    let offset = u64::from(number.saturating_sub(1)) * u64::from(PAGE);
    let request = cx.upstream(&LCD).get("/cosmos/gov/v1/proposals");
    let request = request.query("pagination.limit", PAGE);
    let request = request.query("pagination.offset", offset);
    let answer: Answer = request.query("pagination.reverse", true).json().await?;
    let is_last = answer.proposals.len() < PAGE as usize;
    Ok((
        answer.proposals.into_iter().map(Row::from).collect(),
        is_last,
    ))
}

impl From<Record> for Row {
    fn from(record: Record) -> Row {
        let status = record.status.as_deref().map(status);
        // The node counts the votes only when the vote has ended.
        let is_counted = !matches!(status.as_deref(), Some("voting" | "deposit"));
        let first = record.messages.first();
        Row {
            id: record.id,
            title: record.title,
            kind: first.and_then(|it| it.kind.as_deref()).map(short_type),
            submit_time: record.submit_time,
            voting_end_time: record.voting_end_time,
            tally: record
                .final_tally_result
                .filter(|_| is_counted)
                .and_then(TallyResult::votes),
            status,
        }
    }
}

impl TallyResult {
    fn votes(self) -> Option<Votes> {
        let coin = |amount: Option<Amount>| amount.map(|it| Coin::nhash(it.0));
        Some(Votes {
            yes: coin(self.yes_count)?,
            no: coin(self.no_count)?,
            no_with_veto: coin(self.no_with_veto_count)?,
            abstain: coin(self.abstain_count)?,
        })
    }
}
