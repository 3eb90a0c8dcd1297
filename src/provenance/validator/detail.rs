//! One validator with its description, its owner and its commission.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Power, Tokens, Validator, status};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::amount::Coin;
use crate::provenance::decimal::Decimal;
use crate::provenance::moment::Moment;
use crate::provenance::number::{Integer, lenient_text};
use crate::provenance::operator::Operator;
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::{EXPLORER, explorer};

/// One validator: status, voting power, uptime, commission rates, its own bond and that of its delegators.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct ValidatorDetail {
    /// Bech32 operator address, as fetch_validators lists it.
    operator_address: Operator,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Detail {
    #[serde(flatten)]
    validator: Validator,
    /// Account of the operator.
    owner: Option<String>,
    description: Option<String>,
    website: Option<String>,
    jailed_until: Option<Moment>,
    self_bonded: Option<Coin>,
    delegator_bonded: Option<Coin>,
    commission_rates: Option<Rates>,
    /// `commission` where it failed.
    incomplete: Vec<MissingPart>,
}

#[derive(Serialize, JsonSchema)]
struct Rates {
    rate: Option<Decimal>,
    max_rate: Option<Decimal>,
    /// The largest change of a day.
    max_change_rate: Option<Decimal>,
}

/// The explorer's `GET /api/v2/validators/{address}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    voting_power: Option<Power>,
    #[serde(default, deserialize_with = "lenient_text")]
    moniker: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    operator_address: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    owner_address: Option<String>,
    uptime: Option<Decimal>,
    #[serde(default, deserialize_with = "lenient_text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    site_url: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
    jailed_until: Option<Moment>,
}

/// The explorer's `GET /api/v2/validators/{address}/commission`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commission {
    bonded_tokens: Option<Tokens>,
    self_bonded: Option<Tokens>,
    delegator_bonded: Option<Tokens>,
    delegator_count: Option<Integer>,
    commission_rate: Option<CommissionRate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommissionRate {
    rate: Option<Decimal>,
    max_rate: Option<Decimal>,
    max_change_rate: Option<Decimal>,
}

pub(in crate::provenance) async fn validator(
    cx: Context,
    ValidatorDetail { operator_address }: ValidatorDetail,
) -> Result<Detail> {
    let address = operator_address.on_network(&cx)?;
    let path = format!("/api/v2/validators/{address}");
    let rest = format!("{path}/commission");
    let (record, commission) = tokio::join!(
        explorer::<Record>(&cx, &path),
        explorer::<Commission>(&cx, &rest),
    );
    let record = record.map_err(unknown)?;
    if record.moniker.is_none() && record.operator_address.is_none() && record.status.is_none() {
        let problem = "answered with JSON that contains nothing about a validator";
        return Err(Error::invalid_response(EXPLORER.name, problem));
    }
    let mut parts = PartCollector::with_one_part();
    let commission = parts.take("commission", commission).unwrap_or_default();
    let incomplete = parts.finish(&cx)?;
    Ok(detail(address, record, commission, incomplete))
}

fn unknown(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => {
            Error::not_found("the explorer does not have this validator").with_source(error)
        }
        _ => error,
    }
}

fn detail(
    address: &str,
    record: Record,
    commission: Commission,
    incomplete: Vec<MissingPart>,
) -> Detail {
    let rates = commission.commission_rate;
    Detail {
        validator: Validator {
            moniker: record.moniker,
            operator_address: record.operator_address.or_else(|| Some(address.to_owned())),
            status: status(record.status),
            commission: rates.as_ref().and_then(|it| it.rate.clone()),
            bonded_tokens: commission.bonded_tokens.map(Coin::from),
            delegators: commission.delegator_count,
            voting_power_share: record.voting_power.and_then(|it| it.share()),
            uptime: record.uptime,
        },
        owner: record.owner_address,
        description: record.description,
        website: record.site_url,
        jailed_until: record.jailed_until,
        self_bonded: commission.self_bonded.map(Coin::from),
        delegator_bonded: commission.delegator_bonded.map(Coin::from),
        commission_rates: rates.map(|it| Rates {
            rate: it.rate,
            max_rate: it.max_rate,
            max_change_rate: it.max_change_rate,
        }),
        incomplete,
    }
}
