"""A Runtime API of Lambda, and the functions that it runs."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A token of an issuer, and its public key.
TOKEN = json.loads((pathlib.Path(__file__).parent / "token.json").read_text())

STATS = {
    "source": "upstream",
    "count": 0,
    "items": [
        {"id": id, "name": f"series-{id:03}", "value": id * 37 % 1000 + id * 13 % 100 / 100, "unit": "count", "valid": True}
        for id in range(1, 29)
    ],
}


class Platform:
    """The API, and on the same port an upstream, whose `/stats` is about 2 KB of JSON, and the keys of an issuer."""

    def __init__(self):
        self.events, self.polled, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        handler = type("Handler", (Handler,), {"platform": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, command, **variables):
        """Starts a function, and waits until it asks for its first invocation."""
        function = {f"AWS_LAMBDA_FUNCTION_{name}": "1" for name in ("NAME", "MEMORY_SIZE", "VERSION")}
        own = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": self.address}
        process = subprocess.Popen(command, env=own | function | variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.await_poll(process)
        return process

    def await_poll(self, process):
        while process.poll() is None:
            try:
                return self.polled.get(timeout=1)
            except queue.Empty:
                pass
        raise SystemExit(f"{process.args}: {process.stderr.read().decode()}")

    def invoke(self, process, event, expected=b""):
        """Gives the function an event; returns the seconds until its response was complete."""
        since = time.perf_counter()
        self.events.put(event)
        body = self.answers.get(timeout=60)
        took = time.perf_counter() - since
        if expected not in body:
            raise SystemExit(f"{process.args}: {body.decode()}")
        self.await_poll(process)
        return took

    def stop(self, process):
        """Ends the function as the platform does, and the API with it."""
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        self.server.shutdown()


class Handler(BaseHTTPRequestHandler):
    platform: Platform
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A response leaves in one write, so that what a function reads is the same every time.
    wbufsize = -1

    def do_GET(self):
        if self.path.endswith("/invocation/next"):
            self.platform.polled.put(None)
            fields = {
                "lambda-runtime-aws-request-id": "00000000-0000-4000-8000-000000000000",
                "lambda-runtime-deadline-ms": str(int((time.time() + 60) * 1000)),
                "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-west-2:123456789012:function:1",
            }
            self.answer(200, self.platform.events.get(), fields)
        elif self.path == "/keys":
            self.answer(200, json.dumps(TOKEN["keys"]).encode(), {"content-type": "application/json"})
        elif self.path == "/stats":
            self.answer(200, json.dumps(STATS, separators=(",", ":")).encode(), {"content-type": "application/json"})
        else:
            # The next event of an extension, which never comes.
            threading.Event().wait()

    def do_POST(self):
        body = self.body()
        if "/extension/" in self.path:
            return self.answer(200, b"{}", {"lambda-extension-identifier": "1"})
        self.answer(202, b"", {})
        self.platform.answers.put(body)

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def answer(self, status, body, fields):
        try:
            self.send_response_only(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            # The function has ended.
            self.close_connection = True

    def log_message(self, *_):
        pass


def event(method, path, query="", body=None, headers=None):
    """An event of a Function URL."""
    host = "lab0000000000000.lambda-url.us-east-1.on.aws"
    described = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": host,
            "accept-encoding": "gzip, deflate, br",
            "user-agent": "lab/1",
            "x-amzn-tls-version": "TLSv1.3",
            "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
            "x-amzn-trace-id": "Root=1-00000000-000000000000000000000001",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        }
        | (headers or {}),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "lab0000000000000",
            "domainName": host,
            "domainPrefix": "lab0000000000000",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "lab/1"},
            "requestId": "00000000-0000-4000-8000-000000000000",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1795219200000,
        },
        "isBase64Encoded": False,
    }
    if query:
        described["queryStringParameters"] = dict(pair.split("=") for pair in query.split("&"))
    if body is not None:
        described["headers"]["content-length"] = str(len(body))
        described["body"] = body
    return json.dumps(described, separators=(",", ":")).encode()


def message(method, params, headers=None):
    """An event with a message of MCP."""
    own = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":"))
    return event("POST", "/mcp", body=body, headers=own | (headers or {}))
