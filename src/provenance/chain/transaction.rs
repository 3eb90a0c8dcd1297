//! One transaction: its fee, its messages and its events.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hash::TxHash;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::account::overflow;
use crate::provenance::amount::{Coin, NHASH, sum_of};
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::{EXPLORER, explorer};

/// The maximum number of messages that are named.
const MAX_MESSAGES: u32 = 200;

/// One transaction: status, height, time, fee, gas, memo, signers, types of its messages, its error and its events.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct TransactionByHash {
    /// 64 hexadecimal digits, in either case.
    tx_hash: TxHash,
    /// Whether to give each event with its attributes, not only how many there are of a type.
    #[serde(default)]
    events: bool,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Transaction {
    hash: String,
    /// `success` or `failure`.
    status: Option<String>,
    height: Option<Integer>,
    time: Option<Moment>,
    /// All of its fees.
    fee: Coin,
    gas: Option<Gas>,
    memo: Option<String>,
    /// Their addresses.
    signers: Vec<String>,
    /// Types of the messages in their order, e.g. `send`.
    messages: Option<Vec<String>>,
    /// Null for a success.
    error: Option<Failure>,
    events: Vec<Event>,
    /// `messages` where they failed or are more than 200.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct Gas {
    used: Option<Integer>,
    wanted: Option<Integer>,
}

#[derive(Serialize, JsonSchema)]
struct Failure {
    code: Integer,
    codespace: Option<String>,
    log: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Vec<Attribute>>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Attribute {
    #[serde(default, deserialize_with = "lenient_text")]
    key: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    value: Option<String>,
}

/// The explorer's `GET /api/v2/txs/{hash}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
    height: Option<Integer>,
    time: Option<Moment>,
    fee: Option<Vec<FeeRecord>>,
    gas: Option<GasRecord>,
    #[serde(default, deserialize_with = "lenient_text")]
    memo: Option<String>,
    signers: Option<Vec<Signer>>,
    error_code: Option<Integer>,
    #[serde(default, deserialize_with = "lenient_text")]
    codespace: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    error_log: Option<String>,
    events: Option<Vec<EventRecord>>,
}

#[derive(Deserialize)]
struct FeeRecord {
    fees: Option<Vec<Coin>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GasRecord {
    gas_used: Option<Integer>,
    gas_wanted: Option<Integer>,
}

#[derive(Deserialize)]
struct Signer {
    #[serde(default, deserialize_with = "lenient_text")]
    address: Option<String>,
}

#[derive(Deserialize)]
struct EventRecord {
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    kind: Option<String>,
    attributes: Option<Vec<Attribute>>,
}

/// The explorer's `GET /api/v2/txs/{hash}/msgs`.
#[derive(Deserialize)]
struct Messages {
    results: Vec<Message>,
    total: Option<Integer>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    kind: Option<String>,
}

pub(in crate::provenance) async fn transaction(
    cx: Context,
    TransactionByHash { tx_hash, events }: TransactionByHash,
) -> Result<Transaction> {
    let TxHash(hash) = tx_hash;
    let path = format!("/api/v2/txs/{hash}");
    let rest = format!("{path}/msgs?count={MAX_MESSAGES}&page=1");
    let (record, messages) = tokio::join!(
        explorer::<Record>(&cx, &path),
        explorer::<Messages>(&cx, &rest),
    );
    let record = record.map_err(unknown)?;
    if record.status.is_none() && record.height.is_none() {
        let problem = "answered with JSON that contains nothing about a transaction";
        return Err(Error::invalid_response(EXPLORER.name, problem));
    }
    let mut parts = PartCollector::with_one_part();
    let messages = parts.take("messages", messages);
    if messages.as_ref().is_some_and(Messages::is_cut) {
        let problem = format!("only the first {MAX_MESSAGES} messages are named");
        parts.take::<()>("messages", Err(Error::failed(problem)));
    }
    let fees = record.fee.unwrap_or_default();
    let fees = fees.iter().flat_map(|it| it.fees.iter().flatten());
    let fee = sum_of(NHASH, fees).ok_or_else(|| overflow(EXPLORER.name))?;
    let error = record.error_code.filter(|code| code.0 != 0);
    Ok(Transaction {
        hash,
        status: record.status.map(|it| it.to_ascii_lowercase()),
        height: record.height,
        time: record.time,
        fee: Coin::nhash(fee),
        gas: record.gas.map(|it| Gas {
            used: it.gas_used,
            wanted: it.gas_wanted,
        }),
        memo: record.memo,
        signers: record
            .signers
            .unwrap_or_default()
            .into_iter()
            .filter_map(|it| it.address)
            .collect(),
        messages: messages.map(|it| it.types()),
        error: error.map(|code| Failure {
            code,
            codespace: record.codespace,
            log: record.error_log,
        }),
        events: match events {
            true => each(record.events.unwrap_or_default()),
            false => counted(record.events.unwrap_or_default()),
        },
        incomplete: parts.finish(&cx)?,
    })
}

fn unknown(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => {
            Error::not_found("the explorer does not have this transaction").with_source(error)
        }
        _ => error,
    }
}

/// Each event with its attributes, in the order of the transaction.
fn each(events: Vec<EventRecord>) -> Vec<Event> {
    let events = events.into_iter().map(|event| Event {
        kind: event.kind.unwrap_or_default(),
        count: 1,
        attributes: Some(event.attributes.unwrap_or_default()),
    });
    events.collect()
}

/// The number of events of each type, by type.
fn counted(events: Vec<EventRecord>) -> Vec<Event> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        *counts.entry(event.kind.unwrap_or_default()).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(kind, count)| Event {
        kind,
        count,
        attributes: None,
    });
    counts.collect()
}

impl Messages {
    fn is_cut(&self) -> bool {
        let total = self.total.map_or(0, |it| it.0);
        total > self.results.len() as u128
    }

    fn types(self) -> Vec<String> {
        let types = self.results.into_iter();
        types.map(|it| it.kind.unwrap_or_default()).collect()
    }
}
