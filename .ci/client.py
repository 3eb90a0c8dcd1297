"""Checks that `bifold client` can use servers that others wrote: server-everything, which has sessions, and one of FastMCP."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

binary, everything, fastmcp_python = sys.argv[1:]


def serve(command):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PORT": str(port)}
    server = subprocess.Popen([*command, str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, f"http://127.0.0.1:{port}/mcp"
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    sys.exit(f"no answer from {command}")


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} instead of {expected!r}")


class Asked:
    """One run of the client."""

    def __init__(self, url, *arguments, typed="", code=0):
        ran = subprocess.run([binary, "client", url, *arguments], check=False, capture_output=True, text=True, timeout=60, input=typed)
        same(f"exit code of {arguments}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}", ran.returncode, code)
        self.json = json.loads(ran.stdout) if ran.stdout else None
        self.told = ran.stderr

    @property
    def text(self):
        return self.json["content"][0]["text"]


def uses_everything(url):
    listed = Asked(url, "list").json
    same("era of server-everything", listed["protocolVersion"], "2025-11-25")
    same("its tools", "get-sum" in [tool["name"] for tool in listed["tools"]], True)
    same("its templates", len(listed["resourceTemplates"]) > 0, True)
    same("get-sum", Asked(url, "call", "get-sum", "a=1", "b=2").text, "The sum of 1 and 2 is 3.")
    long = Asked(url, "call", "trigger-long-running-operation", "duration=1", "steps=3")
    same("progress", long.told, "progress 1/3\nprogress 2/3\nprogress 3/3\n")
    asked = Asked(url, "call", "trigger-elicitation-request", typed="/decline\n")
    same("a declined question", "declined" in asked.text, True)
    read = Asked(url, "read", "demo://resource/static/document/features.md").json
    same("a document", read["contents"][0]["mimeType"], "text/markdown")
    prompt = Asked(url, "prompt", "args-prompt", "city=Paris").json
    same("a prompt", "Paris" in prompt["messages"][0]["content"]["text"], True)
    same("an unknown tool", "has no tool" in Asked(url, "call", "nothing", code=2).told, True)
    for version in ("2025-06-18", "2025-03-26", "2024-11-05"):
        same(version, Asked(url, "list", "--protocol", version).json["protocolVersion"], version)
    print("server-everything: lists, calls, reads, fills in, progress, a question; every revision with sessions")


def uses_fastmcp(url):
    for version in ("2026-07-28", "2025-11-25"):
        chosen = () if version == "2026-07-28" else ("--protocol", version)
        listed = Asked(url, "list", *chosen).json
        same("era of FastMCP", listed["protocolVersion"], version)
        added = Asked(url, "call", "add", "a=1", "b=2.5", *chosen)
        same("a sum", (added.json["structuredContent"]["result"], added.told), (3.5, "progress 1/2\n"))
        # In revision 2026-07-28 this server has no `elicit`.
        if chosen:
            named = Asked(url, "call", "ask", *chosen, typed="Ada\n")
            same("a question", named.text, "Hello, Ada!")
        same("a failure", Asked(url, "call", "fail", *chosen, code=1).json["isError"], True)
        same("a document", Asked(url, "read", "note://one", *chosen).json["contents"][0]["text"], "the note")
        prompt = Asked(url, "prompt", "brief", "topic=tea", *chosen).json
        same("a prompt", prompt["messages"][0]["content"]["text"], "Write about tea.")
    print("FastMCP: lists, calls, reads, fills in, progress, a question; both eras")


servers = []
try:
    for use, command in (
        (uses_everything, ["node", everything, "streamableHttp"]),
        (uses_fastmcp, [fastmcp_python, str(pathlib.Path(__file__).with_name("client_server.py"))]),
    ):
        server, url = serve(command)
        servers.append(server)
        use(url)
finally:
    for server in servers:
        server.kill()
        server.wait()
