"""Compares a start with that of a minimal function, and a streamed response with a buffered one.

Each time is a ratio of two minima over many interleaved runs, so that whatever else the machine does counts little.
Where Valgrind is there, it counts the instructions of a start too.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

bifold, minimal = sys.argv[1:]
STARTS, INVOCATIONS = 40, 1000
LARGEST_START, LARGEST_WORK, LARGEST_STREAM, LARGEST_BINARY = 1.3, 1.5, 1.3, 8 << 20


class Platform:
    """A minimal Runtime API: it serves one request after another, on any connection."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.connection = self.rest = None

    def environment(self, **own):
        function = {f"AWS_LAMBDA_FUNCTION_{name}": "1" for name in ("NAME", "MEMORY_SIZE", "VERSION")}
        api = f"127.0.0.1:{self.server.getsockname()[1]}"
        return {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": api} | function | own

    def request(self):
        """The first line of the next request, once the request is complete."""
        while True:
            if self.connection is None:
                self.connection, self.rest = self.server.accept()[0], b""
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if b"\r\n\r\n" in self.rest:
                break
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode().lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        if fields.get("transfer-encoding") == "chunked":
            while not self.rest.endswith(b"0\r\n\r\n"):
                self.more()
            self.rest = b""
        length = int(fields.get("content-length", 0))
        while len(self.rest) < length:
            self.more()
        self.rest = self.rest[length:]
        return head.split(b"\r\n")[0].decode()

    def more(self):
        piece = self.connection.recv(65536)
        self.rest += piece
        if not piece:
            self.connection = None
            self.rest = b""

    def answer(self, status, body=b"", end=False, **fields):
        fields = {"content-length": len(body)} | fields | ({"connection": "close"} if end else {})
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""])
        self.connection.sendall(head.encode() + body)
        if end:
            self.connection = None

    def next(self):
        """Registers the function's extension, and waits until the function requests an invocation."""
        while "/invocation/next" not in self.request():
            self.answer("200 OK", lambda_extension_identifier="1")

    def invoke(self, payload):
        deadline = int((time.time() + 30) * 1000)
        since = time.perf_counter()
        self.answer(
            "200 OK",
            payload,
            lambda_runtime_aws_request_id="1",
            lambda_runtime_deadline_ms=deadline,
            lambda_runtime_invoked_function_arn="arn:aws:lambda:us-west-2:123456789012:function:1",
        )
        self.request()
        took = time.perf_counter() - since
        self.answer("202 Accepted")
        self.next()
        return took


def start(function):
    platform = Platform()
    since = time.perf_counter()
    process = subprocess.Popen([function], env=platform.environment(), stdout=subprocess.DEVNULL)
    platform.next()
    took = time.perf_counter() - since
    process.kill()
    process.wait()
    return took * 1000


def instructions(function):
    """The instructions of a start in millions, which do not depend on the load of the machine."""
    platform = Platform()
    with tempfile.TemporaryDirectory() as folder:
        count = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", function]
        process = subprocess.Popen(
            count, env=platform.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        platform.next()
        subprocess.run(["callgrind_control", "--dump", str(process.pid)], capture_output=True, check=True)
        process.kill()
        process.wait()
        lines = pathlib.Path(f"{folder}/out.1").read_text().splitlines()
    totals = next(line for line in lines if line.startswith("totals:"))
    return int(totals.split()[1]) / 1e6


def answers(mode):
    event = json.loads(pathlib.Path("tests/it/events/function_url_rest.json").read_text())
    payload = json.dumps(event | {"rawPath": "/api/registry_summary", "rawQueryString": "", "queryStringParameters": {}}).encode()
    platform = Platform()
    environment = platform.environment(BIFOLD_INVOKE_MODE=mode, BIFOLD_LOG="warn")
    process = subprocess.Popen([bifold], env=environment, stdout=subprocess.DEVNULL)
    platform.next()
    took = sorted(platform.invoke(payload) for _ in range(INVOCATIONS))
    process.kill()
    process.wait()
    return took[len(took) // 2] * 1000


def compare(what, unit, ours, theirs, largest):
    ratio = ours / theirs
    print(f"{what}: {ours:.3f} {unit} beside {theirs:.3f}, ratio {ratio:.2f} (at most {largest})")
    return ratio <= largest


starts = [(start(bifold), start(minimal)) for _ in range(STARTS)]
streams = [(answers("response_stream"), answers("buffered")) for _ in range(5)]
size = os.path.getsize(bifold)
print(f"binary: {size} bytes (less than {LARGEST_BINARY})")
held = [
    compare("start", "ms", *map(min, zip(*starts)), LARGEST_START),
    compare("streamed", "ms", *map(min, zip(*streams)), LARGEST_STREAM),
    size < LARGEST_BINARY,
]
if shutil.which("valgrind"):
    counts = map(instructions, (bifold, minimal))
    held.append(compare("start", "million instructions", *counts, LARGEST_WORK))
sys.exit(not all(held))
