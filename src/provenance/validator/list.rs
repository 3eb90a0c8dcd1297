//! All validators, the largest first.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Power, Tokens, Validator, status};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::amount::Coin;
use crate::provenance::decimal::Decimal;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::order;
use crate::provenance::pages::List;
use crate::provenance::partial::{MissingPart, PartCollector};

/// Validators with their commission, bonded tokens, delegators, voting power and uptime; the largest first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct ListValidators {
    /// State of the validators.
    #[serde(default)]
    status: State,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Active,
    Candidate,
    Jailed,
    Removed,
    All,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Validators {
    /// By bonded tokens, the largest first.
    validators: Vec<Validator>,
    /// Number of validators in this state.
    total: usize,
    /// `validators` where not all could be read.
    incomplete: Vec<MissingPart>,
}

/// A row of the explorer's `GET /api/v3/validators/recent`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default, deserialize_with = "lenient_text")]
    moniker: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    address_id: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
    commission: Option<Decimal>,
    bonded_tokens: Option<Tokens>,
    delegators: Option<Integer>,
    voting_power: Option<Power>,
    uptime: Option<Decimal>,
}

pub(in crate::provenance) async fn validators(
    cx: Context,
    ListValidators { status }: ListValidators,
) -> Result<Validators> {
    let list = List {
        path: "/api/v3/validators/recent",
        query: &format!("&status={}", status.word()),
        count: 50,
        most: 20,
    };
    let read = list.read::<Row>(&cx).await;
    let read = read.map_err(Error::must_exist)?;
    let mut validators: Vec<Validator> = read.rows.into_iter().map(Validator::from).collect();
    // A row can move to the next page while the pages are read.
    let mut seen = HashSet::new();
    validators
        .retain(|it| it.operator_address.is_none() || seen.insert(it.operator_address.clone()));
    let bonded = |it: &Validator| it.bonded_tokens.as_ref().map(|coin| coin.amount.0);
    order::sort(&mut validators, |a, b| {
        let by_bonded = bonded(b).cmp(&bonded(a));
        by_bonded.then_with(|| a.operator_address.cmp(&b.operator_address))
    });
    let mut parts = PartCollector::with_one_part();
    let told = read.total.and_then(|it| usize::try_from(it.0).ok());
    let total = match read.missing {
        Some(error) => {
            parts.take::<()>("validators", Err(error));
            told.unwrap_or(validators.len())
        }
        None => validators.len(),
    };
    Ok(Validators {
        validators,
        total,
        incomplete: parts.finish(&cx)?,
    })
}

impl State {
    /// The explorer's word for it.
    fn word(self) -> &'static str {
        match self {
            State::Active => "ACTIVE",
            State::Candidate => "CANDIDATE",
            State::Jailed => "JAILED",
            State::Removed => "REMOVED",
            State::All => "ALL",
        }
    }
}

impl From<Row> for Validator {
    fn from(row: Row) -> Validator {
        Validator {
            moniker: row.moniker,
            operator_address: row.address_id,
            status: status(row.status),
            commission: row.commission,
            bonded_tokens: row.bonded_tokens.map(Coin::from),
            delegators: row.delegators,
            voting_power_share: row.voting_power.and_then(|it| it.share()),
            uptime: row.uptime,
        }
    }
}
