"""Proves on the platform's own emulator, and under cargo lambda watch, that the binary is a Lambda function.

The emulator shows the bytes that the platform gets and kills what is late; cargo lambda watch shows streams live.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time

emulator, cargo_lambda, bifold, unruly = sys.argv[1:]
events = pathlib.Path("tests/it/events")
logs = pathlib.Path("target/ci")
STREAMED = {"BIFOLD_INVOKE_MODE": "response_stream"}
REPLAYED = {"BIFOLD_REPLAY": "true"}


def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def check(what, holds, shown=""):
    if not holds:
        sys.exit(f"lambda: failed: {what}\n{shown}")


def event(name, **fields):
    return json.loads((events / f"{name}.json").read_text()) | fields


def call(name, **meta):
    """A call over MCP of a function without arguments, as clients of the earlier revisions send it."""
    request = event("function_url_mcp")
    request["headers"] = {k: v for k, v in request["headers"].items() if not k.startswith("mcp-")}
    params = {"name": name, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return request | {"body": json.dumps(message)}


def get(path):
    return event("function_url_rest", rawPath=path, rawQueryString="", queryStringParameters={})


@contextlib.contextmanager
def running(command, log, **environment):
    """A program with its own process group, so that its child processes end with it."""
    names = ("BIFOLD_", "AWS_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    with open(logs / log, "w") as out:
        process = subprocess.Popen(
            command, env=inherited | environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Emulator:
    """The platform's emulator with one function."""

    def __init__(self, function, timeout, **environment):
        self.port = port()
        self.log = f"emulator-{pathlib.Path(function).name}.log"
        command = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{port()}", function]
        self.run = running(
            command, self.log, AWS_LAMBDA_FUNCTION_TIMEOUT=str(timeout), **environment
        )

    def __enter__(self):
        self.process = self.run.__enter__()
        for _ in range(600):
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            time.sleep(0.1)
        sys.exit("lambda: the emulator does not start")

    def __exit__(self, *failure):
        return self.run.__exit__(*failure)

    def invoke(self, event):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        path = "/2015-03-31/functions/function/invocations"
        connection.request("POST", path, json.dumps(event))
        return connection.getresponse().read()

    def streamed(self, event):
        answer = self.invoke(event)
        head, delimiter, body = answer.partition(bytes(8))
        check("the response of a streaming URL is a head, eight zero bytes and a body", delimiter, answer)
        return json.loads(head), body.decode()

    def ended(self):
        """Stops the emulator as the platform stops a function, and returns the function's log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        return (logs / self.log).read_text()


def whole_and_streamed():
    with Emulator(bifold, 30, **STREAMED, **REPLAYED) as platform:
        document = json.loads(platform.invoke(event("http_api_v2")))
        check("other integrations get a document", document["statusCode"] == 200, document)
        head, body = platform.streamed(event("function_url_rest"))
        check("REST is answered", head["statusCode"] == 200 and json.loads(body)["last_price"], head)
        head, body = platform.streamed(event("function_url_mcp"))
        check("MCP is answered", json.loads(body)["result"]["isError"] is False, body)
        head, body = platform.streamed(call("fetch_market_overview_summary", progressToken=1))
        check("progress is reported", body.count("event: message") == 7, body)
        error = json.loads(platform.invoke({"Records": []}))
        check("an unknown event is an error", error["errorType"] == "UnknownEvent", error)
        took = []
        for _ in range(200):
            since = time.perf_counter()
            platform.invoke(get("/health"))
            took.append((time.perf_counter() - since) * 1000)
        median = statistics.median(took)
        check("a short response of a streaming URL is not delayed", median < 10, f"{median} ms")
        log = platform.ended()
        check("the signal reaches the function", "stopping: " in log, log)
    print(f"emulator: whole, streamed, error, signal; a plain answer on a streaming URL takes {median:.1f} ms")


def misbehaviour():
    with Emulator(unruly, 3, **STREAMED) as platform:
        head, body = platform.streamed(get("/api/panics"))
        check("a panic is one failed call", head["statusCode"] == 500 and "secret" not in body, body)
        since = time.perf_counter()
        _, body = platform.streamed(call("hang", progressToken=1))
        took = time.perf_counter() - since
        check("a stream ends before its invocation", took < 3, f"{took} s")
        check("with an error of its protocol", "deadline_exceeded" in body and "hanging" in body, body)
        late = platform.invoke(get("/api/block"))
        check("a function that blocks is ended by the platform", b"timed out" in late, late)
        head, _ = platform.streamed(get("/health"))
        check("and is started again", head["statusCode"] == 200, head)
    print("emulator: panic, deadline, time-out, new start")


# Asks twice for an invocation before it answers.
TWICE = """#!/usr/bin/env python3
import http.client, os

