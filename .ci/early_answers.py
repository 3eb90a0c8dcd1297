"""Checks that clients see a response that is sent before their body was read: requests, urllib, aiohttp, Node's fetch."""

import asyncio
import subprocess
import sys
import urllib.error
import urllib.request

import aiohttp
import requests

base, fetch = sys.argv[1:]

TIMES = 10
MEGABYTES = [1, 3, 6, 10]
EXPECTED = {"/mcp": 413, "/api/get_registry_summary": 413, "/api/nothing": 404, "/health": 405}
JSON = {"content-type": "application/json"}


def by_requests(url, body):
    return requests.post(url, data=body, headers=JSON, timeout=30).status_code


def by_urllib(url, body):
    request = urllib.request.Request(url, data=body, headers=JSON, method="POST")
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


async def by_aiohttp(session, url, body):
    async with session.post(url, data=body, headers=JSON) as response:
        await response.read()
        return response.status


async def main():
    wrong = []
    async with aiohttp.ClientSession() as session:
        for path, expected in EXPECTED.items():
            for megabytes in MEGABYTES:
                body, url = b" " * ((megabytes << 20) + 1), base + path
                for _ in range(TIMES):
                    for name, send in [("requests", by_requests), ("urllib", by_urllib)]:
                        try:
                            status = await asyncio.to_thread(send, url, body)
                        except OSError as error:
                            status = repr(error)
                        if status != expected:
                            wrong.append((name, path, megabytes, status))
                    try:
                        status = await by_aiohttp(session, url, body)
                    except (OSError, aiohttp.ClientError) as error:
                        status = repr(error)
                    if status != expected:
                        wrong.append(("aiohttp", path, megabytes, status))
    for case in wrong[:20]:
        print(*case)
    if wrong:
        sys.exit(f"{len(wrong)} responses were not seen")
    number = len(EXPECTED) * len(MEGABYTES) * TIMES
    print(f"requests, urllib, aiohttp: {number} answers each")


asyncio.run(main())
sys.exit(subprocess.run(["node", fetch, base], check=False).returncode)
