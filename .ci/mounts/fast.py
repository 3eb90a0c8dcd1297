"""A small FastMCP server, which `.ci/run mounts` mounts."""

import sys

from fastmcp import Context, FastMCP

server = FastMCP("fast")


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool
async def report(cx: Context) -> str:
    """Reports progress."""
    for done in (1, 2, 3):
        await cx.report_progress(done, 3, f"step {done}")
    return "reported"


@server.resource("note://{name}")
def note(name: str) -> str:
    """A note."""
    return f"note {name}"


@server.prompt
def greet(name: str) -> str:
    """Greets someone."""
    return f"Greet {name}."


server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
