"""Runs the official conformance suite against `examples/everything`, in both protocol eras."""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

suite, url, out, *mounted = sys.argv[1:]

# The number of scenarios of each leg: those that the suite scores, and those that it runs without scoring. Both must pass.
# The numbers are fixed because a scenario that is no longer run would go unnoticed.
LEGS = {
    "requirements of 2026-07-28": (("--requirements", "2026-07-28"), 37, 13),
    "requirements of 2025-11-25": (("--requirements", "2025-11-25"), 30, 3),
    "everything at 2026-07-28": (("--suite", "all", "--spec-version", "2026-07-28"), 40, 0),
}

# The suite warns about a server without sessions, which the specification allows. It also sends answers, without a request
# state, to a question that was never asked, and wants the call to complete: this server ignores them, and asks.
WARNINGS = {"server-sse-multiple-streams-session", "server-sse-polling-session", "sep-2322-ignore-unexpected-params"}

# Every other scenario must have a check that passes. The first three of these check only sessions, and the suite always
# skips the last one.
NOTHING_TO_PASS = {
    "2025-11-25": {"server-session-lifecycle", "server-sse-multiple-streams", "server-sse-polling"},
    "2026-07-28": {"tasks-status-notifications"},
}


# Behind a mount exactly these scenarios fail. The text says what the mount does not pass on.
TASKS = "a mounted server is never asked to run a call as a task: its task could not be found again from here"
SUBSCRIPTIONS = "subscriptions to documents are not offered: each client would need a stream of its own to each server"
NOT_PASSED_ON = {
    "resources-subscribe": SUBSCRIPTIONS,
    "resources-unsubscribe": SUBSCRIPTIONS,
    "tasks-capability-negotiation": TASKS,
    "tasks-dispatch-and-envelope": TASKS,
    "tasks-lifecycle": TASKS,
    "tasks-mrtr-composition": TASKS,
    "tasks-mrtr-input": TASKS,
    "tasks-request-headers": TASKS,
    "tasks-request-state-removal": TASKS,
    "tasks-wire-fields": TASKS,
}

# A mount hears of a change of a list and reads that list before it tells its own clients, for which the suite does not wait.
LATE = {f"sep-2575-server-sends-{it}-list-changed-on-subscription" for it in ("tools", "prompts")}


def is_passed_on(scenario):
    """Whether the scenario is expected of this server."""
    return not mounted or scenario not in NOT_PASSED_ON


def scenario_of(report):
    """The scenario whose report this is."""
    return re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", report.parent.name)


def run(name, options, scored, unscored):
    """Runs one leg, and prints its numbers and its failures."""
    results = pathlib.Path(out, name.replace(" ", "-"))
    shutil.rmtree(results, ignore_errors=True)
    command = ["node", suite, "server", "--url", url, "-o", results, *options]
    ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    text = re.sub(r"\x1b\[\d*m", "", ran.stdout)

    wrong = []
    figures = collections.Counter()
    reports = sorted(results.glob("*/checks.json"))
    for report in reports:
        scenario = scenario_of(report)
        checks = json.loads(report.read_text())
        figures.update(check["status"] for check in checks)
        for check in checks:
            status, warned = check["status"], check["id"] in (WARNINGS | LATE if mounted else WARNINGS)
            if is_passed_on(scenario) and (status == "FAILURE" or (status == "WARNING" and not warned)):
                wrong.append(f"{scenario}: {check['id']}: {status}: {check.get('errorMessage') or check.get('details')}")
        if not is_passed_on(scenario) and not any(check["status"] == "FAILURE" for check in checks):
            wrong.append(f"{scenario}: passes now: take it out of the list of what is not passed on")
        if is_passed_on(scenario) and not any(check["status"] == "SUCCESS" for check in checks) and scenario not in NOTHING_TO_PASS[options[-1]]:
            wrong.append(f"{scenario}: no check passed")

    apart = re.search(r"^Not scored for .*: (\d+) scenario", text, re.MULTILINE)
    apart = int(apart[1]) if apart else 0
    if (len(reports) - apart, apart) != (scored, unscored):
        wrong.append(f"ran {len(reports) - apart} scored and {apart} unscored scenarios, expected {scored} and {unscored}")
    if ran.returncode != 0 and not wrong and not mounted:
        wrong.append(text[-6000:])

    counts = ", ".join(f"{figures[status]} {status.lower()}" for status in ("SUCCESS", "FAILURE", "WARNING", "SKIPPED"))
    print(f"{name}: {len(reports) - apart} scored and {apart} unscored scenarios; checks: {counts}")
    for scenario in (it for it in map(scenario_of, reports) if not is_passed_on(it)):
        print(f"  not passed: {scenario}: {NOT_PASSED_ON[scenario]}")
    for line in wrong:
        print(f"  {line}")
    return not wrong


sys.exit(not all([run(name, *leg) for name, leg in LEGS.items()]))
