//! Prompts about wallets and the market.

use schemars::JsonSchema;
use serde::Deserialize;

use super::address::Address;
use super::market::Pair;
use crate::context::Context;
use crate::error::Result;
use crate::registry::Content;

/// Asks for an analysis of one wallet: what it holds, what of it can be used, and what is missing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnalyseWallet {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// Asks for an explanation of one wallet's vesting: what has vested, what has not, and what that means for sending.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainVesting {
    /// Bech32 address of the wallet.
    wallet_address: Address,
}

/// Asks for a short briefing on the market, with a focus on one pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MarketBriefing {
    /// Symbol of the market to focus on; HASH-USD by default.
    #[serde(default)]
    token_pair: Pair,
}

pub(super) fn analyse_wallet(
    cx: Context,
    AnalyseWallet { wallet_address }: AnalyseWallet,
) -> Result<Content> {
    let wallet = wallet_address.on_network(&cx)?;
    Ok(Content::text(format!(
        "Analyse the wallet {wallet}. Read get_system_context first, then call fetch_complete_wallet_summary. Say in HASH \
         what the wallet holds in all, how much of it can be sent now, how much is staked and earning, what is unbonding, \
         committed to the exchange or still unvested, and what it is worth at the last HASH-USD price. Do not add amounts \
         that are inside one another. If `incomplete` names a part, say what is missing instead of guessing it."
    )))
}

pub(super) fn explain_vesting(
    cx: Context,
    ExplainVesting { wallet_address }: ExplainVesting,
) -> Result<Content> {
    let wallet = wallet_address.on_network(&cx)?;
    Ok(Content::text(format!(
        "Explain the vesting of the wallet {wallet} to its owner. Call fetch_vesting_total_unvested_amount for now, and for \
         the same day one year on. Say what was granted, what has vested, what has not, when it ends, and how the part that \
         has not vested limits what can be sent while it may still be staked. If the wallet has no schedule, say only that."
    )))
}

pub(super) fn market_briefing(
    _: Context,
    MarketBriefing { token_pair }: MarketBriefing,
) -> Result<Content> {
    let pair = token_pair.symbol();
    Ok(Content::text(format!(
        "Give a briefing on the Figure Markets exchange in at most ten sentences. Call fetch_market_overview_summary, and \
         fetch_last_crypto_token_price for {pair} with the last 20 trades. Begin with {pair}: last price, its way over these \
         trades, best bid and ask. Then name what else moved, and the HASH supply figures that matter for it. A null price \
         means that there is none; pairs under `unavailable` are not listed now."
    )))
}
