"""Checks the OpenAPI document with Python: a client generated from it calls the server, and openapi-core validates real requests and responses."""

import importlib
import json
import sys

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

document_path, folder = sys.argv[1:]
sys.path.insert(0, folder)

WALLET = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"

with open(document_path) as file:
    document = json.load(file)
base = document["servers"][0]["url"]


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def generated(group, name):
    return importlib.import_module(f"python_client.api.{group}.{name}")


def model(name):
    return getattr(importlib.import_module("python_client.models"), name)


client = importlib.import_module("python_client").Client(base_url=base, raise_on_unexpected_status=True)
account = generated("account", "fetch_account_info").sync(client=client, wallet_address=WALLET)
same("GET with a path", account.account_type, "Continuous Vesting Account")
body = model("FetchAccountInfoPostBody")(wallet_address=WALLET)
posted = generated("account", "fetch_account_info_post").sync(client=client, body=body)
same("POST with a body", posted.to_dict(), account.to_dict())
price = generated("market", "fetch_last_crypto_token_price")
price = price.sync(client=client, token_pair="HASH-USD", last_number_of_trades=2)
same("GET with a query", len(price.to_dict()["trades"]), 2)
refused = generated("account", "fetch_account_info").sync_detailed(client=client, wallet_address="pb1")
same("a problem", (refused.status_code, refused.parsed.field), (400, "wallet_address"))

config = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
openapi = OpenAPI.from_dict(document, config=config)
session = requests.Session()
calls = 0
for method, path, arguments in [
    ("GET", f"/api/account_info/{WALLET}", {}),
    ("GET", "/api/account_info/pb1", {}),
    ("GET", "/api/crypto_token_price", {"params": {"token_pair": "HASH-USD", "last_number_of_trades": 2}}),
    ("GET", "/api/registry_summary", {}),
    ("POST", "/api/fetch_account_info", {"json": {"wallet_address": WALLET}}),
    ("POST", "/api/batch", {"json": {"calls": [{"name": "get_registry_summary"}]}}),
]:
    request = session.prepare_request(requests.Request(method, base + path, **arguments))
    response = session.send(request)
    described = RequestsOpenAPIRequest(requests.Request(method, base + path, **arguments))
    if response.ok:
        openapi.validate_request(described)
    openapi.validate_response(described, RequestsOpenAPIResponse(response))
    calls += 1
print(f"python: a generated client called 4 operations, and openapi-core found {calls} exchanges as described")
