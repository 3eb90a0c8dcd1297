"""Proves with the official conformance suite that `examples/everything.rs` speaks MCP, in both protocol eras."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

suite, url, out = sys.argv[1:]

# A requirement set runs these too, but leaves them out of its verdict, because the suite's own server can not pass them.
UNSCORED = {
    "2026-07-28": ["json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"],
    "2025-11-25": ["json-schema-2020-12", "server-session-lifecycle"],
}


def run(revision, name, *options):
    """One run of the suite. Prints its closing lines, and what it found when the verdict is bad."""
    results = pathlib.Path(out, revision, name)
    shutil.rmtree(results, ignore_errors=True)
    expected = pathlib.Path(__file__).with_name(f"conformance-expected-failures-{revision}.yml")
    command = ["node", suite, "server", "--url", url, "--expected-failures", expected, "-o", results, *options]
    ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    text = re.sub(r"\x1b\[\d*m", "", ran.stdout)
    closing = re.findall(r"^(?:Total:|Passed:|Baseline|Unexpected failures detected).*", text, re.MULTILINE)
    print(f"{revision} {name}: {'; '.join(closing)}")
    # A scenario that does not apply to the revision is skipped with a good exit code.
    if ran.returncode == 0 and closing and closing[0].startswith(("Total:", "Passed:")):
        return True
    print(text[-6000:])
    unexpected = text[text.find("Unexpected failures (") :]
    for report in sorted(results.glob("*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", report.parent.name)
        for check in json.loads(report.read_text()):
            if scenario in unexpected and check["status"] in ("FAILURE", "WARNING"):
                print(f"{scenario}: {check['id']}: {check['status']}: {check.get('errorMessage')}")
    return False


good = True
for revision, scenarios in UNSCORED.items():
    good &= run(revision, "requirements", "--requirements", revision)
    for scenario in scenarios:
        good &= run(revision, scenario, "--scenario", scenario, "--spec-version", revision)
sys.exit(not good)
