"""Counts the instructions of a start and of calls, and compares them, the size of the binary and the number of packages with
the limits in `.ci/speed.toml`. Instructions hardly depend on what else the machine does, as times would.

The start of the bundled server is compared with that of two functions: what is registered must not be paid for at start.

An authorized call is compared with an open one, by instructions too: its token is verified once, and then remembered.

A streamed response is compared with a buffered one by time: the defect that this finds makes it a hundred times slower.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import tomllib

from platform_api import TOKEN, Platform, event, message

LIMITS = pathlib.Path(".ci/speed.toml")
# The room above what was measured: another processor, or another compiler, counts a little differently.
ROOM = 1.04
WARM, FEW, MANY = 10, 10, 110
LARGEST_STREAM = 1.3
LARGEST_AUTHORIZED = 1.15

CALLS = {
    "MCP echo": (message("tools/call", {"name": "echo", "arguments": {"text": "hello lambda"}}), b"hello lambda"),
    "MCP fetch": (message("tools/call", {"name": "fetch_stats", "arguments": {}}), b"series-001"),
    "tools/list": (message("tools/list", {}), b"inputSchema"),
    "REST echo": (event("GET", "/api/echo", "text=hello%20lambda"), b"hello lambda"),
    "REST fetch": (event("GET", "/api/fetch_stats"), b"series-001"),
}

BEARER = {"authorization": f"Bearer {TOKEN['token']}"}
AUTHORIZED = {
    "MCP echo": message("tools/call", {"name": "echo", "arguments": {"text": "hello lambda"}}, BEARER),
    "REST echo": event("GET", "/api/echo", "text=hello%20lambda", headers=BEARER),
}


def guarded(platform):
    """The settings of a function that takes this token."""
    return {
        "BIFOLD_AUTH_ISSUER": "https://issuer.example",
        "BIFOLD_AUTH_JWKS_URL": f"http://{platform.address}/keys",
        "BIFOLD_PUBLIC_URL": "https://lab.example",
    }


def instructions(function, calls=0, payload=b"", expected=b"", settings=lambda _: {}):
    """The instructions of a process that starts, answers so many calls and is stopped."""
    platform = Platform()
    with tempfile.TemporaryDirectory() as folder:
        counted = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", function]
        own = {"BIFOLD_INVOKE_MODE": "buffered", "LAB_UPSTREAM": f"http://{platform.address}"}
        process = platform.run(counted, **own, **settings(platform))
        for _ in range(calls):
            platform.invoke(process, payload, expected)
        platform.stop(process)
        total = re.search(r"^(?:summary|totals): (\d+)", pathlib.Path(f"{folder}/out").read_text(), re.M)
    return int(total[1])


def of_call(function, payload, expected, settings=lambda _: {}):
    """The instructions of one call, once everything that is made at the first one is there."""
    few, many = (instructions(function, WARM + calls, payload, expected, settings) for calls in (FEW, MANY))
    return round((many - few) / (MANY - FEW))


def packages():
    """The packages in the binary that is deployed."""
    command = ["cargo", "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--locked"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return len({line.removesuffix(" (*)") for line in lines if line})


def stream_ratio(function):
    """How much longer a streamed response takes than a buffered one: minima of medians, in turn."""
    payload = event("GET", "/api/echo", "text=hello%20lambda")
    took = {"response_stream": [], "buffered": []}
    for _ in range(5):
        for mode, medians in took.items():
            platform = Platform()
            process = platform.run([function], BIFOLD_INVOKE_MODE=mode, BIFOLD_LOG="warn")
            medians.append(statistics.median(platform.invoke(process, payload, b"hello lambda") for _ in range(200)))
            platform.stop(process)
    return min(took["response_stream"]) / min(took["buffered"])


def measure(bifold, lab):
    cold = instructions(lab)
    measured = {"two functions": {"start": cold}}
    for name, (payload, expected) in CALLS.items():
        measured["two functions"][name] = of_call(lab, payload, expected)
    start = instructions(bifold)
    measured["bundled"] = {
        "start": start,
        # What a client waits for that connects to a cold function: the schemas of all functions are made.
        "first tools/list": instructions(bifold, 1, *CALLS["tools/list"]) - start,
        "bytes": os.path.getsize(bifold),
        "packages": packages(),
    }
    return measured


def main():
    measured = measure(*sys.argv[1:])
    if os.environ.get("UPDATE"):
        text = LIMITS.read_text().partition("\n[")[0]
        for table, values in measured.items():
            text += f"\n[{json.dumps(table)}]\n"
            for name, value in values.items():
                room = 1 if name == "packages" else ROOM
                text += f"{json.dumps(name)} = {round(value * room):_}\n"
        LIMITS.write_text(text)
    limits = tomllib.loads(LIMITS.read_text())
    failed = []
    for table, values in measured.items():
        for name, value in values.items():
            limit = limits[table][name]
            print(f"{table}, {name}: {value:,} (at most {limit:,})")
            if value > limit:
                failed.append(f"{table}, {name}")
    ratio = measured["bundled"]["start"] / measured["two functions"]["start"]
    print(f"bundled, start, compared with two functions: {ratio:.3f} (at most {limits['bundled_start']})")
    if ratio > limits["bundled_start"]:
        failed.append("bundled, start, compared with two functions")
    for name, payload in AUTHORIZED.items():
        ratio = of_call(sys.argv[2], payload, b"hello lambda", guarded) / measured["two functions"][name]
        print(f"{name} with a token, compared with one without: {ratio:.3f} (at most {LARGEST_AUTHORIZED})")
        if ratio > LARGEST_AUTHORIZED:
            failed.append(f"{name} with a token")
    ratio = stream_ratio(sys.argv[2])
    print(f"streamed, compared with buffered: {ratio:.2f} (at most {LARGEST_STREAM})")
    if ratio > LARGEST_STREAM:
        failed.append("streamed")
    if failed:
        sys.exit("above the limit: " + "; ".join(failed))


main()
