//! Validators: the row that lists and details share, and the explorer's way to write its figures.

pub(super) mod detail;
pub(super) mod list;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Coin, NHASH};
use super::decimal::Decimal;
use super::number::Integer;

/// One validator; what the explorer does not say is null.
#[derive(Serialize, JsonSchema)]
pub(super) struct Validator {
    moniker: Option<String>,
    operator_address: Option<String>,
    /// `active`, `candidate`, `jailed` or `removed`.
    status: Option<String>,
    /// A fraction of the rewards.
    commission: Option<Decimal>,
    bonded_tokens: Option<Coin>,
    /// Number of delegators.
    delegators: Option<Integer>,
    /// A fraction, to eight digits.
    voting_power_share: Option<Decimal>,
    /// Percent of the recent blocks that it signed.
    uptime: Option<Decimal>,
}

/// The explorer's whole number of a total.
#[derive(Deserialize)]
struct Power {
    count: Option<Integer>,
    total: Option<Integer>,
}

/// The explorer's amount of a denom, which it calls a count.
#[derive(Deserialize)]
struct Tokens {
    count: Amount,
    denom: Option<String>,
}

impl Power {
    /// The share of the whole; null where either is missing.
    fn share(&self) -> Option<Decimal> {
        Decimal::ratio(self.count?.0, self.total?.0, 8)
    }
}

impl From<Tokens> for Coin {
    fn from(tokens: Tokens) -> Coin {
        Coin {
            amount: tokens.count,
            denom: tokens.denom.unwrap_or_else(|| NHASH.to_owned()),
        }
    }
}

/// The status in lower case words.
fn status(written: Option<String>) -> Option<String> {
    written.map(|it| it.to_ascii_lowercase())
}
