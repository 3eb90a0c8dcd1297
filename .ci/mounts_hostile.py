"""Mounts five servers that do everything wrong and one that does not, for a number of seconds.

Every list must come, every call of the good server must succeed, every call of a bad one must end, and the memory, the
descriptors and the children of the process must stay as they are after the first third of the time. The time of the
slowest list is printed; only one that waits for a server that hangs fails the check.
"""

import http.client
import http.server
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

LIES = ["truth", "wrong_id", "huge", "flood", "deep", "garbage", "nothing", "both", "exit"]
LISTINGS = 0


def tools(number):
    """Another list for each call, some of it impossible."""
    names = LIES + [f"new{number}", "x" * 300, "a b"]
    schemas = [{"type": "object"}, {"type": "string"}, None]
    return [{"name": name, "inputSchema": {"type": "object"}} for name in names] + [
        {"name": f"schema{index}", "inputSchema": schema} for index, schema in enumerate(schemas)
    ]


def lie(name, number):
    """The parts of what a server says to a call."""
    result = json.dumps({"jsonrpc": "2.0", "id": number, "result": {"content": [{"type": "text", "text": "x"}]}})
    if name == "wrong_id":
        yield result.replace(f'"id": {number}', '"id": 987654')
    elif name == "huge":
        yield f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":"'
        for _ in range(100):
            yield "x" * 1_000_000
        yield '"}}'
    elif name == "flood":
        said = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": number, "progress": 1}}
        changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        for _ in range(1000):
            yield json.dumps(said) + "\n" + json.dumps(changed) + "\n"
        yield result
    elif name == "deep":
        yield f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":' + "[" * 100_000 + "]" * 100_000 + "}}"
    elif name == "garbage":
        yield "what?"
    elif name == "both":
        yield result[:-1] + ', "error": {"code": 1, "message": "no"}}'
    elif name != "nothing":
        yield result


def answer(message, number):
    """The result of anything but a call."""
    if message["method"] == "initialize":
        return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "liar", "version": "1"}}
    if message["method"] == "tools/list":
        return {"tools": tools(number), "nextCursor": str(number)}
    return None


def stdio():
    """A bad server on standard input and output."""
    for number, line in enumerate(sys.stdin):
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        known = answer(message, number)
        if known is not None:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": known}), flush=True)
        elif message["method"] == "tools/call":
            name = message["params"]["name"]
            if name == "exit":
                sys.exit(3)
            for part in lie(name, message["id"]):
                sys.stdout.write(part)
            print(flush=True)
        else:
            refusal = {"code": -32601, "message": "no such method"}
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": refusal}), flush=True)


class Liar(http.server.BaseHTTPRequestHandler):
    """A bad server over HTTP."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, body, status=200):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        """Says without an end that the list has changed."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        changed = b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'
        try:
            while True:
                self.wfile.write(changed * 100)
                time.sleep(0.01)
        except OSError:
            self.close_connection = True

    def do_POST(self):
        global LISTINGS
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "id" not in message or "method" not in message:
            return self.send(b"", 202)
        LISTINGS += message["method"] == "tools/list"
        known = answer(message, LISTINGS)
        if known is not None:
            return self.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": known}).encode())
        if message["method"] != "tools/call":
            refusal = {"code": -32601, "message": "no such method"}
            return self.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": refusal}).encode())
        is_stream = random.random() < 0.5
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if is_stream else "application/json")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            if is_stream:
                self.wfile.write(b"data: ")
            for part in lie(message["params"]["name"], message["id"]):
                self.wfile.write(part.replace("\n", "\n\ndata: ").encode() if is_stream else part.encode())
            self.wfile.write(b"\n\n")
        except OSError:
            pass


