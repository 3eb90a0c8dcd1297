//! Figure Markets: markets, trades, assets.

use std::borrow::Cow;
use std::collections::HashSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::decimal::Decimal;
use super::number::{Integer, lenient_text};
use super::upstreams::EXCHANGE;
use crate::context::Context;
use crate::error::{Error, Kind, Result, suggestion};
use crate::registry::count::Count;

/// Every market of the Figure Markets exchange: best bid and ask, last price, 24 hour change, volume, high, low, status.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CurrentMarkets {}

/// The last trades of one token pair on the Figure Markets exchange, newest first, and the last price.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LastPrice {
    /// Symbol of the market, as fetch_current_fm_data lists it; case-sensitive.
    #[serde(default)]
    token_pair: Pair,
    /// The maximum number of trades to return.
    #[serde(default = "one")]
    last_number_of_trades: Count<1, 200>,
}

/// Every asset known to the Figure Markets exchange: names, description, type, exponent and on-chain denom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetsInfo {}

/// The symbol of a market.
#[derive(Clone, Serialize)]
pub(super) struct Pair(String);

#[derive(Serialize, JsonSchema)]
pub(super) struct Markets {
    pub(super) markets: Vec<Market>,
    /// Number of markets.
    total: usize,
}

/// One market; prices are in the quote denom, and null if there is none.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Market {
    pub(super) symbol: Option<String>,
    display_name: Option<String>,
    base_denom: Option<String>,
    quote_denom: Option<String>,
    best_bid: Option<Decimal>,
    best_ask: Option<Decimal>,
    /// Half-way between the best bid and the best ask.
    mid_price: Option<Decimal>,
    /// Null if the market has never traded.
    last_traded_price: Option<Decimal>,
    price_change_24h: Option<Decimal>,
    /// A fraction: -0.05 is minus five percent.
    percentage_change_24h: Option<Decimal>,
    /// In the quote denom.
    volume_24h: Option<Decimal>,
    /// In the base denom.
    base_volume_24h: Option<Decimal>,
    high_24h: Option<Decimal>,
    low_24h: Option<Decimal>,
    trade_count_24h: Option<Integer>,
    market_type: Option<String>,
    status: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Price {
    token_pair: String,
    /// The price of the newest trade; null if the pair has never traded.
    pub(super) last_price: Option<Decimal>,
    /// Newest first.
    pub(super) trades: Vec<Trade>,
}

#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Trade {
    id: String,
    /// In the quote denom.
    pub(super) price: Decimal,
    /// In the base denom.
    pub(super) quantity: Decimal,
    /// RFC 3339, to the nanosecond.
    pub(super) created: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Assets {
    pub(super) assets: Vec<Asset>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Asset {
    pub(super) asset_name: Option<String>,
    asset_display_name: Option<String>,
    asset_description: Option<String>,
    asset_type: Option<String>,
    /// One asset is 10 to the power of this many base units.
    pub(super) asset_exponent: Option<Integer>,
    /// The denom on Provenance Blockchain.
    pub(super) asset_denom: Option<String>,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

/// A row of the exchange's `GET /markets`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarketRow {
    #[serde(default, deserialize_with = "lenient_text")]
    symbol: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    denom: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    quote_denom: Option<String>,
    best_bid: Option<Decimal>,
    best_ask: Option<Decimal>,
    mid_market_price: Option<Decimal>,
    last_traded_price: Option<Decimal>,
    price_change24h: Option<Decimal>,
    percentage_change24h: Option<Decimal>,
    volume24h: Option<Decimal>,
    base_volume24h: Option<Decimal>,
    high24h: Option<Decimal>,
    low24h: Option<Decimal>,
    trade_count24h: Option<Integer>,
    #[serde(default, deserialize_with = "lenient_text")]
    market_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    status: Option<String>,
}

/// The exchange's `GET /trades/{symbol}`.
#[derive(Deserialize)]
struct Matches {
    matches: Vec<Match>,
}

#[derive(Deserialize)]
struct Match {
    #[serde(default, deserialize_with = "lenient_text")]
    id: Option<String>,
    price: Decimal,
    quantity: Decimal,
    created: String,
}

/// A row of the exchange's `GET /assets`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssetRow {
    #[serde(default, deserialize_with = "lenient_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    description: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    kind: Option<String>,
    exponent: Option<Integer>,
    #[serde(default, deserialize_with = "lenient_text")]
    provenance_marker_name: Option<String>,
}

pub(super) async fn markets(cx: Context, CurrentMarkets {}: CurrentMarkets) -> Result<Markets> {
    list_markets(&cx).await
}

pub(super) async fn last_price(cx: Context, arguments: LastPrice) -> Result<Price> {
    let Pair(pair) = arguments.token_pair;
    let cx = cx.in_sequence();
    let count = arguments.last_number_of_trades.0;
    known(&cx, &pair, trades(&cx, &pair, count)).await
}

/// The result of a request about a pair; the error for an unknown pair names similar ones.
pub(super) async fn known<T>(
    cx: &Context,
    pair: &str,
    request: impl Future<Output = Result<T>>,
) -> Result<T> {
    match request.await {
        Err(error) if error.kind() == Kind::NotFound => Err(unknown_pair(cx, pair, error).await),
        result => result,
    }
}

