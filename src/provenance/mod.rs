//! The bundled functions: Provenance Blockchain and Figure Markets.

mod account;
mod address;
mod amount;
mod chain;
mod convert;
mod date;
mod decimal;
mod delegation;
mod exact;
mod governance;
mod hash;
mod market;
mod message_type;
mod moment;
mod natural;
mod number;
mod operator;
mod order;
mod pages;
mod partial;
mod plain;
mod progress;
mod prompts;
pub mod replay;
mod summary;
mod system;
mod token;
mod trading;
mod upstreams;
mod validator;
mod vesting;
mod wallet;

use crate::app::Server;
use crate::registry::{Prompt, Resource, Tool, batch};

use upstreams::{EXCHANGE, EXPLORER, LCD};

/// The server of the binary: the bundled functions, and one that calls many of them at once.
pub fn server() -> Server {
    core()
        .prepared(include_str!("prepared.tsv"))
        .functions(|all| all.add_tool(batch::tool().read_only()))
}

/// The bundled functions alone.
pub fn core() -> Server {
    Server::new("bifold", env!("CARGO_PKG_VERSION"))
        .title("Provenance Blockchain and Figure Markets")
        .description("Wallets, vesting, delegation, HASH statistics and market prices, read-only.")
        .instructions(
            "Read-only functions over Provenance Blockchain wallets (accounts, vesting, delegation, commitments), \
             HASH supply statistics and Figure Markets prices. 1 HASH is 10^9 nhash; amounts are decimal strings in the \
             denom beside them. Call get_system_context first: it explains the units, the terms and how the amounts add up.",
        )
        .setting(replay::switch())
        .setting(replay::faults())
        .setting(address::setting())
        .on_start(replay::start)
        .upstreams(&[EXPLORER, LCD, EXCHANGE])
        .state(system::WasPinged::default())
        .functions(|all| {
            documents().into_iter().for_each(|it| all.add_resource(it));
            questions().into_iter().for_each(|it| all.add_prompt(it));
            tools().into_iter().for_each(|it| all.add_tool(it));
        })
}

/// The documents that agents read by URI.
fn documents() -> Vec<Resource> {
    let markets = Tool::new("markets", market::markets);
    let summary = Tool::new("wallet_summary", summary::wallet);
    vec![
        Resource::new(
            "bifold://system-context",
            "text/markdown",
            Tool::sync("system_context", system::document),
        ),
        Resource::new("bifold://markets", "application/json", markets),
        Resource::new(
            "wallet://{wallet_address}/summary",
            "application/json",
            summary,
        ),
        Resource::app(
            trading::view::URI,
            Tool::sync("market_view", trading::view::page)
                .describe("Draws the candles or the order book of a market."),
        ),
    ]
}

/// The prompts that a person may choose.
fn questions() -> Vec<Prompt> {
    vec![
        Prompt::new(Tool::sync("analyse_wallet", prompts::analyse_wallet)),
        Prompt::new(Tool::sync("explain_vesting", prompts::explain_vesting)),
        Prompt::new(Tool::sync("market_briefing", prompts::market_briefing))
            .complete("token_pair", market::proposals),
    ]
}