class Bifold:
    """A process of bifold on a free port."""

    def __init__(self, binary, settings):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [binary, "serve", "--replay", "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.ask("GET", "/health")
                return
            except OSError:
                time.sleep(0.05)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"content-type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, said

    def holds(self):
        """The memory in KiB, the descriptors and the children of the process."""
        folder = f"/proc/{self.process.pid}"
        with open(f"{folder}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        children = 0
        for task in os.listdir(f"{folder}/task"):
            with open(f"{folder}/task/{task}/children") as all_of_task:
                children += len(all_of_task.read().split())
        return memory, len(os.listdir(f"{folder}/fd")), children


def main(binary, seconds):
    liar = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    liar.daemon_threads = True
    threading.Thread(target=liar.serve_forever, daemon=True).start()
    hung = socket.create_server(("127.0.0.1", 0), backlog=1000)
    good = Bifold(binary, {"BIFOLD_LOG": "error"})
    entries = {
        "hung": {"url": f"http://127.0.0.1:{hung.getsockname()[1]}/mcp"},
        "crashing": {"command": "false"},
        "refusing": {"url": "http://127.0.0.1:1/mcp"},
        "lying": {"url": f"http://127.0.0.1:{liar.server_address[1]}/mcp"},
        "stdio": {"command": sys.executable, "args": [os.path.abspath(__file__), "stdio"]},
        "good": {"url": f"http://127.0.0.1:{good.port}/mcp"},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"mcpServers": entries}, file)
        file.flush()
        settings = {"BIFOLD_MCP_SERVERS": file.name, "BIFOLD_CALL_TIMEOUT_MS": "500", "BIFOLD_SEARCH_ABOVE": "0", "BIFOLD_LOG": "error"}
        gateway = Bifold(binary, settings)
        try:
            run(gateway, seconds)
        finally:
            gateway.process.terminate()
            good.process.terminate()
            if gateway.process.wait(30) != 0:
                sys.exit("it has not ended in good order")


def run(gateway, seconds):
    listing = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    version = {"mcp-protocol-version": "2025-11-25"}
    rounds, slowest, kinds, samples = 0, 0.0, {}, []
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        since = time.monotonic()
        status, listed = gateway.ask("POST", "/mcp", listing, version)
        # The first list waits for the server that hangs.
        slowest = max(slowest, time.monotonic() - since)
        if status != 200 or b"tools" not in listed:
            sys.exit(f"list: {status} {listed[:300]}")
        status, said = gateway.ask("POST", "/api/good/get_registry_summary", "{}")
        if status != 200 and rounds > 0:
            sys.exit(f"the good server: {status} {said[:300]}")
        mount = random.choice(["lying", "stdio"])
        name = random.choice(LIES)
        status, said = gateway.ask("POST", f"/api/{mount}/{name}", "{}")
        kind = "ok" if status == 200 else json.loads(said).get("type", "").rpartition(":")[2]
        kinds[kind] = kinds.get(kind, 0) + 1
        rounds += 1
        samples.append((time.monotonic() - begin, gateway.holds()))
    early = [held for at, held in samples if at < seconds / 3]
    late = [held for at, held in samples if at >= seconds / 3]
    first, last = (max(held[0] for held in part) / 1024 for part in (early, late))
    descriptors = [max(held[1] for held in part) for part in (early, late)]
    children = max(held[2] for _, held in samples)
    print(f"{rounds} rounds with hostile servers in {seconds} s; {LISTINGS} lists of the lying one; the slowest list {slowest:.2f} s")
    print(f"most memory {first:.1f} MB, then {last:.1f} MB; most descriptors {descriptors[0]}, then {descriptors[1]}; at most {children} children")
    print("calls:", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    # Messages of 8 MB are held for a moment, and not all of that goes back to the system at once.
    if last > first + 64:
        sys.exit("the memory grows")
    if descriptors[1] > descriptors[0] + 8 or children > 3:
        sys.exit("descriptors or children are left behind")
    if slowest > 10:
        sys.exit("a list waits for a server that hangs")


if sys.argv[1] == "stdio":
    stdio()
else:
    main(sys.argv[1], float(sys.argv[2]))
