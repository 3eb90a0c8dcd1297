"""Checks that the Python SDK can use real MCP servers through a bifold that mounts them, in both protocol eras, and REST too."""

import asyncio
import json
import sys
import urllib.request
import warnings

import mcp_types as types
from mcp import Client, MCPDeprecationWarning

base, folder = sys.argv[1:]
warnings.simplefilter("ignore", MCPDeprecationWarning)


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


async def answer_form(_context, _params):
    return types.ElicitResult(action="accept", content={"name": "Ada"})


async def answer_model(_context, _params):
    content = types.TextContent(type="text", text="Paris")
    return types.CreateMessageResult(role="assistant", content=content, model="none")


async def use(mode):
    reports = []

    async def progress(done, _total, _message):
        reports.append(done)

    async with Client(f"{base}/mcp", mode=mode, elicitation_callback=answer_form, sampling_callback=answer_model) as client:
        page = await client.list_tools()
        tools = page.tools
        while page.next_cursor:
            page = await client.list_tools(cursor=page.next_cursor)
            tools += page.tools
        names = {tool.name for tool in tools}
        wanted = {"everything_echo", "remote_echo", "files_list_directory", "memory_read_graph", "time_get_current_time", "fast_add"}
        same("missing tools", wanted - names, set())

        async def text(name, arguments, **options):
            result = await client.call_tool(name, arguments, **options)
            if result.is_error:
                sys.exit(f"{name}: {result}")
            return "\n".join(block.text for block in result.content if block.type == "text")

        for mount in ("everything", "remote"):
            same(mount, await text(f"{mount}_echo", {"message": "hello"}), "Echo: hello")
            asked = await text(f"{mount}_trigger-elicitation-request", {})
            same("asked", "Ada" in asked, True)
            sampled = await text(f"{mount}_trigger-sampling-request", {"prompt": "The capital of France?", "maxTokens": 10})
            same("sampled", "Paris" in sampled, True)
            await gives_up(client, f"{mount}_trigger-long-running-operation")
            same(mount, await text(f"{mount}_echo", {"message": "again"}), "Echo: again")
        same("files", "hello.txt" in await text("files_list_directory", {"path": folder}), True)
        same("fast", await text("fast_add", {"a": 20, "b": 3}), "23")
        same("reported", await text("fast_report", {}, progress_callback=progress), "reported")
        same("progress", reports, [1.0, 2.0, 3.0])
        note = await client.read_resource("note://fast/x")
        same("note", note.contents[0].text, "note x")
        prompt = await client.get_prompt("fast_greet", {"name": "Bo"})
        same("prompt", prompt.messages[0].content.text, "Greet Bo.")
        ref = types.PromptReference(name="remote_completable-prompt")
        completion = (await client.complete(ref, {"name": "department", "value": "E"})).completion
        same("completion", "Engineering" in completion.values, True)
        print(f"python {mode}: {len(tools)} tools; calls, reads, fills in, completes, is told, is asked, cancels")


async def gives_up(client, name):
    """Calls a tool that takes a minute, and cancels the call when it is under way."""
    started = asyncio.Event()

    async def progress(*_):
        started.set()

    call = asyncio.create_task(client.call_tool(name, {"duration": 60, "steps": 600}, progress_callback=progress))
    await asyncio.wait({call, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    same(f"{name} is under way", (started.is_set(), call.done()), (True, False))
    call.cancel()
    await asyncio.wait({call}, timeout=10)
    same(f"{name} is cancelled", call.cancelled(), True)


def rest():
    """The same tools over REST, and what is said of their servers."""
    request = urllib.request.Request(f"{base}/api/fast/add", b'{"a": 1, "b": 2}', {"content-type": "application/json"})
    same("rest", json.load(urllib.request.urlopen(request)), {"result": 3})
    document = json.load(urllib.request.urlopen(f"{base}/openapi.json"))
    same("openapi", "/api/files/list_directory" in document["paths"], True)
    mounts = {it["name"]: it for it in json.load(urllib.request.urlopen(f"{base}/mounts"))["mounts"]}
    same("down", [name for name, it in mounts.items() if it["state"] != "up"], ["gone"])
    for name, it in mounts.items():
        print(f"{name}: {it['state']} {it.get('revision', '-')} {it['tools']} tools, {len(it.get('refused', []))} refused")


for mode in ("legacy", "auto"):
    asyncio.run(use(mode))
rest()
