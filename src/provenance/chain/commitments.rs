//! What is committed to a market on chain, by all accounts together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provenance::account::overflow;
use crate::provenance::amount::{Amount, Coin};
use crate::provenance::partial::{MissingPart, PartCollector};
use crate::provenance::upstreams::LCD;
use crate::registry::count::Count;

/// Accounts of one page.
const PAGE: usize = 1_000;
/// The maximum number of pages that are read.
const MAX_PAGES: usize = 20;

/// What all accounts together have committed to a market on chain (1 is Figure Markets), by denom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::provenance) struct MarketCommitments {
    /// Number of the market on chain.
    #[serde(default = "first")]
    market_id: Count<1, { u32::MAX }>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::provenance) struct Commitments {
    market_id: u32,
    /// By denom.
    totals: Vec<Coin>,
    /// Number of accounts.
    accounts: usize,
    /// `commitments` where not all pages were read, `market` where its existence is unknown.
    incomplete: Vec<MissingPart>,
}

/// The node's `GET /provenance/exchange/v1/commitments/market/{id}`.
#[derive(Deserialize)]
struct Page {
    commitments: Vec<Commitment>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Commitment {
    #[serde(default)]
    amount: Vec<Coin>,
}

#[derive(Deserialize)]
struct Pagination {
    next_key: Option<String>,
}

pub(in crate::provenance) async fn commitments(
    cx: Context,
    MarketCommitments { market_id }: MarketCommitments,
) -> Result<Commitments> {
    let market = market_id.0;
    let in_sequence = cx.in_sequence();
    let mut sums = Sums::default();
    let mut key = sums.add(
        page(&in_sequence, market, None)
            .await
            .map_err(|it| unknown(market, it))?,
    )?;
    let mut parts = PartCollector::with_one_part();
    for _ in 1..MAX_PAGES {
        let Some(next) = key.take() else { break };
        let page = page(&in_sequence, market, Some(&next)).await;
        let Some(page) = parts.take("commitments", page) else {
            break;
        };
        key = sums.add(page)?;
    }
    if key.is_some() {
        let problem = format!("only the first {} accounts were read", PAGE * MAX_PAGES);
        parts.take::<()>("commitments", Err(Error::failed(problem)));
    }
    if sums.accounts == 0 {
        // The node answers an unknown market with an empty list.
        match exists(&in_sequence, market).await {
            Err(error) if error.kind() == Kind::NotFound => return Err(error),
            result => parts.take("market", result),
        };
    }
    Ok(Commitments {
        market_id: market,
        totals: sums.totals(),
        accounts: sums.accounts,
        incomplete: parts.finish(&cx)?,
    })
}

async fn page(cx: &Context, market: u32, key: Option<&str>) -> Result<Page> {
    let path = format!("/provenance/exchange/v1/commitments/market/{market}");
    let request = cx.upstream(&LCD).get(&path);
    let request = request.query("pagination.limit", PAGE);
    request.query("pagination.key", key).json().await
}

async fn exists(cx: &Context, market: u32) -> Result<()> {
    let path = format!("/provenance/exchange/v1/market/{market}");
    let market_record = cx.get_json::<serde::de::IgnoredAny>(&LCD, &path).await;
    market_record.map(drop).map_err(|it| unknown(market, it))
}

/// The node answers 400 or 404 to a market that it does not know.
fn unknown(market: u32, error: Error) -> Error {
    let status = error.upstream_status().and_then(|it| it.status);
    match status {
        Some(400 | 404) => {
            Error::not_found(format!("there is no market {market} on chain")).with_source(error)
        }
        _ => error,
    }
}

#[derive(Default)]
struct Sums {
    by_denom: BTreeMap<String, u128>,
    accounts: usize,
}

impl Sums {
    /// Adds a page, and gives the key of the next one.
    fn add(&mut self, page: Page) -> Result<Option<String>> {
        self.accounts += page.commitments.len();
        for coin in page.commitments.into_iter().flat_map(|it| it.amount) {
            let sum = self.by_denom.entry(coin.denom).or_default();
            *sum = sum
                .checked_add(coin.amount.0)
                .ok_or_else(|| overflow(LCD.name))?;
        }
        let key = page.pagination.and_then(|it| it.next_key);
        Ok(key.filter(|it| !it.is_empty()))
    }

    fn totals(&mut self) -> Vec<Coin> {
        let sums = std::mem::take(&mut self.by_denom).into_iter();
        let coins = sums.map(|(denom, amount)| Coin {
            amount: Amount(amount),
            denom,
        });
        coins.collect()
    }
}

fn first() -> Count<1, { u32::MAX }> {
    Count(1)
}
