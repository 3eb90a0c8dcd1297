//! Proposals, the newest first: from the explorer, and where it fails from the node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node;
use super::record::Record;
use super::tally::Answer;
use crate::context::Context;
use crate::error::Result;
use crate::provenance::amount::Coin;
use crate::provenance::moment::Moment;
use crate::provenance::number::Integer;
use crate::provenance::order;
use crate::provenance::pages::List;
use crate::registry::Paged;

/// Rows of one page, whatever the limit of a call.
pub(super) const PAGE: u32 = 100;
/// The maximum number of pages that one call reads.
pub(super) const MAX_PAGES: u32 = 5;

/// Governance proposals, newest first, with type, status, times and votes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct ListProposals {
    /// State of the proposals.
    #[serde(default)]
    status: State,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Deposit,
    Voting,
    Passed,
    Rejected,
    Failed,
    #[default]
    All,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Proposals {
    /// Newest first.
    proposals: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Row {
    pub(super) id: Integer,
    pub(super) title: Option<String>,
    /// Type of its first message, e.g. `SoftwareUpgrade`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) submit_time: Option<Moment>,
    pub(super) voting_end_time: Option<Moment>,
    /// Null while unknown.
    pub(super) tally: Option<Votes>,
}

/// The voted coins.
#[derive(Serialize, JsonSchema)]
pub(super) struct Votes {
    pub(super) yes: Coin,
    pub(super) no: Coin,
    pub(super) no_with_veto: Coin,
    pub(super) abstain: Coin,
}

/// Where a page begins: below this proposal. New proposals move it to a later page of the explorer, never to an earlier
/// one.
#[derive(Clone, Copy, Deserialize, Serialize)]
struct Position {
    below: Integer,
    page: u32,
}

/// The rows that were found, and whether there are no more of them.
struct Found {
    rows: Vec<Row>,
    /// The last row that was looked at, and its page.
    at: Option<Position>,
    is_end: bool,
}

pub(in crate::provenance) async fn proposals(
    cx: Context,
    ListProposals { status }: ListProposals,
) -> Result<Paged<Proposals>> {
    let page = cx.page()?;
    let after: Option<Position> = page.position()?;
    let search = Search {
        limit: page.limit() as usize,
        status,
    };
    let found = match search.run(&cx.in_sequence(), Source::Explorer, after).await {
        Ok(found) => found,
        Err(error) => {
            // The pages of the node are its own, so that it is read from its first one.
            let after = after.map(|it| Position { page: 1, ..it });
            let node = search.run(&cx.in_sequence(), Source::Node, after).await;
            node.map_err(|_| error)?
        }
    };
    let next = found.at.filter(|_| !found.is_end);
    let proposals = found.rows;
    Ok(Paged::new(Proposals { proposals }, next))
}

/// The rows of one page, and whether it is the last one.
pub(super) type Read = (Vec<Row>, bool);

/// Who lists the proposals.
#[derive(Clone, Copy)]
enum Source {
    Explorer,
    Node,
}

/// What is searched for.
struct Search {
    limit: usize,
    status: State,
}

impl Search {
    /// Reads pages until there are enough rows.
    async fn run(&self, cx: &Context, source: Source, after: Option<Position>) -> Result<Found> {
        let first = after.map_or(1, |it| it.page);
        let mut found = Found {
            rows: Vec::new(),
            at: after,
            is_end: false,
        };
        for number in first..first.saturating_add(MAX_PAGES) {
            let (rows, is_last) = match source {
                Source::Explorer => explorer(cx, number).await?,
                Source::Node => node::page(cx, number).await?,
            };
            found.is_end = is_last;
            if self.take(rows, number, &mut found) || is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Takes rows of one page; whether there are enough.
    fn take(&self, mut rows: Vec<Row>, page: u32, found: &mut Found) -> bool {
        order::sort(&mut rows, |a, b| b.id.0.cmp(&a.id.0));
        let mut rows = rows.into_iter();
        while let Some(row) = rows.next() {
            let below = row.id;
            if found.at.is_some_and(|at| below.0 >= at.below.0) {
                continue;
            }
            found.at = Some(Position { below, page });
            if self.status.admits(&row) {
                found.rows.push(row);
            }
            if found.rows.len() == self.limit {
                found.is_end &= rows.len() == 0;
                return true;
            }
        }
        false
    }
}

async fn explorer(cx: &Context, number: u32) -> Result<Read> {
    let list = List {
        path: "/api/v3/gov/proposals",
        query: "",
        count: PAGE,
        most: MAX_PAGES,
    };
    let page = list.page::<Record>(cx, number).await?;
    let is_last = page.results.is_empty() || page.pages.is_none_or(|it| it.0 <= number.into());
    Ok((page.results.into_iter().map(Row::from).collect(), is_last))
}

impl State {
    fn admits(self, row: &Row) -> bool {
        let word = match self {
            State::Deposit => "deposit",
            State::Voting => "voting",
            State::Passed => "passed",
            State::Rejected => "rejected",
            State::Failed => "failed",
            State::All => return true,
        };
        row.status.as_deref() == Some(word)
    }
}

impl From<Record> for Row {
    fn from(record: Record) -> Row {
        let (kind, status) = (record.header.kind(), record.header.status());
        let timings = record.timings.unwrap_or_default();
        let tally = timings.voting.and_then(|it| it.tally);
        Row {
            id: record.header.proposal_id,
            title: record.header.title,
            kind,
            status,
            submit_time: timings.submit_time,
            voting_end_time: timings.voting_time.and_then(|it| it.end_time),
            tally: tally.and_then(|it| {
                let coin = |answer: Option<Answer>| answer?.amount;
                Some(Votes {
                    yes: coin(it.yes)?,
                    no: coin(it.no)?,
                    no_with_veto: coin(it.no_with_veto)?,
                    abstain: coin(it.abstain)?,
                })
            }),
        }
    }
}
