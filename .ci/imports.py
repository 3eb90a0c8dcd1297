"""Imports documents of real APIs: which operations are left out, and what the import of a few of many costs."""

import json
import os
import pathlib
import subprocess
import sys
import tarfile
import time

# The package of npm, the file in it, how many operations it has, and those that cannot be imported, with a part of the
# reason.
DOCUMENTS = [
    ("@octokit/openapi@23.0.2", "generated/api.github.com.json", 1223, {}),
    ("@blockfrost/openapi@0.1.93", "openapi.yaml", 129, {}),
    ("@directus/specs@15.2.0", "dist/openapi.json", 136, {}),
]

# An allow-list of 40 operations of GitHub's document: the first of every thirtieth.
ALLOWED = 40
# What an import of so few may take, of an optimised build; one for debugging is given five times as long.
SECONDS, MEGABYTES = 1.0, 64.0


def fetch(folder, package, file):
    """The path of a file of a package of npm, which is unpacked alone: the whole package may be large."""
    name = package.rsplit("@", 1)[0].replace("@", "").replace("/", "-")
    path = folder / f"{name}.{file.rsplit('.', 1)[1]}"
    if not path.exists():
        packed = subprocess.run(
            ["npm", "pack", "--silent", package, "--pack-destination", folder],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()[-1]
        with tarfile.open(folder / packed) as archive:
            path.write_bytes(archive.extractfile(f"package/{file}").read())
        (folder / packed).unlink()
    return path


def check(binary, path, count, exceptions):
    """Compares what becomes of each operation with what is known."""
    table = subprocess.run([binary, "import", "check", path], check=True, capture_output=True, text=True).stdout
    lines = table.splitlines()
    left_out = [it for it in lines if it.startswith("left out")]
    summary = next(it for it in lines if " operations, " in it)
    for line in left_out:
        known = [reason for label, reason in exceptions.items() if f" {label}: " in line]
        assert known and known[0] in line, line
    assert len(left_out) == len(exceptions), left_out
    assert f": {count} operations, {count - len(exceptions)} imported" in summary, summary
    print(summary.split("`: ")[-1], "of", path.name)
    return [it.split()[0] for it in lines if not it.startswith("left out") and " operations, " not in it][:count]


def cost(binary, folder, path, names):
    """Time and memory of a start with an allow-list."""
    chosen = names[:: max(1, len(names) // ALLOWED)][:ALLOWED]
    imports = folder / "imports.json"
    imports.write_text(json.dumps({"imports": [{"file": path.name, "name": "api", "allow": chosen}]}))
    environment = {**os.environ, "BIFOLD_OPENAPI": str(imports)}
    began = time.monotonic()
    # The memory of this one child: that of all children together would be that of npm.
    with subprocess.Popen([binary, "list"], stdout=subprocess.PIPE, text=True, env=environment) as child:
        listed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, listed
    seconds, megabytes = time.monotonic() - began, usage.ru_maxrss / 1024
    found = [it for it in listed.splitlines() if "/api/api/" in it]
    assert len(found) == ALLOWED, listed
    print(f"{ALLOWED} operations of {path.name}: {seconds:.2f} s and {megabytes:.0f} MB, with the start of the program")
    return seconds, megabytes


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    checked = {}
    for package, file, count, exceptions in DOCUMENTS:
        path = fetch(folder, package, file)
        checked[path] = check(binary, path, count, exceptions)
    path, names = next(iter(checked.items()))
    seconds, megabytes = cost(binary, folder, path, names)
    is_debug = "debug" in pathlib.Path(binary).parts
    assert seconds < SECONDS * (5 if is_debug else 1), seconds
    assert megabytes < MEGABYTES + (40 if is_debug else 0), megabytes


main()
