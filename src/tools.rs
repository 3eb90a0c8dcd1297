//! The bundled functions, in the order of their public list: Provenance Blockchain and Figure Markets.

mod account;
mod address;
mod amount;
mod decimal;
mod delegation;
mod hash;
mod market;
mod number;
mod partial;
mod summary;
mod system;
mod vesting;

use crate::registry::Tool;
use crate::server::Server;
use crate::upstream::Upstream;

/// The Provenance explorer's API.
const EXPLORER: Upstream = Upstream {
    name: "explorer",
    url: "https://service-explorer.provenance.io",
};
/// A Provenance node's REST API.
const LCD: Upstream = Upstream {
    name: "lcd",
    url: "https://api.provenance.io",
};
/// The Figure Markets exchange's public API.
const EXCHANGE: Upstream = Upstream {
    name: "exchange",
    url: "https://www.figuremarkets.com/service-hft-exchange/api/v1",
};

/// The server that the binary runs.
pub fn server() -> Server {
    Server::new("bifold", env!("CARGO_PKG_VERSION"))
        .title("Provenance Blockchain and Figure Markets")
        .instructions(
            "Read-only functions over Provenance Blockchain wallets (accounts, vesting, delegation, commitments), \
             HASH supply statistics and Figure Markets prices. 1 HASH is 10^9 nhash; amounts are decimal strings in the \
             denom beside them. Call get_system_context first: it explains the units, the terms and how the amounts add up.",
        )
        .upstreams(&[EXPLORER, LCD, EXCHANGE])
        .state(system::Warmth::default())
        .tools(tools())
}

/// The public list. Its order is the order of every listing.
fn tools() -> Vec<Tool> {
    let tools = vec![
        Tool::new("fetch_account_info", account::info)
            .get("/account_info/{wallet_address}")
            .tags(&["account"]),
        Tool::new("fetch_account_is_vesting", account::is_vesting)
            .get("/account_is_vesting/{wallet_address}")
            .tags(&["account", "vesting"]),
        Tool::new("fetch_total_delegation_data", delegation::total)
            .get("/total_delegation_data/{wallet_address}")
            .tags(&["delegation"]),
        Tool::new(
            "fetch_vesting_total_unvested_amount",
            vesting::total_unvested,
        )
        .get("/vesting_total_unvested_amount/{wallet_address}")
        .tags(&["vesting"]),
        Tool::new("fetch_available_committed_amount", account::committed)
            .get("/available_committed_amount/{wallet_address}")
            .tags(&["account"]),
        Tool::new("fetch_current_fm_data", market::markets)
            .get("/figure_markets_data")
            .tags(&["market"]),
        Tool::new("fetch_last_crypto_token_price", market::last_price)
            .get("/crypto_token_price/{token_pair}")
            .also_get("/crypto_token_price")
            .tags(&["market"]),
        Tool::new("fetch_figure_markets_assets_info", market::assets)
            .get("/figure_markets_assets_info")
            .tags(&["market"]),
        Tool::new("fetch_current_hash_statistics", hash::statistics)
            .get("/current_hash_statistics")
            .tags(&["hash"]),
        Tool::sync("get_system_context", system::context)
            .get("/system_context")
            .tags(&["system"]),
        Tool::new("fetch_complete_wallet_summary", summary::wallet)
            .get("/complete_wallet_summary/{wallet_address}")
            .tags(&["summary", "account"]),
        Tool::new("fetch_market_overview_summary", summary::market)
            .get("/market_overview_summary")
            .tags(&["summary", "market"]),
        Tool::sync("get_registry_introspection", system::introspection)
            .get("/registry_introspection")
            .tags(&["system"]),
        Tool::sync("get_registry_summary", system::registry_summary)
            .get("/registry_summary")
            .tags(&["system"]),
        Tool::new("fetch_delegated_rewards_amount", delegation::rewards)
            .get("/delegated_rewards_amount/{wallet_address}")
            .rest_only()
            .tags(&["delegation"]),
        Tool::new("fetch_delegated_staked_amount", delegation::staked)
            .get("/delegated_staked_amount/{wallet_address}")
            .rest_only()
            .tags(&["delegation"]),
        Tool::new("fetch_delegated_unbonding_amount", delegation::unbonding)
            .get("/delegated_unbonding_amount/{wallet_address}")
            .rest_only()
            .tags(&["delegation"]),
        Tool::new(
            "fetch_delegated_redelegation_amount",
            delegation::redelegation,
        )
        .get("/delegated_redelegation_amount/{wallet_address}")
        .rest_only()
        .tags(&["delegation"]),
        Tool::new("fetch_wallet_liquid_balance", account::liquid_balance)
            .get("/wallet_liquid_balance/{wallet_address}")
            .rest_only()
            .tags(&["account"]),
        Tool::sync("mcp_warmup_ping", system::warmup_ping).tags(&["system"]),
        Tool::new("mcp_test_server", system::test_server).tags(&["system"]),
    ];
    tools.into_iter().map(Tool::read_only).collect()
}