pub(super) async fn assets(cx: Context, AssetsInfo {}: AssetsInfo) -> Result<Assets> {
    list_assets(&cx).await
}

pub(super) async fn list_markets(cx: &Context) -> Result<Markets> {
    let list: List<MarketRow> = cx
        .get_json(&EXCHANGE, "/markets")
        .await
        .map_err(Error::must_exist)?;
    let markets: Vec<Market> = list.data.into_iter().map(Market::from).collect();
    Ok(Markets {
        total: markets.len(),
        markets,
    })
}

pub(super) async fn list_assets(cx: &Context) -> Result<Assets> {
    let list: List<AssetRow> = cx
        .get_json(&EXCHANGE, "/assets")
        .await
        .map_err(Error::must_exist)?;
    Ok(Assets {
        assets: list.data.into_iter().map(Asset::from).collect(),
    })
}

/// The last trades of a pair. `pair` must be a valid symbol, because it becomes a part of the path.
pub(super) async fn trades(cx: &Context, pair: &str, count: u32) -> Result<Price> {
    let list: Matches = cx
        .get_json(&EXCHANGE, &format!("/trades/{pair}?size={count}"))
        .await?;
    let mut trades: Vec<Trade> = list.matches.into_iter().map(Trade::from).collect();
    // Two fills of one order have the same time and keep their order; a repeated trade has the same id.
    trades.sort_by_cached_key(|trade| {
        std::cmp::Reverse(OffsetDateTime::parse(&trade.created, &Rfc3339).ok())
    });
    let mut seen = HashSet::new();
    trades.retain(|trade| trade.id.is_empty() || seen.insert(trade.id.clone()));
    trades.truncate(count as usize);
    Ok(Price {
        token_pair: pair.to_owned(),
        last_price: trades.first().map(|trade| trade.price.clone()),
        trades,
    })
}

/// The symbols that begin with the typed text, ignoring case.
pub(super) async fn proposals(cx: Context, typed: String) -> Result<Vec<String>> {
    let typed = typed.to_lowercase();
    let symbols = list_markets(&cx)
        .await?
        .markets
        .into_iter()
        .filter_map(|it| it.symbol);
    Ok(symbols
        .filter(|it| it.to_lowercase().starts_with(&typed))
        .collect())
}

async fn unknown_pair(cx: &Context, pair: &str, cause: Error) -> Error {
    // Without the list of markets the error has no suggestion.
    let markets = list_markets(cx)
        .await
        .map(|it| it.markets)
        .unwrap_or_default();
    let close = suggestion::closest(pair, markets.iter().filter_map(|it| it.symbol.as_deref()));
    Error::not_found(format!(
        "there is no market `{pair}`{}",
        suggestion::hint(&close)
    ))
    .with_source(cause)
}

fn one() -> Count<1, 200> {
    Count(1)
}

impl Pair {
    /// The symbol.
    pub(super) fn symbol(&self) -> &str {
        &self.0
    }
}

impl Default for Pair {
    fn default() -> Pair {
        Pair("HASH-USD".to_owned())
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Pair, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let is_legal = |text: &str, more: &[u8]| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        let is_pair = text.split_once('-').is_some_and(|(base, quote)| {
            (1..=31).contains(&base.len())
                && (1..=32).contains(&quote.len())
                && is_legal(base, b"._")
                && is_legal(quote, b"._-")
        });
        match is_pair {
            true => Ok(Pair(text.into_owned())),
            false => Err(D::Error::custom(
                "expected the symbol of a market such as `HASH-USD`",
            )),
        }
    }
}

impl JsonSchema for Pair {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pair".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9._]{1,31}-[A-Za-z0-9._-]{1,32}$",
            "examples": ["HASH-USD"],
        })
    }
}

impl From<MarketRow> for Market {
    fn from(row: MarketRow) -> Market {
        Market {
            symbol: row.symbol.or(row.id),
            display_name: row.display_name,
            base_denom: row.denom,
            quote_denom: row.quote_denom,
            best_bid: row.best_bid,
            best_ask: row.best_ask,
            mid_price: row.mid_market_price,
            last_traded_price: row.last_traded_price.filter(|price| !price.is_zero()),
            price_change_24h: row.price_change24h,
            percentage_change_24h: row.percentage_change24h,
            volume_24h: row.volume24h,
            base_volume_24h: row.base_volume24h,
            high_24h: row.high24h,
            low_24h: row.low24h,
            trade_count_24h: row.trade_count24h,
            market_type: row.market_type,
            status: row.status,
        }
    }
}

impl From<Match> for Trade {
    fn from(it: Match) -> Trade {
        // This upstream writes UTC times without a zone.
        let has_zone = it.created.ends_with('Z')
            || it
                .created
                .get(19..)
                .is_some_and(|end| end.contains(['+', '-']));
        let created = if has_zone {
            it.created
        } else {
            it.created + "Z"
        };
        Trade {
            id: it.id.unwrap_or_default(),
            price: it.price,
            quantity: it.quantity,
            created,
        }
    }
}

impl From<AssetRow> for Asset {
    fn from(row: AssetRow) -> Asset {
        Asset {
            asset_name: row.name,
            asset_display_name: row.display_name,
            asset_description: row.description,
            asset_type: row.kind,
            asset_exponent: row.exponent,
            asset_denom: row.provenance_marker_name,
        }
    }
}
