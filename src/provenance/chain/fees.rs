//! What messages cost, by their type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::provenance::account::overflow;
use crate::provenance::amount::{Amount, Coin, sum_of};
use crate::provenance::exact::Exact;
use crate::provenance::order;
use crate::provenance::upstreams::{LCD, lcd};

use crate::provenance::message_type::MessageType;

/// Fees of one page.
const PAGE: usize = 1_000;
/// The maximum number of pages; the chain has some hundreds of message types.
const MAX_PAGES: usize = 5;

/// The fees of the chain by type of message, each in musd (thousandths of a US dollar) and in nhash.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct FeeSchedule {
    /// Only this type, e.g. `/cosmos.bank.v1beta1.MsgSend` or `MsgSend`.
    #[serde(default)]
    message_type: Option<MessageType>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Schedule {
    /// Of a type without a fee of its own.
    default_cost: Cost,
    /// By type.
    fees: Vec<Fee>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Cost {
    musd: Amount,
    nhash: Amount,
}

#[derive(Serialize, JsonSchema)]
struct Fee {
    message_type: String,
    musd: Amount,
    nhash: Amount,
    /// Whether the type has no fee of its own.
    is_default: bool,
}

/// The node's `GET /provenance/flatfees/v1/params`.
#[derive(Deserialize)]
struct Answer {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    default_cost: Coin,
    conversion_factor: Factor,
}

#[derive(Deserialize)]
struct Factor {
    definition_amount: Coin,
    converted_amount: Coin,
}

/// The node's `GET /provenance/flatfees/v1/msgfee/all`.
#[derive(Deserialize)]
struct Page {
    msg_fees: Vec<FeeRecord>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct FeeRecord {
    msg_type_url: String,
    #[serde(default)]
    cost: Vec<Coin>,
}

#[derive(Deserialize)]
struct Pagination {
    next_key: Option<String>,
}

pub(in crate::provenance) async fn schedule(
    cx: Context,
    FeeSchedule { message_type }: FeeSchedule,
) -> Result<Schedule> {
    let (params, records) = tokio::join!(
        lcd::<Answer>(&cx, "/provenance/flatfees/v1/params"),
        records(&cx),
    );
    let params = params.map_err(Error::must_exist)?.params;
    let default_cost = params.cost(std::slice::from_ref(&params.default_cost))?;
    let mut fees = Vec::new();
    for record in records.map_err(Error::must_exist)? {
        if message_type
            .as_ref()
            .is_none_or(|it| it.fits(&record.msg_type_url))
        {
            let Cost { musd, nhash } = params.cost(&record.cost)?;
            fees.push(Fee {
                message_type: record.msg_type_url,
                musd,
                nhash,
                is_default: false,
            });
        }
    }
    order::sort(&mut fees, |a, b| a.message_type.cmp(&b.message_type));
    if let (true, Some(message_type)) = (fees.is_empty(), message_type) {
        fees.push(Fee {
            message_type: message_type.0,
            musd: default_cost.musd,
            nhash: default_cost.nhash,
            is_default: true,
        });
    }
    Ok(Schedule { default_cost, fees })
}

/// All fees as they are defined, not as they are converted now.
async fn records(cx: &Context) -> Result<Vec<FeeRecord>> {
    let cx = cx.in_sequence();
    let mut records = Vec::new();
    let mut key: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let request = cx.upstream(&LCD).get("/provenance/flatfees/v1/msgfee/all");
        let request = request.query("do_not_convert", true);
        let request = request.query("pagination.limit", PAGE);
        let page: Page = request.query("pagination.key", key).json().await?;
        records.extend(page.msg_fees);
        key = page.pagination.and_then(|it| it.next_key);
        if key.as_ref().is_none_or(String::is_empty) {
            return Ok(records);
        }
    }
    let problem = format!("answered with more than {MAX_PAGES} pages of fees");
    Err(Error::invalid_response(LCD.name, problem))
}

impl Params {
    /// The cost in both units: what is defined in one is converted, rounded half up.
    fn cost(&self, coins: &[Coin]) -> Result<Cost> {
        let Factor {
            definition_amount: musd,
            converted_amount: nhash,
        } = &self.conversion_factor;
        let impossible = || overflow(LCD.name);
        let defined = sum_of(&musd.denom, coins).ok_or_else(impossible)?;
        let converted = Exact::whole(defined)
            .times(&Exact::whole(nhash.amount.0))
            .divided_half_up(&Exact::whole(musd.amount.0))
            .ok_or_else(impossible)?;
        let more = sum_of(&nhash.denom, coins).ok_or_else(impossible)?;
        let whole = converted.0.checked_add(more).ok_or_else(impossible)?;
        Ok(Cost {
            musd: Amount(defined),
            nhash: Amount(whole),
        })
    }
}