def ask(method, path, body=None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = connection.getresponse()
    answer.read()
    return answer.headers["lambda-runtime-aws-request-id"]

while True:
    first, second = ask("GET", "next"), ask("GET", "next")
    ask("POST", second + "/response", "true" if first == second else "false")
"""


def again():
    """The platform delivers an invocation until it is answered: what the loop cannot read is taken again."""
    function = logs / "twice"
    function.write_text(TWICE)
    function.chmod(0o755)
    with Emulator(str(function.resolve()), 5) as platform:
        for _ in range(2):
            answer = platform.invoke({})
            check("an invocation is delivered again until it is answered", answer == b"true", answer)
    print("emulator: an invocation that was not answered is delivered again")


def live():
    address = port()
    command = [cargo_lambda, "lambda", "watch", "--bin", "bifold", "--ignore-changes"]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(address)]
    faults = {"BIFOLD_REPLAY_FAULTS": "explorer=delay:1000"}
    with running(command, "watch.log", **STREAMED, **REPLAYED, **faults):
        request = call("fetch_market_overview_summary", progressToken=1)
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        for _ in range(600):
            connection = http.client.HTTPConnection("127.0.0.1", address, timeout=300)
            with contextlib.suppress(ConnectionRefusedError):
                connection.request("POST", "/mcp", request["body"], headers)
                break
            time.sleep(0.1)
        answer, times, body = connection.getresponse(), [], b""
        while piece := answer.read1():
            times.append(time.perf_counter())
            body += piece
        check("the whole stream arrives", body.count(b"event: message") == 7, body)
        took = times[-1] - times[0]
        check("and each chunk arrives when it is produced", took > 0.5, f"{took} s")
        path = events / "function_url_rest.json"
        command = [cargo_lambda, "lambda", "invoke", "bifold", "--data-file", path]
        command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(address)]
        command = [str(part) for part in command]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        check("an event can be sent by hand", "HASH-USD" in answer.stdout, answer)
    print(f"cargo lambda watch: the first event {took:.1f} s before the last")


def notes():
    """An application of its own, over both protocols."""
    address = port()
    command = [cargo_lambda, "lambda", "watch", "--example", "notes", "--ignore-changes"]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(address)]
    with running(command, "notes.log", NOTES_DATABASE=":memory:", BIFOLD_INVOKE_MODE="buffered"):

        def send(method, path, body=None):
            connection = http.client.HTTPConnection("127.0.0.1", address, timeout=300)
            headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

        for _ in range(600):
            with contextlib.suppress(ConnectionRefusedError):
                created = send("POST", "/api/notes", {"text": "buy milk"})
                break
            time.sleep(0.1)
        check("a note is created", created[0] == 201, created)
        params = {"name": "list_notes", "arguments": {}}
        listed = send("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        check("and listed over MCP", b"buy milk" in listed[1], listed)
        deleted = send("DELETE", "/api/notes/1")
        check("and deleted", deleted == (204, b""), deleted)
    print("cargo lambda watch: the notes of examples/notes.rs")


# A SIGTERM to this program also ends the programs that it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("lambda: terminated"))
whole_and_streamed()
misbehaviour()
again()
live()
notes()
