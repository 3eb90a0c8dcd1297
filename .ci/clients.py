"""Checks that the Python SDK can use both servers in both protocol eras, like `clients.mjs`, and that the Inspector can use the bundled server."""

import asyncio
import json
import pathlib
import re
import subprocess
import sys
import warnings
from typing import Any, ClassVar, Literal

import mcp_types as types
from mcp import Client, MCPDeprecationWarning, MCPError
from mcp.client.extension import ClientExtension, ResultClaim
from pydantic import BaseModel, Field

bundled, everything, inspector = sys.argv[1:]

# These features of older revisions are used on purpose, because the server supports them.
warnings.simplefilter("ignore", MCPDeprecationWarning)

MODERN = "2026-07-28"
WALLET = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"
# The same wallet with two letters swapped: well-formed, but its checksum is wrong.
MISTYPED = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvkm8"
SNAPSHOT = pathlib.Path(__file__).parent.parent / "tests/it/snapshots/tools_list.json"
TOOLS = [tool["name"] for tool in json.loads(SNAPSHOT.read_text())]
WATCHED = "test://watched-resource"


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def like(what, found, pattern):
    if not re.search(pattern, found):
        sys.exit(f"{what}: found {found!r}, expected {pattern!r}")


class TaskParams(BaseModel):
    task_id: str = Field(alias="taskId")
    input_responses: dict[str, Any] | None = Field(alias="inputResponses", default=None)


class TaskRequest(types.Request[TaskParams, str]):
    name_param: ClassVar[str] = "taskId"


class Task(types.Result):
    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")


class TaskState(types.Result):
    status: str
    input_requests: dict[str, Any] | None = Field(alias="inputRequests", default=None)
    result: types.CallToolResult | None = None


class Tasks(ClientExtension):
    """The part of the Tasks extension that a call needs: polls the task and answers its questions until it is done."""

    identifier = "io.modelcontextprotocol/tasks"
    finished = 0

    def claims(self):
        return [ResultClaim(result_type="task", model=Task, resolve=self.resolve)]

    async def resolve(self, task, cx):
        async def send(method, result_type, **params):
            request = TaskRequest(method=method, params=TaskParams(taskId=task.task_id, **params))
            return await cx.session.send_request(request, result_type)

        while True:
            state = await send("tasks/get", TaskState)
            if state.status == "completed":
                self.finished += 1
                return state.result
            if state.status not in ("working", "input_required"):
                sys.exit(f"python task {cx.tool_name}: {state!r}")
            if state.input_requests:
                given = {key: (await elicited(None, None)).model_dump(exclude_none=True) for key in state.input_requests}
                await send("tasks/update", types.EmptyResult, inputResponses=given)
            await asyncio.sleep(0.05)


async def elicited(_, params):
    content = {"name": "Ada", "username": "ada", "email": "ada@example.com", "context": "tea", "confirm": True}
    return types.ElicitResult(action="accept", content=content)


async def sampled(_, params):
    return types.CreateMessageResult(role="assistant", content=types.TextContent(text="Paris"), model="none")


async def rooted(_):
    return types.ListRootsResult(roots=[types.Root(uri="file:///project")])


async def uses_functions(client_name, client):
    same(f"{client_name}: tools", [tool.name for tool in (await client.list_tools()).tools], TOOLS)
    summary = (await client.call_tool("get_registry_summary")).structured_content
    same(f"{client_name}: mcp_enabled", summary["mcp_enabled"], len(TOOLS))

    result = await client.call_tool("fetch_account_info", {"wallet_address": WALLET})
    same(f"{client_name}: account_is_vesting", result.structured_content["account_is_vesting"], True)
    same(f"{client_name}: text block", json.loads(result.content[0].text), result.structured_content)
    result = await client.call_tool("fetch_account_info", {"wallet_address": MISTYPED})
    same(f"{client_name}: is_error of a mistyped wallet", result.is_error, True)
    # The specification allows a protocol error or a failed result for an unknown name.
    try:
        failed = (await client.call_tool("no_such_function", {})).is_error
    except MCPError:
        failed = True
    same(f"{client_name}: an unknown function fails", failed, True)

    uris = [resource.uri for resource in (await client.list_resources()).resources]
    same(f"{client_name}: a resource", "bifold://markets" in uris, True)
    templates = (await client.list_resource_templates()).resource_templates
    same(f"{client_name}: a template", [it.uri_template for it in templates], ["wallet://{wallet_address}/summary"])
    contents = (await client.read_resource(f"wallet://{WALLET}/summary")).contents
    same(f"{client_name}: a document", "account_is_vesting" in contents[0].text, True)

    prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
    same(f"{client_name}: a prompt", "market_briefing" in prompts, True)
    prompt = await client.get_prompt("market_briefing", {"token_pair": "HASH-USD"})
    like(f"{client_name}: a prompt", prompt.messages[0].content.text, "HASH-USD")
    ref = types.PromptReference(name="market_briefing")
    completion = (await client.complete(ref, {"name": "token_pair", "value": "hash"})).completion
    same(f"{client_name}: a proposal", "HASH-USD" in completion.values, True)


