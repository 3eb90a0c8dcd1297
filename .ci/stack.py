"""Checks that template.yaml creates a working stack: MiniStack deploys it, and its URL, WebSocket and table are used.

MiniStack collects a stream before its caller sees any of it, has no Extensions API, runs the function as a process of
this machine and asks no role for permission, so of that nothing is proved here.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import boto3
from websockets.sync.client import connect

sam, ministack, bifold = sys.argv[1:]
folder = pathlib.Path("target/ci/stack")
STACK = "bifold-test"
CALL = {"name": "get_registry_summary", "arguments": {}}
TELLING = {"name": "fetch_market_overview_summary", "_meta": {"progressToken": 1}}
WALLET = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"
HANGING = {"name": "fetch_available_committed_amount", "arguments": {"wallet_address": WALLET}}


def check(what, holds, shown=""):
    if not holds:
        sys.exit(f"stack: failed: {what}\n{shown}")


def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(what, expected, look):
    until = time.monotonic() + 60
    while (seen := look()) != expected and time.monotonic() < until:
        time.sleep(0.1)
    check(f"{what}: {expected}", seen == expected, seen)


def message(id, method, params):
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


class Emulator:
    """MiniStack with its own process group, so that the functions that it starts end with it."""

    def __init__(self):
        self.port = port()
        self.url = f"http://127.0.0.1:{self.port}"
        names = ("AWS_", "BIFOLD_")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(names)}
        self.environment = inherited | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def __enter__(self):
        temporary = folder.absolute() / "tmp"
        temporary.mkdir()
        # MiniStack would open these to other machines: its own address, and an MQTT broker.
        bound = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "IOT_MTLS_ENABLED": "0"}
        with open(folder / "ministack.log", "w") as log:
            self.process = subprocess.Popen(
                [ministack],
                env=self.environment | bound | {"TMPDIR": str(temporary)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(300):
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            time.sleep(0.1)
        self.__exit__()
        sys.exit("stack: MiniStack does not start, see target/ci/stack/ministack.log")

    def __exit__(self, *failure):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self, template):
        command = [sam, "deploy", "--template-file", template, "--stack-name", STACK]
        command += ["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
        command += ["--parameter-overrides", "Table=true", "WebSocket=true", "Streaming=true"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=300
        )
        check("the template is deployed", done.returncode == 0, done.stdout + done.stderr)
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def prepared(url):
    """The template, changed where MiniStack differs from AWS and where the test would need the network."""
    template = pathlib.Path("template.yaml").read_text()
    # MiniStack ignores all other properties of a secret.
    excluded = "".join(it for it in map(chr, range(33, 127)) if it not in "0123456789abcdef")
    changes = {
        "CodeUri: .": "CodeUri: code/",
        "ExcludeCharacters: ghijklmnopqrstuvwxyz": f"ExcludeCharacters: {json.dumps(excluded)}",
        "BIFOLD_LOG: !Ref Log": 'BIFOLD_LOG: !Ref Log\n          BIFOLD_REPLAY: "true"\n          BIFOLD_REPLAY_FAULTS: lcd=hang',
        "https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/ws": f"{url}/_aws/execute-api/${{WebSocketApi}}/ws",
    }
    for old, new in changes.items():
        check(f"the template has `{old}` once", template.count(old) == 1)
        template = template.replace(old, new)
    code = folder / "code"
    code.mkdir()
    shutil.copy(bifold, code / "bootstrap")
    path = folder / "template.yaml"
    path.write_text(template)
    return str(path)


def function_url(emulator, url):
    """MiniStack finds the function by the `Host` header."""
    host = urlsplit(url).netloc

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=60)
        headers = {"host": host, "content-type": "application/json"}
        headers["accept"] = "application/json, text/event-stream"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        check(f"{method} {path} is answered", answer.status == 200, f"{answer.status} {text}")
        return answer.headers.get_content_type(), text

    rest = json.loads(ask("GET", "/api/registry_summary")[1])
    result = json.loads(ask("POST", "/mcp", message(1, "tools/call", CALL))[1])["result"]
    check("REST and MCP return the same result", result["structuredContent"] == rest, (rest, result))
    kind, stream = ask("POST", "/mcp", message(2, "tools/call", TELLING))
    is_stream = kind == "text/event-stream" and stream.count("event: message") == 7
    check("the response of a call that reports progress is a stream", is_stream, f"{kind} {stream}")
    return rest


class Records:
    """The table and the log."""

    def __init__(self, emulator, outputs):
        self.dynamodb, self.logs = emulator.client("dynamodb"), emulator.client("logs")
        self.table, self.group = outputs["Table"], outputs["LogGroup"]

    def items(self):
        return self.dynamodb.scan(TableName=self.table)["Items"]

    def claims(self):
        return sum(it["pk"]["S"].startswith("ws#job#") for it in self.items())

    def ended(self):
        """The number of finished invocations, which MiniStack logs even if the function logs nothing."""
        events = self.logs.filter_log_events(logGroupName=self.group)["events"]
        return sum(it["message"].startswith("END ") for it in events)


def web_socket(emulator, url, expected, records):
    """A request without a function call is answered by its own invocation, a call by a second invocation."""
    api = urlsplit(url).netloc.split(".")[0]
    address = f"ws://127.0.0.1:{emulator.port}/_aws/execute-api/{api}/ws"
    before = records.ended()
    with connect(address, proxy=None) as socket:

        def ask(id, method, params):
            socket.send(message(id, method, params))
            answer = json.loads(socket.recv(timeout=60))
            result = answer.get("result", {})
            is_first = result.get("_meta", {}).get("bifold/seq") == 1
            check(f"{method} has one response, numbered", answer["id"] == id and is_first, answer)
            return result

        tools = ask(1, "tools/list", {})["tools"]
        check("the tools are listed", CALL["name"] in [it["name"] for it in tools], tools)
        result = ask(2, "tools/call", CALL)
        check("a call returns the same result", result["structuredContent"] == expected, result)
        # A hanging call keeps its instance busy, so another instance gets the cancellation and passes it on by the table.
        socket.send(message(3, "tools/call", HANGING))
        wait_for("calls that were handed on and have begun", 2, records.claims)
        notice = {"method": "notifications/cancelled", "params": {"requestId": 3}}
        socket.send(json.dumps({"jsonrpc": "2.0"} | notice))
        # $connect, tools/list, each call twice, and the cancellation.
        wait_for("invocations that have ended", before + 7, records.ended)
        ask(4, "ping", {})
        with contextlib.suppress(TimeoutError):
            check("no message follows the responses", False, socket.recv(timeout=1))
    wait_for("invocations that have ended, with ping and $disconnect", before + 9, records.ended)


def cognito(emulator):
    """A server on this machine takes the access tokens of one client of a user pool, which have no audience."""
    service = emulator.client("cognito-idp")
    pool = service.create_user_pool(PoolName=STACK)["UserPool"]["Id"]
    user = {"UserPoolId": pool, "Username": "ada"}
    service.admin_create_user(**user, MessageAction="SUPPRESS")
    service.admin_set_user_password(**user, Password="Pa55-word", Permanent=True)

    def sign_in():
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        created = service.create_user_pool_client(UserPoolId=pool, ClientName="it", ExplicitAuthFlows=flows)
        client = created["UserPoolClient"]["ClientId"]
        parameters = {"USERNAME": "ada", "PASSWORD": "Pa55-word"}
        signed_in = service.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=client, AuthParameters=parameters)
        return client, signed_in["AuthenticationResult"]

    (client, tokens), (_, others) = sign_in(), sign_in()
    listen = f"127.0.0.1:{port()}"
    # The issuer in these tokens is AWS's own, which a test must not ask.
    settings = {
        "BIFOLD_AUTH_ISSUER": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
        "BIFOLD_AUTH_JWKS_URL": f"{emulator.url}/{pool}/.well-known/jwks.json",
        "BIFOLD_AUTH_CLIENT_IDS": client,
        "BIFOLD_LOG": "warn",
        # The clock of the recorded data is older than these tokens.
        "BIFOLD_CLOCK": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    command = [bifold, "serve", "--replay", "--listen", listen]
    server = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    try:

        def status(token=None):
            connection = http.client.HTTPConnection(listen, timeout=60)
            headers = {"authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", "/api/registry_summary", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        for _ in range(300):
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(listen.split(":")).close()
                break
            time.sleep(0.1)
        for what, token, expected in (
            ("without a token", None, 401),
            ("with an access token", tokens["AccessToken"], 200),
            ("with an ID token", tokens["IdToken"], 401),
            ("with an access token of another client", others["AccessToken"], 401),
        ):
            found, said = status(token)
            check(f"a call {what} is answered with {expected}", found == expected, f"{found} {said}")
    finally:
        server.terminate()
        server.wait(timeout=60)


def left(records):
    """Two claims of calls and one record of the closed connection are left, all with an expiry."""
    items = records.items()
    others = [it["value"]["S"] for it in items if not it["pk"]["S"].startswith("ws#job#")]
    check("only claims and the closed connection are left", records.claims() == 2 and others == ["gone"], items)
    check("all records that are left expire", all(int(it["ttl"]["N"]) > time.time() for it in items), items)


# A SIGTERM to this program also ends MiniStack.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stack: terminated"))
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()
with Emulator() as emulator:
    outputs = emulator.deploy(prepared(emulator.url))
    records = Records(emulator, outputs)
    summary = function_url(emulator, outputs["Url"])
    web_socket(emulator, outputs["WebSocketUrl"], summary, records)
    left(records)
    cognito(emulator)
print("MiniStack: deployed; URL, stream, WebSocket with @connections, call cancelled through the table; tokens of Cognito")
