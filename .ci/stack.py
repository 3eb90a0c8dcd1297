"""Proves that template.yaml makes a stack that works: MiniStack deploys it, and its URL, WebSocket and table are used.

MiniStack reads no secrets into settings, streams no answers and holds no role to its policies, so nothing of that is
looked at here. Its WebSocket API calls functions in Python and Node alone and leaves every other one out without a word
(1.4.21), so a relay stands between the two: that the integration of the template names the right function is not proved.
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
# Hands an event of the WebSocket API to the function, and its reply back.
RELAY = """
  Relay:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: relay
      Handler: index.handler
      Runtime: python3.12
      Timeout: 30
      Environment:
        Variables:
          FUNCTION: !Ref Function
      InlineCode: |
        import json, os, urllib.request
        def handler(event, context):
            url = f"{os.environ['AWS_ENDPOINT_URL']}/2015-03-31/functions/{os.environ['FUNCTION']}/invocations"
            return json.load(urllib.request.urlopen(url, json.dumps(event).encode()))
"""
CALL = {"name": "get_registry_summary", "arguments": {}}


def check(what, holds, shown=""):
    if not holds:
        sys.exit(f"stack: not so: {what}\n{shown}")


def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


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
        # What it would open to other machines: its own address, and a broker of MQTT.
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
        command += ["--parameter-overrides", "Table=true", "WebSocket=true", "Streaming=false"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=300
        )
        check("the template is deployed", done.returncode == 0, done.stdout + done.stderr)
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def prepared(url):
    """The template as it is, but for what MiniStack does otherwise and for the network that a test must not need."""
    template = pathlib.Path("template.yaml").read_text()
    changes = {
        "CodeUri: .": "CodeUri: code/",
        "{{resolve:secretsmanager:${StateKeys}:SecretString:::${StateKeysVersion}}}": "0" * 64,
        "BIFOLD_LOG: !Ref Log": 'BIFOLD_LOG: !Ref Log\n          BIFOLD_REPLAY: "true"',
        "https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/ws": f"{url}/_aws/execute-api/${{WebSocketApi}}/ws",
    }
    changes["functions/${Function.Arn}/invocations"] = "functions/${Relay.Arn}/invocations"
    changes["\nOutputs:\n"] = f"{RELAY}\nOutputs:\n"
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
    """MiniStack finds the function by the host that a caller names."""
    host = urlsplit(url).netloc

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=60)
        headers = {"host": host, "content-type": "application/json"}
        headers["accept"] = "application/json, text/event-stream"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        check(f"{method} {path} is answered", answer.status == 200, f"{answer.status} {text}")
        return json.loads(text)

    rest = ask("GET", "/api/registry_summary")
    result = ask("POST", "/mcp", message(1, "tools/call", CALL))["result"]
    check("REST and MCP give the same", result["structuredContent"] == rest, (rest, result))
    return rest


def web_socket(emulator, url, expected):
    """A request that runs no function is answered where it came, a call by an invocation of its own."""
    api = urlsplit(url).netloc.split(".")[0]
    address = f"ws://127.0.0.1:{emulator.port}/_aws/execute-api/{api}/ws"
    with connect(address, proxy=None) as socket:

        seen = []

        def ask(id, method, params):
            socket.send(message(id, method, params))
            answer = json.loads(socket.recv(timeout=60))
            # A post whose answer is lost is made again, so a frame may come twice, with the same number.
            while answer in seen:
                answer = json.loads(socket.recv(timeout=60))
            seen.append(answer)
            result = answer.get("result", {})
            is_first = result.get("_meta", {}).get("bifold/seq") == 1
            check(f"{method} has one response, numbered", answer["id"] == id and is_first, answer)
            return result

        tools = ask(1, "tools/list", {})["tools"]
        check("the tools are listed", CALL["name"] in [it["name"] for it in tools], tools)
        result = ask(2, "tools/call", CALL)
        check("a call gives the same", result["structuredContent"] == expected, result)
        ask(3, "ping", {})
        with contextlib.suppress(TimeoutError):
            check("nothing comes after the responses", False, socket.recv(timeout=1))


def table(emulator, name):
    """The call that was handed on is claimed there, and the record of the connection has gone with it."""
    dynamodb = emulator.client("dynamodb")
    for _ in range(100):
        items = dynamodb.scan(TableName=name)["Items"]
        keys = [it["pk"]["S"] for it in items]
        if all(it.startswith("ws#job#") for it in keys):
            break
        time.sleep(0.1)
    check("one call was handed on and claimed, and nothing else is left", len(keys) == 1, keys)
    check("the claim ends some day", int(items[0]["ttl"]["N"]) > time.time(), items)


shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()
with Emulator() as emulator:
    outputs = emulator.deploy(prepared(emulator.url))
    summary = function_url(emulator, outputs["Url"])
    web_socket(emulator, outputs["WebSocketUrl"], summary)
    table(emulator, outputs["Table"])
print("MiniStack: deployed; URL, WebSocket with @connections, table")
