"""Compares a call through a mount with the direct call of the same tool by the same client.

The two are made in turns on connections that stay open, and the medians are compared, so that whatever else the machine does
counts little.
"""

import json
import socket
import statistics
import sys
import time
from urllib.parse import urlsplit

CALLS, WARM, ROUNDS, LARGEST = 1000, 200, 3, 1.2


class Connection:
    """A connection on which one prepared call is made again and again."""

    def __init__(self, url, tool, arguments):
        self.url = urlsplit(url)
        self.socket = socket.create_connection((self.url.hostname, self.url.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session = ""
        client = {"name": "mount_cost", "version": "1"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        answer = self.exchange(self.request("initialize", hello, 1))
        for line in answer.decode().split("\r\n"):
            if line.lower().startswith("mcp-session-id:"):
                self.session = line
        self.exchange(self.request("notifications/initialized", {}, None))
        self.call = self.request("tools/call", {"name": tool, "arguments": arguments}, 2)

    def request(self, method, params, number):
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if number else {})
        body = json.dumps(message)
        lines = [
            f"POST {self.url.path} HTTP/1.1",
            f"Host: {self.url.netloc}",
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
            "MCP-Protocol-Version: 2025-11-25",
            f"Content-Length: {len(body)}",
            *([self.session] if self.session else []),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def exchange(self, request):
        self.socket.sendall(request)
        answer = b""
        while not is_whole(answer):
            part = self.socket.recv(65536)
            if not part:
                sys.exit(f"the connection was closed after {answer!r}")
            answer += part
        return answer

    def time(self, expected):
        since = time.perf_counter()
        answer = self.exchange(self.call)
        took = time.perf_counter() - since
        if expected not in answer:
            sys.exit(f"the answer is {answer!r}")
        return took * 1e6


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    head = head.lower()
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    length = head.partition(b"content-length: ")[2].split(b"\r\n")[0] or b"0"
    return len(body) >= int(length)


def compare(name, direct, through, tool, arguments):
    """Prints the medians, and returns their ratio."""
    here, there = Connection(direct, tool, arguments), Connection(through, f"{name}_{tool}", arguments)
    pairs = [(here.time(b"hello"), there.time(b"hello")) for _ in range(WARM + CALLS)][WARM:]
    ours, theirs = (statistics.median(times) for times in zip(*pairs))
    ratio = theirs / ours
    print(f"{name}: direct {ours:.0f} us, through the mount {theirs:.0f} us: {theirs - ours:.0f} us more, ratio {ratio:.2f}")
    return ratio


gateway, everything, lab = sys.argv[1:]
ratios = []
for _ in range(ROUNDS):
    ratios.append(compare("everything", f"{everything}/mcp", f"{gateway}/mcp", "echo", {"message": "hello"}))
    compare("lab", f"{lab}/mcp", f"{gateway}/mcp", "echo", {"text": "hello"})
print(f"everything: ratio {min(ratios):.2f} (at most {LARGEST})")
sys.exit(min(ratios) > LARGEST)
