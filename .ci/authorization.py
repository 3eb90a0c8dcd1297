"""The Python SDK's part of `authorization.mjs`: the whole flow, a scope that is missing, and a token that has expired."""

import asyncio
import os
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

URL, CONTROL = os.environ["MCP_URL"], os.environ["CONTROL_URL"]
CALLBACK = "http://127.0.0.1:9/callback"


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def control(path, text=""):
    with httpx2.Client(timeout=60) as client:
        return client.post(CONTROL + path, content=text).raise_for_status().text


class Memory:
    """The tokens and the registration of this client."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


class User:
    """Follows the URL of an authorization request."""

    visits = 0

    async def redirect(self, url):
        self.visits += 1
        query = parse_qs(urlsplit(control("/visit", url)).query)
        self.result = AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})

    async def callback(self):
        return self.result


def rest(token, expected):
    with httpx2.Client(timeout=60) as client:
        found = client.get(URL.replace("/mcp", "/api/notes"), headers={"authorization": f"Bearer {token}"})
    same("the same token on REST", found.status_code, expected)


async def main():
    memory, user = Memory(), User()
    metadata = OAuthClientMetadata(client_name="authorization.py", redirect_uris=[CALLBACK], token_endpoint_auth_method="none")
    provider = OAuthClientProvider(URL, metadata, memory, user.redirect, user.callback)
    async with httpx2.AsyncClient(auth=provider, timeout=60) as http, Client(streamable_http_client(URL, http_client=http)) as client:

        async def call(name, **arguments):
            return (await client.call_tool(name, arguments)).structured_content

        same("notes", (await call("list_notes"))["notes"], [])
        first = memory.tokens.access_token
        rest(first, 200)
        same("visits for the scope that reads", user.visits, 1)
        same("a note", (await call("add_note", text="python"))["text"], "python")
        same("visits for the scope that writes", user.visits, 2)
        control("/later")
        rest(memory.tokens.access_token, 401)
        # An hour has passed for this client too.
        provider.context.token_expiry_time = 1
        same("notes", (await call("list_notes"))["notes"], [])
        same("visits for a token that is refreshed", user.visits, 2)
        rest(memory.tokens.access_token, 200)


asyncio.run(main())