async def is_asked(client_name, client):
    for name, arguments, expected in (
        ("test_elicitation", {"message": "Who are you?"}, r"accept.*ada@example\.com"),
        ("test_sampling", {"prompt": "The capital of France?"}, "Paris"),
        ("test_input_required_result_list_roots", {}, "file:///project"),
        ("test_input_required_result_multiple_inputs", {}, "Paris Ada, you have 1 roots"),
    ):
        like(f"{client_name}: {name}", (await client.call_tool(name, arguments)).content[0].text, expected)
    prompt = await client.get_prompt("test_input_required_result_prompt", {})
    like(f"{client_name}: a prompt that asks", prompt.messages[0].content.text, "tea")


async def hears(client_name, client, logged):
    reports = []

    async def report(progress, total, message):
        reports.append(progress)

    await client.call_tool("test_tool_with_progress", {}, progress_callback=report)
    same(f"{client_name}: progress", reports, [0, 50, 100])
    if client.protocol_version != MODERN:
        await client.set_logging_level("info")
    await client.call_tool("test_tool_with_logging", {})
    same(f"{client_name}: log", logged, ["info"] * 3)


async def follows(client_name, client):
    async with client.listen(tools_list_changed=True, resource_subscriptions=[WATCHED]) as changes:
        await client.call_tool("test_trigger_tool_change", {})
        heard = {type(await anext(changes)).__name__ for _ in range(2)}
        same(f"{client_name}: changes", heard, {"ToolsListChanged", "ResourceUpdated"})


async def runs_tasks(client_name, client, tasks):
    for name, arguments, expected in (
        ("slow_compute", {"seconds": 0.05, "label": "it"}, "it took 0.05 s."),
        ("confirm_delete", {"filename": "a.txt"}, "`a.txt` is deleted."),
        ("multi_input", {}, "Hello, Ada Ada!"),
    ):
        same(f"{client_name}: {name}", (await client.call_tool(name, arguments)).content[0].text, expected)
    same(f"{client_name}: tasks", tasks.finished, 3)


async def python(mode, version):
    """The Python SDK. `auto` probes for the newest era; `legacy` uses the handshake of older clients."""
    client_name = f"python {mode}"
    async with Client(bundled, mode=mode) as client:
        same(f"{client_name}: protocol version", client.protocol_version, version)
        await uses_functions(client_name, client)

    logged = []

    async def log(params):
        logged.append(params.level)

    tasks = Tasks()
    answers = {"elicitation_callback": elicited, "sampling_callback": sampled, "list_roots_callback": rooted}
    told = {"logging_callback": log, "log_level": "info" if version == MODERN else None}
    async with Client(everything, mode=mode, extensions=[tasks], **answers, **told) as client:
        await is_asked(client_name, client)
        await hears(client_name, client, logged)
        if version == MODERN:
            await follows(client_name, client)
            await runs_tasks(client_name, client, tasks)
    more = "; following; tasks" if version == MODERN else ""
    print(f"{client_name}: {version}; lists, calls, reads, fills in, completes; asked and told{more}")


def inspect(era, *options, code=0):
    """One run of the Inspector's command line, which exits with 5 for a failed tool and with 6 for a bad schema."""
    command = ["node", inspector, "--cli", bundled, "--transport", "http", "--protocol-era", era, "--format", "json", *options]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if ran.returncode != code:
        sys.exit(f"inspector {era} {' '.join(options)}: exit code {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    return json.loads(ran.stdout)["result"]


def inspector_cli(era):
    client_name = f"inspector {era}"
    tools = inspect(era, "--method", "tools/list", "--strict")["tools"]
    same(f"{client_name}: tools", [tool["name"] for tool in tools], TOOLS)
    call = ("--method", "tools/call", "--tool-name", "fetch_account_info", "--tool-arg")
    result = inspect(era, *call, f"wallet_address={WALLET}")
    same(f"{client_name}: account_is_vesting", result["structuredContent"]["account_is_vesting"], True)
    result = inspect(era, *call, f"wallet_address={MISTYPED}", code=5)
    same(f"{client_name}: isError of a mistyped wallet", result["isError"], True)
    document = inspect(era, "--method", "resources/read", "--uri", "bifold://system-context")
    same(f"{client_name}: type of a document", document["contents"][0]["mimeType"], "text/markdown")
    prompt = inspect(era, "--method", "prompts/get", "--prompt-name", "market_briefing", "--prompt-args", "token_pair=HASH-USD")
    like(f"{client_name}: a prompt", prompt["messages"][0]["content"]["text"], "HASH-USD")
    print(f"{client_name}: lists strictly, calls, reads, fills in")


asyncio.run(python("auto", MODERN))
asyncio.run(python("legacy", "2025-11-25"))
for era in ("legacy", "auto", "modern"):
    inspector_cli(era)
