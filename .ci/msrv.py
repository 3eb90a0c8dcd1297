"""Checks that no dependency that users compile needs a newer Rust than the package's `rust-version`.

`cargo metadata --format-version 1 --all-features --locked | python3 .ci/msrv.py`
"""

import json
import sys


def version(text):
    return tuple(int(part) for part in (text + ".0").split(".")[:3])


metadata = json.load(sys.stdin)
packages = {it["id"]: it for it in metadata["packages"]}
nodes = {it["id"]: it for it in metadata["resolve"]["nodes"]}
own = packages[metadata["resolve"]["root"]]
promised = version(own["rust_version"])

# Users do not compile the tests and benches.
seen, waiting = set(), [own["id"]]
while waiting:
    package = waiting.pop()
    if package in seen:
        continue
    seen.add(package)
    for dependency in nodes[package]["deps"]:
        if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
            waiting.append(dependency["pkg"])

newer = [
    f"{it['name']} {it['version']} needs Rust {it['rust_version']}"
    for it in (packages[id] for id in sorted(seen))
    if it["rust_version"] and version(it["rust_version"]) > promised
]
if newer:
    sys.exit("\n".join([f"`rust-version` is {own['rust_version']}, but:", *newer]))
most = max((packages[id]["rust_version"] or "0" for id in seen), key=version)
print(f"{len(seen)} packages need Rust {most} at the most; {own['rust_version']} is promised")
