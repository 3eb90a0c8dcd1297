//! Recorded bodies about the chain as a whole: blocks, transactions, governance, validators, fees, HASH.

use std::borrow::Cow;

/// The recorded transaction.
pub const TRANSACTION: &str = "E26475835422235396AC4A72AB55B4320F5D8F0F5DD88AD73F69026C7BA8DA8C";
/// A validator; every other valid operator address gets the same record.
pub const OPERATOR: &str = "pbvaloper1qyqszqgpqyqszqgpqyqszqgpqyqszqgp52xtp6";

const TX: &str = include_str!("recorded/explorer_v2_txs_HASH.json");
const BLOCK: &str = include_str!("recorded/explorer_v2_blocks_height.json");
/// The height of the recorded block, which is the newest one.
const HEIGHT: u64 = 25_000_000;
const PROPOSAL: &str = include_str!("recorded/explorer_v2_gov_proposals_ID.json");
const PROPOSAL_ID: u64 = 99;
/// What stands for the address in the recorded validator.
const ANY_OPERATOR: &str = "pbvaloper1<address>";

/// The explorer's body for a path without an account; `None` if it does not know the path.
pub(super) fn explorer(path: &[&str]) -> Option<Cow<'static, str>> {
    let body: &'static str = match path {
        ["api", "v2", "blocks", "height", height] => {
            let height: u64 = height.parse().ok().filter(|it| (1..=HEIGHT).contains(it))?;
            return Some(numbered(BLOCK, HEIGHT, height));
        }
        ["api", "v2", "gov", "proposals", id] => {
            let id: u64 = id
                .parse()
                .ok()
                .filter(|it| (1..=PROPOSAL_ID).contains(it))?;
            return Some(numbered(PROPOSAL, PROPOSAL_ID, id));
        }
        ["api", "v3", "validators", "recent"] => {
            include_str!("recorded/explorer_v3_validators_recent.json")
        }
        ["api", "v3", "gov", "proposals"] => {
            return Some(format!(r#"{{"pages":1,"results":[{PROPOSAL}],"total":1}}"#).into());
        }
        ["api", "v2", "ibc", "denoms"] => include_str!("recorded/explorer_v2_ibc_denoms.json"),
        ["api", "v2", "txs", "address", address] => {
            bech32::decode(address).ok()?;
            // The recording is one row of the first of 176 pages.
            let body = include_str!("recorded/explorer_v2_txs_recent.json");
            return Some(body.replace("176", "1").into());
        }
        ["api", "v2", "validators", address, rest @ ..] => return validator(address, rest),
        ["api", "v2", "txs", hash] if *hash == TRANSACTION => TX,
        ["api", "v2", "txs", hash, "msgs"] if *hash == TRANSACTION => {
            include_str!("recorded/explorer_v2_txs_HASH_msgs.json")
        }
        ["api", "v2", "gas", "stats"] => include_str!("recorded/explorer_v2_gas_stats.json"),
        ["api", "v3", "utility_token", "stats"] => {
            include_str!("recorded/explorer_v3_utility_token_stats.json")
        }
        ["api", "v3", "utility_token", "distribution"] => {
            include_str!("recorded/explorer_v3_utility_token_distribution.json")
        }
        ["api", "v3", "utility_token", "rich_list"] => {
            include_str!("recorded/explorer_v3_utility_token_rich_list.json")
        }
        ["api", "v3", "utility_token", "historical_pricing"] => {
            include_str!("recorded/explorer_v3_utility_token_historical_pricing.json")
        }
        _ => return None,
    };
    Some(body.into())
}

/// The node's body for a path without an account; `None` if it does not know the path.
pub(super) fn lcd(path: &[&str]) -> Option<&'static str> {
    Some(match path {
        [
            "cosmos",
            "base",
            "tendermint",
            "v1beta1",
            "blocks",
            "latest",
        ] => {
            include_str!("recorded/lcd_tendermint_blocks_latest.json")
        }
        ["cosmos", "base", "tendermint", "v1beta1", "node_info"] => {
            include_str!("recorded/lcd_tendermint_node_info.json")
        }
        ["cosmos", "base", "tendermint", "v1beta1", "syncing"] => {
            include_str!("recorded/lcd_tendermint_syncing.json")
        }
        ["cosmos", "gov", "v1", "proposals"] => {
            include_str!("recorded/lcd_gov_v1_proposals.json")
        }
        ["cosmos", "staking", "v1beta1", "pool"] => {
            include_str!("recorded/lcd_staking_v1beta1_pool.json")
        }
        ["cosmos", "mint", "v1beta1", "inflation"] => {
            include_str!("recorded/lcd_mint_v1beta1_inflation.json")
        }
        ["provenance", "flatfees", "v1", "params"] => {
            include_str!("recorded/lcd_flatfees_v1_params.json")
        }
        ["provenance", "flatfees", "v1", "msgfee", "all"] => {
            include_str!("recorded/lcd_flatfees_v1_msgfee_all.json")
        }
        ["provenance", "exchange", "v1", "commitments", "market", "1"] => {
            include_str!("recorded/lcd_exchange_v1_commitments_market.json")
        }
        // The node answers an unknown market with an empty list.
        ["provenance", "exchange", "v1", "commitments", "market", _] => {
            r#"{"commitments":[],"pagination":{"next_key":null,"total":"0"}}"#
        }
        _ => return None,
    })
}

fn validator(address: &str, rest: &[&str]) -> Option<Cow<'static, str>> {
    bech32::decode(address).ok()?;
    match rest {
        [] => {
            let body = include_str!("recorded/explorer_v2_validators_ADDR.json");
            Some(body.replace(ANY_OPERATOR, address).into())
        }
        ["commission"] => {
            Some(include_str!("recorded/explorer_v2_validators_ADDR_commission.json").into())
        }
        _ => None,
    }
}

/// The recorded body with another number in the place of its own.
fn numbered(body: &'static str, recorded: u64, number: u64) -> Cow<'static, str> {
    match number == recorded {
        true => body.into(),
        false => body
            .replace(&recorded.to_string(), &number.to_string())
            .into(),
    }
}
