//! The transactions of a wallet, the newest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::address::Address;
use crate::provenance::amount::Coin;
use crate::provenance::date::Date;
use crate::provenance::message_type::MessageType;
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::order;
use crate::provenance::pages::{List, Page};
use crate::provenance::upstreams::EXPLORER;
use crate::registry::Paged;

/// Rows of one page of the explorer, whatever the limit of a call.
const PAGE: u32 = 100;
/// The maximum number of pages that one call reads.
const MAX_PAGES: u32 = 5;

/// The transactions of one wallet, newest first: height, time, message types, fee and status.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct WalletTransactions {
    /// Bech32 address of the wallet.
    wallet_address: Address,
    /// How they ended.
    #[serde(default)]
    status: Status,
    /// Only with a message of this type, e.g. `send`.
    #[serde(default)]
    message_type: Option<MessageType>,
    /// First date.
    #[serde(default)]
    from: Option<Date>,
    /// Last date.
    #[serde(default)]
    to: Option<Date>,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Failure,
    #[default]
    All,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Transactions {
    /// Newest first.
    transactions: Vec<Transaction>,
}

#[derive(Serialize, JsonSchema)]
struct Transaction {
    hash: Option<String>,
    height: Integer,
    time: Option<Moment>,
    /// The type that the explorer shows of its messages.
    types: Vec<String>,
    fee: Option<Coin>,
    /// `success` or `failure`.
    status: Option<String>,
}

/// Where a page begins. Rows move to later pages when there are new transactions and never to earlier ones, so that a
/// reader begins on the page of the last row and skips what it has given.
#[derive(PartialEq, Deserialize, Serialize)]
struct Position {
    /// The page of the explorer on which the first row of `height` was.
    page: u32,
    height: Integer,
    /// Rows of this height that have been passed.
    passed: u32,
}

/// A row of the explorer's `GET /api/v2/txs/address/{address}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default, deserialize_with = "lenient_text")]
    tx_hash: Option<String>,
    block: Integer,
    msg: Option<Messages>,
    time: Option<Moment>,
    fee: Option<Coin>,
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Messages {
    #[serde(default, deserialize_with = "lenient_text")]
    display_msg_type: Option<String>,
}

pub(in crate::provenance) async fn transactions(
    cx: Context,
    arguments: WalletTransactions,
) -> Result<Paged<Transactions>> {
    let wallet = arguments.wallet_address.on_network(&cx)?;
    if arguments
        .from
        .zip(arguments.to)
        .is_some_and(|(from, to)| from > to)
    {
        return Err(Error::invalid_argument("from", "must not be after `to`"));
    }
    let page = cx.page()?;
    let list = List {
        path: &format!("/api/v2/txs/address/{wallet}"),
        query: &arguments.query(),
        count: PAGE,
        most: MAX_PAGES,
    };
    let mut reader = Reader {
        limit: page.limit() as usize,
        after: page.position()?,
        at: None,
        found: Vec::new(),
    };
    let first = reader.after.as_ref().map_or(1, |it| it.page);
    let cx = cx.in_sequence();
    let mut is_end = false;
    for number in first..first.saturating_add(MAX_PAGES) {
        let read: Page<Row> = list.page(&cx, number).await.map_err(unknown)?;
        let is_last = read.results.is_empty() || read.pages.is_none_or(|it| it.0 <= number.into());
        let filled = reader.read(read.results, number, &arguments);
        is_end = is_last && filled != Some(RowsLeft(true));
        if is_last || filled.is_some() {
            break;
        }
    }
    let next = reader.at.filter(|_| !is_end);
    if next.is_some() && next == reader.after {
        let problem = "answered with more transactions of one block than can be read";
        return Err(Error::invalid_response(EXPLORER.name, problem));
    }
    let transactions = reader.found;
    Ok(Paged::new(Transactions { transactions }, next))
}

fn unknown(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => {
            Error::not_found("the explorer does not have this account").with_source(error)
        }
        _ => error,
    }
}

/// Reads rows in the explorer's order until there are enough.
struct Reader {
    limit: usize,
    /// The last row of the page before.
    after: Option<Position>,
    /// The last row that has been passed.
    at: Option<Position>,
    found: Vec<Transaction>,
}

/// Whether the page that filled the answer has more rows.
#[derive(PartialEq)]
struct RowsLeft(bool);

impl Reader {
    /// Takes rows until there are enough; `None` if there are not.
    fn read(
        &mut self,
        mut rows: Vec<Row>,
        page: u32,
        asked: &WalletTransactions,
    ) -> Option<RowsLeft> {
        order::sort(&mut rows, |a, b| b.block.0.cmp(&a.block.0));
        let mut rows = rows.into_iter();
        while let Some(row) = rows.next() {
            if self.is_passed(&row, page) || !asked.admits(&row) || self.is_found(&row) {
                continue;
            }
            self.found.push(row.into());
            if self.found.len() == self.limit {
                return Some(RowsLeft(rows.len() > 0));
            }
        }
        None
    }

    /// Whether the row is in the answer already: it moved to the next page while the pages were read.
    fn is_found(&self, row: &Row) -> bool {
        let hash = row.tx_hash.as_deref();
        let mut hashes = self.found.iter().map(|it| it.hash.as_deref());
        hash.is_some_and(|hash| hashes.any(|it| it.is_some_and(|it| it.eq_ignore_ascii_case(hash))))
    }

    /// Counts the row, and tells whether an earlier page has given it.
    fn is_passed(&mut self, row: &Row, page: u32) -> bool {
        let height = row.block;
        match &mut self.at {
            Some(at) if at.height == height => at.passed = at.passed.saturating_add(1),
            at => {
                *at = Some(Position {
                    page,
                    height,
                    passed: 1,
                })
            }
        }
        let (Some(after), Some(at)) = (&self.after, &self.at) else {
            return false;
        };
        height.0 > after.height.0 || (height == after.height && at.passed <= after.passed)
    }
}

impl WalletTransactions {
    /// The filters of the explorer; it filters again here, except for the types, of which it shows only one.
    fn query(&self) -> String {
        let mut query = String::new();
        if let Some(MessageType(name)) = &self.message_type {
            query.push_str(&format!("&msgType={name}"));
        }
        match self.status {
            Status::Success => query.push_str("&txStatus=SUCCESS"),
            Status::Failure => query.push_str("&txStatus=FAILURE"),
            Status::All => {}
        }
        let dates = [("fromDate", self.from), ("toDate", self.to)];
        for (name, date) in dates {
            query.extend(date.map(|date| format!("&{name}={date}")));
        }
        query
    }

    fn admits(&self, row: &Row) -> bool {
        let status = row.status.as_deref().map(str::to_ascii_lowercase);
        let is_asked = match self.status {
            Status::All => true,
            Status::Success => status.as_deref() == Some("success"),
            Status::Failure => status.as_deref() == Some("failure"),
        };
        let date = row.time.as_ref().and_then(|it| Date::of(it.at()));
        let is_within = |date: Date| {
            self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
        };
        is_asked && date.is_none_or(is_within)
    }
}

impl From<Row> for Transaction {
    fn from(row: Row) -> Transaction {
        let kind = row.msg.and_then(|it| it.display_msg_type);
        Transaction {
            hash: row.tx_hash.map(|it| it.to_ascii_uppercase()),
            height: row.block,
            time: row.time,
            types: kind.into_iter().collect(),
            fee: row.fee,
            status: row.status.map(|it| it.to_ascii_lowercase()),
        }
    }
}
