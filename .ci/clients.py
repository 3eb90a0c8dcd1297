"""Proves that clients from other hands, the Python SDK and the Inspector, can use the bundled functions in both eras."""

import asyncio
import json
import subprocess
import sys

from mcp import Client, MCPError

url, inspector = sys.argv[1:]

WALLET = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"
# The same wallet with two letters exchanged: well formed, but its checksum is wrong.
MISTYPED = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvkm8"
SUMMARY = {
    "total_functions": 22,
    "mcp_enabled": 17,
    "rest_enabled": 20,
    "dual_protocol": 15,
    "mcp_only": 2,
    "rest_only": 5,
}
NAMES = {
    "call_many",
    "fetch_account_info",
    "fetch_account_is_vesting",
    "fetch_available_committed_amount",
    "fetch_complete_wallet_summary",
    "fetch_current_fm_data",
    "fetch_current_hash_statistics",
    "fetch_figure_markets_assets_info",
    "fetch_last_crypto_token_price",
    "fetch_market_overview_summary",
    "fetch_total_delegation_data",
    "fetch_vesting_total_unvested_amount",
    "get_registry_introspection",
    "get_registry_summary",
    "get_system_context",
    "mcp_test_server",
    "mcp_warmup_ping",
}


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def same_names(who, found):
    found = sorted(found)
    if found != sorted(NAMES):
        sys.exit(f"{who}: missing {sorted(NAMES - set(found))}, unexpected {sorted(set(found) - NAMES)}, listed {found}")


async def python(mode, version):
    """The Python SDK. `auto` probes for the newest era and `legacy` shakes hands as older clients do."""
    who = f"python {mode}"
    async with Client(url, mode=mode) as client:
        same(f"{who}: protocol version", client.protocol_version, version)
        same_names(who, [tool.name for tool in (await client.list_tools()).tools])

        result = await client.call_tool("get_registry_summary")
        same(f"{who}: get_registry_summary", result.structured_content, SUMMARY)

        result = await client.call_tool("fetch_account_info", {"wallet_address": WALLET})
        same(f"{who}: is_error", bool(result.is_error), False)
        same(f"{who}: account_is_vesting", result.structured_content["account_is_vesting"], True)
        same(f"{who}: text block", json.loads(result.content[0].text), result.structured_content)

        result = await client.call_tool("fetch_account_info", {"wallet_address": MISTYPED})
        same(f"{who}: is_error of a mistyped wallet", result.is_error, True)

        # Whether an unknown name is an error of the protocol or a failed result is left open by the specification.
        try:
            failed = (await client.call_tool("no_such_function", {})).is_error
        except MCPError:
            failed = True
        same(f"{who}: an unknown function fails", failed, True)


def inspect(era, *options, code=0):
    """One call of the Inspector's command line, which exits with 5 for a failed tool and with 6 for a bad schema."""
    command = ["node", inspector, "--cli", url, "--transport", "http", "--protocol-era", era, "--format", "json", *options]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if ran.returncode != code:
        sys.exit(f"inspector {era} {' '.join(options)}: exit code {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    return json.loads(ran.stdout)["result"]


def inspector_cli(era):
    who = f"inspector {era}"
    tools = inspect(era, "--method", "tools/list", "--strict")["tools"]
    same_names(who, [tool["name"] for tool in tools])
    call = ("--method", "tools/call", "--tool-name", "fetch_account_info", "--tool-arg")
    result = inspect(era, *call, f"wallet_address={WALLET}")
    same(f"{who}: account_is_vesting", result["structuredContent"]["account_is_vesting"], True)
    result = inspect(era, *call, f"wallet_address={MISTYPED}", code=5)
    same(f"{who}: isError of a mistyped wallet", result["isError"], True)


asyncio.run(python("auto", "2026-07-28"))
asyncio.run(python("legacy", "2025-11-25"))
for era in ("legacy", "auto", "modern"):
    inspector_cli(era)
print("clients: python auto, python legacy, inspector legacy, inspector auto, inspector modern")