/// The bundled functions; every listing keeps this order.
fn tools() -> Vec<Tool> {
    let tools = vec![
        Tool::new("fetch_account_info", account::info)
            .get("/account_info/{wallet_address}")
            .tags(["account"]),
        Tool::new("fetch_account_is_vesting", account::is_vesting)
            .get("/account_is_vesting/{wallet_address}")
            .tags(["account", "vesting"]),
        Tool::new("fetch_total_delegation_data", delegation::total)
            .get("/total_delegation_data/{wallet_address}")
            .tags(["delegation"]),
        Tool::new(
            "fetch_vesting_total_unvested_amount",
            vesting::total_unvested,
        )
        .get("/vesting_total_unvested_amount/{wallet_address}")
        .tags(["vesting"]),
        Tool::new("fetch_available_committed_amount", account::committed)
            .get("/available_committed_amount/{wallet_address}")
            .tags(["account"]),
        Tool::new("fetch_current_fm_data", market::markets)
            .get("/figure_markets_data")
            .pages("markets", None, 1000)
            .selects()
            .tags(["market"]),
        Tool::new("fetch_last_crypto_token_price", market::last_price)
            .get("/crypto_token_price/{token_pair}")
            .also_get("/crypto_token_price")
            .tags(["market"]),
        Tool::new("fetch_figure_markets_assets_info", market::assets)
            .get("/figure_markets_assets_info")
            .tags(["market"]),
        Tool::new("fetch_current_hash_statistics", hash::statistics)
            .get("/current_hash_statistics")
            .tags(["hash"]),
        Tool::sync("get_system_context", system::context)
            .get("/system_context")
            .tags(["system"])
            .closed_world(),
        Tool::new("fetch_complete_wallet_summary", summary::wallet)
            .get("/complete_wallet_summary/{wallet_address}")
            .tags(["summary", "account"]),
        Tool::new("fetch_market_overview_summary", summary::market)
            .get("/market_overview_summary")
            .tags(["summary", "market"]),
        Tool::sync("get_registry_introspection", system::introspection)
            .get("/registry_introspection")
            .pages("functions", None, 1000)
            .selects()
            .tags(["system"])
            .closed_world(),
        Tool::sync("get_registry_summary", system::registry_summary)
            .get("/registry_summary")
            .tags(["system"])
            .closed_world(),
        Tool::new("fetch_delegated_rewards_amount", delegation::rewards)
            .get("/delegated_rewards_amount/{wallet_address}")
            .rest_only()
            .tags(["delegation"]),
        Tool::new("fetch_delegated_staked_amount", delegation::staked)
            .get("/delegated_staked_amount/{wallet_address}")
            .rest_only()
            .tags(["delegation"]),
        Tool::new("fetch_delegated_unbonding_amount", delegation::unbonding)
            .get("/delegated_unbonding_amount/{wallet_address}")
            .rest_only()
            .tags(["delegation"]),
        Tool::new(
            "fetch_delegated_redelegation_amount",
            delegation::redelegation,
        )
        .get("/delegated_redelegation_amount/{wallet_address}")
        .rest_only()
        .tags(["delegation"]),
        Tool::new("fetch_wallet_liquid_balance", account::liquid_balance)
            .get("/wallet_liquid_balance/{wallet_address}")
            .rest_only()
            .tags(["account"]),
        Tool::sync("mcp_warmup_ping", system::warmup_ping)
            .tags(["system"])
            .closed_world(),
        Tool::new("mcp_test_server", system::test_server)
            .calls("function_name")
            .tags(["system"]),
        Tool::new("fetch_validators", validator::list::validators)
            .get("/validators")
            .pages("validators", 50, 200)
            .selects()
            .tags(["validators"]),
        Tool::new("fetch_validator_detail", validator::detail::validator)
            .get("/validators/{operator_address}")
            .tags(["validators"]),
        Tool::new("fetch_wallet_delegations", wallet::delegations::delegations)
            .get("/wallet_delegations/{wallet_address}")
            .pages("delegations", 100, 200)
            .selects()
            .tags(["wallet", "delegation"]),
        Tool::new("fetch_governance_proposals", governance::list::proposals)
            .get("/governance_proposals")
            .pages("proposals", 20, 100)
            .selects()
            .tags(["governance"]),
        Tool::new("fetch_proposal", governance::proposal::proposal)
            .get("/governance_proposals/{proposal_id}")
            .tags(["governance"]),
        Tool::new("fetch_wallet_spendable", wallet::spendable::spendable)
            .get("/wallet_spendable/{wallet_address}")
            .tags(["wallet"]),
        Tool::new("fetch_wallet_balances", wallet::balances::balances)
            .get("/wallet_balances/{wallet_address}")
            .pages("balances", 50, 200)
            .selects()
            .tags(["wallet"]),
        Tool::new("fetch_vesting_calendar", wallet::calendar::calendar)
            .get("/vesting_calendar/{wallet_address}")
            .tags(["wallet", "vesting"]),
        Tool::new("fetch_market_candles", trading::candles::candles)
            .get("/market_candles/{token_pair}")
            .app(trading::view::URI)
            .tags(["market"]),
        Tool::new("fetch_order_book", trading::order_book::order_book)
            .get("/order_book/{token_pair}")
            .app(trading::view::URI)
            .tags(["market"]),
        Tool::new("fetch_recent_trades_vwap", trading::vwap::vwap)
            .get("/vwap/{token_pair}")
            .tags(["market"]),
        Tool::new("fetch_block", chain::block::block)
            .get("/blocks/{height}")
            .tags(["chain"]),
        Tool::new("fetch_transaction", chain::transaction::transaction)
            .get("/transactions/{tx_hash}")
            .tags(["chain"]),
        Tool::new(
            "fetch_wallet_transactions",
            wallet::transactions::transactions,
        )
        .get("/wallet_transactions/{wallet_address}")
        .pages("transactions", 20, 200)
        .selects()
        .tags(["wallet", "chain"]),
        Tool::new("fetch_ibc_denoms", chain::ibc::denoms)
            .get("/ibc_denoms")
            .pages("denoms", 50, 200)
            .selects()
            .tags(["chain"]),
        Tool::new("fetch_hash_price_history", token::history::history)
            .get("/hash_price_history")
            .tags(["hash"]),
        Tool::new("fetch_hash_distribution", token::distribution::distribution)
            .get("/hash_distribution")
            .tags(["hash"]),
        Tool::new("fetch_market_commitments", chain::commitments::commitments)
            .get("/market_commitments")
            .tags(["chain", "market"]),
        Tool::new("fetch_fee_schedule", chain::fees::schedule)
            .get("/fee_schedule")
            .tags(["chain"]),
        Tool::new("fetch_chain_status", chain::status::status)
            .get("/chain_status")
            .tags(["chain"]),
        Tool::new("convert_amount", convert::amount)
            .get("/convert_amount")
            .tags(["conversion"]),
    ];
    tools
        .into_iter()
        .map(|tool| brief(tool.read_only()))
        .collect()
}

/// What agents pay for is short: of aggregates, whose parts are the results of other functions, only the names of the
/// parts.
fn brief(tool: Tool) -> Tool {
    let is_aggregate = tool.groups().first().is_some_and(|it| it == "summary");
    tool.brief(if is_aggregate { 1 } else { 2 })
}
